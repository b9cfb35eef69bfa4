"""Runs whose driver dies, wherever it was, and that another one drives to the end."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from handmade import step, write_package

from nbflow.engines.base import UnderWay, Work
from nbflow.engines.inline import InlineEngine
from nbflow.errors import LeaseLostError, UserError
from nbflow.runtime.drive import HandedOn
from nbflow.runtime.listener import Listener
from nbflow.runtime.pulse import Pulse
from nbflow.runtime.request import RunRequest
from nbflow.runtime.run import prepare_run, run_flow
from nbflow.runtime.takeover import take_over
from nbflow.store import Store, open_store
from nbflow.store.records import RunRecord, TaskRecord


class KilledError(HandedOn):
    """As if the process had ended here: nobody writes anything more."""


class Mortal(InlineEngine):
    """Runs one task at a time, and ends its driver after so many of them."""

    def __init__(self, tasks: int | None = None, *, told: bool = True) -> None:
        super().__init__()
        self._left = tasks
        #: whether the driver hears of the last task before it dies
        self._told = told

    def wait(self, seconds: float) -> list[TaskRecord]:
        if self._left is not None and self._left <= 0:
            raise KilledError
        waiting = list(self._waiting)
        self._waiting.clear()
        self._waiting.extend(waiting[:1])
        records = super().wait(0.0)
        self._waiting.extend(waiting[1:])
        if self._left is not None and records:
            self._left -= 1
            if not self._left and not self._told:
                raise KilledError
        return records


def write(folder: Path) -> None:
    """A fan-out whose odd items fail once, a failure that is caught, a step that is skipped."""
    marks = folder / "marks"
    marks.mkdir()
    mark = (
        "import os\ndef mark(name):\n"
        f"    path = os.path.join({str(marks)!r}, name)\n"
        "    with open(path, 'a') as file: file.write('x')\n"
        "    return os.path.getsize(path)\n"
    )
    grow = f"{mark}if mark(f'grow-{{i}}') == 1 and i % 2: raise OSError('once')\nvalue = i"
    risky = f"{mark}mark('risky'); raise ValueError('always')"
    never = f"{mark}mark('never'); z = 1"
    pick = f"{mark}mark('pick'); best = sum(grow.value)"
    load = f"{mark}mark('load'); rows = list(range(n))"
    write_package(
        folder,
        [
            step("load", load, parameters=("n",), outputs=("rows",)),
            step(
                "grow", grow, {}, ("value",), foreach="i in rows", items={"rows": "load"}, retry=2
            ),
            step("risky", risky, {}, ("y",), catch=True),
            step("after", "w = y", {"y": "risky"}, ("w",)),
            step("never", never, {"rows": "load"}, ("z",), when="not rows"),
            step("pick", pick, {"grow": "grow"}, ("best",), fanouts=("grow",)),
        ],
        parameters={"n": 4},
    )


def lapse(store: Store, run: int) -> None:
    """As if the driver had been silent for long."""
    store.db.execute("UPDATE runs SET heartbeat = heartbeat - 60 WHERE id = ?", (run,))


def outcome(store: Store, run: RunRecord) -> Any:
    tasks = {
        (t.step, t.part, t.key): (t.status, t.attempt, sorted(t.artifacts), t.item)
        for part in ("main", "items")
        for t in store.tasks(run.id, part=part)  # type: ignore[arg-type]
    }
    attempts = [(a.step, a.key, a.attempt) for a in store.all_attempts(run.id)]
    return run.status, run.metrics, tasks, attempts


def settled(outcome: Any) -> Any:
    status, metrics, tasks, _ = outcome
    return status, metrics, {at: (how, made) for at, (how, _, made, _) in tasks.items()}


def counted(folder: Path) -> Counter[str]:
    return Counter({path.name: path.stat().st_size for path in (folder / "marks").iterdir()})


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Counter[str]]:
    folder = tmp_path_factory.mktemp("undisturbed")
    write(folder)
    run = run_flow(RunRequest(folder, store=folder, on="inline"))
    store = open_store(folder)
    told = outcome(store, run)
    store.close()
    return told, counted(folder)


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("after", range(11))
def test_a_driver_may_die_anywhere(
    tmp_path: Path, undisturbed: tuple[Any, Counter[str]], after: int, told: bool
) -> None:
    write(tmp_path)
    with pytest.raises(KilledError):
        run_flow(RunRequest(tmp_path, store=tmp_path, on="inline"), engine=Mortal(after, told=told))
    store = open_store(tmp_path)
    (run,) = store.runs()
    before = {(t.step, t.key): t for t in store.tasks(run.id) if t.status == "succeeded"}
    lapse(store, run.id)
    assert store.run(run.id).status == "lost"
    # the second driver dies as well, two tasks later
    with pytest.raises(KilledError):
        take_over(open_store(tmp_path), run.path, engine=Mortal(0))
    lapse(store, run.id)
    ended = take_over(open_store(tmp_path), run.path, engine=Mortal())
    expected, counts = undisturbed
    if told:
        assert outcome(store, ended) == expected
    else:
        # what fails once may have failed unheard
        assert settled(outcome(store, ended)) == settled(expected)
    # what was published stands, untouched
    for (name, key), record in before.items():
        assert store.task(run.id, name, key) == record
    again = counted(tmp_path)
    assert all(again[name] <= counts[name] + (not told) for name in counts)
    assert sum((again - counts).values()) <= (not told)
    assert ended.error is None
    assert store.take_posted(run.id) == []
    store.close()


class Cloud(InlineEngine):
    """Tasks outlive their driver, as in a cluster: the next one adopts them."""

    def __init__(self, kept: list[Work], dies: bool) -> None:
        super().__init__()
        self.kept = kept
        self._dies = dies

    def submit(self, work: Work) -> None:
        self.kept.append(work)

    def adopt(self, run: int) -> list[tuple[str, Any, str, int]]:
        return [(w.step.name, w.part, key, w.attempt) for w in self.kept for key in w.keys]

    def wait(self, seconds: float) -> list[TaskRecord]:
        if self._dies and ("grow", "main") in [(w.step.name, w.part) for w in self.kept]:
            raise KilledError
        works, self.kept[:] = list(self.kept), []
        for work in works:
            super().submit(work)
        return super().wait(0.0)

    def under_way(self) -> list[UnderWay]:
        return []


def test_what_an_engine_has_under_way_is_adopted(
    tmp_path: Path, undisturbed: tuple[Any, Counter[str]]
) -> None:
    write(tmp_path)
    kept: list[Work] = []
    with pytest.raises(KilledError):
        run_flow(RunRequest(tmp_path, store=tmp_path, on="inline"), engine=Cloud(kept, True))
    store = open_store(tmp_path)
    (run,) = store.runs()
    assert [(w.step.name, w.keys) for w in kept if w.step.name == "grow"] == [
        ("grow", ("0", "1", "2", "3"))
    ]
    lapse(store, run.id)
    ended = take_over(open_store(tmp_path), run.path, engine=Cloud(kept, False))
    assert (outcome(store, ended), counted(tmp_path)) == undisturbed
    # its results are found by later runs
    again = run_flow(RunRequest(tmp_path, store=tmp_path, on="inline"))
    statuses = {(t.step, t.status) for t in store.tasks(again.id)}
    assert ("grow", "cached") in statuses
    assert ("grow", "succeeded") not in statuses
    store.close()


def test_a_run_is_made_here_and_driven_there(
    tmp_path: Path, undisturbed: tuple[Any, Counter[str]]
) -> None:
    write(tmp_path)
    store, run = prepare_run(RunRequest(tmp_path, store=tmp_path, on="inline"), patience=60)
    assert run.status == "pending"
    ended = take_over(open_store(tmp_path), run.path)
    assert outcome(store, ended) == undisturbed[0]
    store.close()


def test_a_run_that_cannot_begin_says_why(tmp_path: Path) -> None:
    write(tmp_path)
    store, run = prepare_run(RunRequest(tmp_path, store=tmp_path, on="tcp://127.0.0.1:1"), 60)
    with pytest.raises(UserError, match="cannot be reached"):
        take_over(open_store(tmp_path), run.path)
    failed = store.run(run.id)
    assert failed.status == "failed"
    assert failed.error is not None
    assert "cannot be reached" in failed.error["message"]
    store.close()


def test_a_run_that_is_over_or_driven_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    store, run = prepare_run(RunRequest(tmp_path, store=tmp_path, on="inline"), 60)
    assert store.claim(run.id, "another-1")
    beat = threading.Timer(0.8, store.heartbeat, (run.id, "another-1"))
    beat.start()
    with pytest.raises(UserError, match=r"churn/1 is driven by another-1, which has just given"):
        take_over(open_store(tmp_path), run.path)
    beat.join()
    store.update_run(run.id, driver="another-1", status="succeeded")
    with pytest.raises(UserError, match=r"is over: it has succeeded\. `nbflow resume churn/1`"):
        take_over(open_store(tmp_path), run.path)
    store.close()


def test_a_driver_that_lost_its_run_publishes_nothing_more(tmp_path: Path) -> None:
    write(tmp_path)
    store = open_store(tmp_path)

    class Robbed(Mortal):
        def wait(self, seconds: float) -> list[TaskRecord]:
            records = super().wait(seconds)
            if any(record.step == "grow" and record.part == "main" for record in records):
                lapse(store, store.runs()[0].id)
                assert store.claim(store.runs()[0].id, "another")
            return records

    heard: list[RunRecord] = []

    class Hears(Listener):
        def finished(self, run: RunRecord) -> None:
            heard.append(run)

    with pytest.raises(LeaseLostError, match="churn/1 is driven by another"):
        run_flow(RunRequest(tmp_path, store=tmp_path), Hears(), Robbed())
    (run,) = store.runs()
    assert (run.status, run.error, heard) == ("running", None, [])
    assert [t.status for t in store.tasks(run.id, "grow")] == []
    store.close()


def test_who_is_done_driving_is_not_interrupted(tmp_path: Path) -> None:
    write_package(tmp_path, [step("load", "n = 1", outputs=("n",))])
    store, run = prepare_run(RunRequest(tmp_path, store=tmp_path, on="inline"), 60)
    assert store.claim(run.id, "me")
    with Pulse(store, run.id, "me") as pulse:
        pulse.give_up(KilledError())
        threading.Event().wait(0.05)
    assert (pulse.stops, type(pulse.lost)) == (1, KilledError)
    store.close()
