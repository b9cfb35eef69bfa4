"""How large batches are, and who gets which resources: pure decisions."""

from __future__ import annotations

from typing import Any

from handmade import step

from nbflow.engines.base import Work
from nbflow.engines.guided import LARGEST, Guided
from nbflow.engines.ledger import Ledger
from nbflow.runtime.spec import StepSpec, read_spec


def spec(**more: Any) -> StepSpec:
    entry = {**step("grow", **more), "function": "m:grow", "code": "c"}
    return read_spec({"name": "f", "package": "f", "steps": [entry]}).steps[0]


def work(count: int, **more: Any) -> Work:
    return Work(spec(**more), "main", 1, tuple(map(str, range(count))))


def sizes(count: int, seconds: float, slots: int = 2) -> list[int]:
    """The sizes of all batches of so many tasks that take so long each."""
    guided = Guided()
    guided.add(work(count))
    found: list[int] = []
    while guided:
        batch = guided.take(guided.heads()[0], slots)
        found.append(len(batch.keys))
        guided.learn(batch, seconds * len(batch.keys))
    return found


def test_every_task_is_taken_once_and_in_order() -> None:
    guided = Guided()
    guided.add(work(1000))
    keys: list[str] = []
    while guided:
        batch = guided.take(guided.heads()[0], 2)
        keys += batch.keys
        guided.learn(batch, 0.001)
    assert keys == [str(i) for i in range(1000)]


def test_batches_of_short_tasks_grow_and_shrink() -> None:
    found = sizes(20_000, 0.0001)
    assert found[:3] == [1, 8, 64]
    assert max(found) == LARGEST
    assert found[-1] == 1
    assert len(found) < 60


def test_long_tasks_go_one_by_one() -> None:
    assert sizes(20, 1.0) == [1] * 20


def test_nothing_is_left_after_drain() -> None:
    guided = Guided()
    guided.add(work(3))
    assert [key for _, key in guided.drain()] == ["0", "1", "2"]
    assert not guided


def test_the_ledger_shares_out_what_there_is() -> None:
    ledger = Ledger({"cpu": 4.0, "memory": 100.0, "gpu": 2.0}, devices=("0", "1"))
    heavy = work(1, resources={"cpu": 2, "gpu": 1, "memory": 60})
    assert ledger.lacks(heavy) == []
    assert ledger.pick(heavy) == ("0",)
    ledger.hold(1, heavy)
    assert ledger.lacks(heavy) == ["memory"]
    assert ledger.pick(heavy) == ("1",)
    plain = work(1)
    assert ledger.pick(plain) is None
    ledger.hold(2, plain)
    ledger.hold(3, plain)
    assert ledger.lacks(plain) == ["cpu"]
    ledger.release(1)
    assert ledger.lacks(heavy) == []


def test_a_split_takes_one_core_whatever_the_tasks_ask_for() -> None:
    ledger = Ledger({"cpu": 1.0})
    heavy = spec(resources={"cpu": 8})
    assert ledger.lacks(Work(heavy, "items", 1, ("",))) == []
    assert ledger.lacks(Work(heavy, "main", 1, ("0",))) == ["cpu"]
