"""Garbage: the plan is what is freed, and what is freed is what no kept run reaches."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nbflow.store import Store, open_store
from nbflow.store.gc import apply_gc, plan_gc
from nbflow.store.objects import LocalObjects
from nbflow.store.records import RunRecord, TaskRecord
from nbflow.store.writer import PACKED
from nbflow.values.ref import Ref

LARGE = PACKED // 8 + 1


def finished_run(store: Store, values: list[int], version: str = "v1") -> tuple[RunRecord, Path]:
    """A run with a large and a small value for each number; equal numbers have equal values."""
    run = store.create_run("churn", version)
    store.add_version(version, {"name": "churn"}, {"a.py": ""}, b"")
    with store.writer("w") as writer:
        records = [
            TaskRecord(
                "train",
                str(i),
                "succeeded",
                artifacts={
                    "large": writer.put(np.full(LARGE, n), "large").to_json(),
                    "small": writer.put(np.full(10, n), "small").to_json(),
                },
                log=writer.put_bytes(f"{n}".encode(), "text").to_json(),
            )
            for i, n in enumerate(values)
        ]
    store.publish(run.id, records)
    store.update_run(run.id, status="succeeded")
    return run, store.code_dir(version)


def folder(store: Store) -> Path:
    assert isinstance(store.objects, LocalObjects)
    return store.objects.root


def age(store: Store, seconds: float = 7200) -> None:
    """As if all had happened that long ago."""
    for file in store.objects.walk():
        os.utime(folder(store) / file.name, (file.modified - seconds,) * 2)
    store.db.execute("UPDATE versions SET created = created - ?", (seconds,))


def stored(store: Store) -> dict[str, int]:
    return {file.name: file.size for file in store.objects.walk()}


def readable(store: Store) -> None:
    for run in store.runs():
        for task in store.tasks(run.id):
            for ref in (*task.artifacts.values(), task.log):
                assert ref is not None
                store.verify(Ref.from_json(ref))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.lists(st.integers(0, 4), max_size=4), st.booleans()), max_size=4))
def test_apply_frees_what_the_plan_promised(runs: list[tuple[list[int], bool]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        store = open_store(place)
        made = [finished_run(store, values)[0] for values, _ in runs]
        for run, (_, delete) in zip(made, runs, strict=True):
            if delete:
                store.delete_run(run.id)
        age(store)
        before = stored(store)
        plan = plan_gc(store)
        assert stored(store) == before
        freed = apply_gc(store, plan)
        after = stored(store)
        assert freed == plan
        assert before.keys() - after.keys() == {file.name for file in plan.files}
        assert plan.bytes == sum(before.values()) - sum(after.values())
        # exactly the large values of kept runs are left
        kept = {n for values, delete in runs if not delete for n in values}
        assert sum(name.startswith("objects/") for name in after) == len(kept)
        readable(store)
        again = plan_gc(store)
        assert (again.runs, again.versions, again.files) == ((), (), ())
        store.close()


def test_versions_of_no_run_go_with_their_code(store: Store) -> None:
    one, code = finished_run(store, [1], "v1")
    _, kept = finished_run(store, [2], "v2")
    store.delete_run(one.id)
    age(store)
    assert code.is_dir()
    plan = apply_gc(store, plan_gc(store))
    assert (plan.runs, plan.versions) == ((one.id,), ("v1",))
    assert not code.exists()
    assert kept.is_dir()
    assert store.version("v2").version == "v2"


def test_new_bytes_are_left_alone(store: Store) -> None:
    run, _ = finished_run(store, [1])
    store.delete_run(run.id)
    assert plan_gc(store).files == ()
    assert len(plan_gc(store, grace=-1).files) == 2


def test_an_active_run_may_have_taken_over_results(store: Store) -> None:
    old, _ = finished_run(store, [1])
    age(store)
    active = store.create_run("churn", "v1")
    (task,) = store.tasks(old.id)
    store.delete_run(old.id)
    assert plan_gc(store).runs == ()
    assert plan_gc(store).files == ()
    store.publish(active.id, [dataclasses.replace(task, status="cached")])
    store.update_run(active.id, status="succeeded")
    freed = apply_gc(store, plan_gc(store))
    assert freed.runs == (old.id,)
    assert freed.files == ()
    readable(store)


def test_runs_can_be_planned_away(store: Store) -> None:
    one, two = finished_run(store, [1])[0], finished_run(store, [2])[0]
    age(store)
    plan = plan_gc(store, without=[one.id])
    assert plan.runs == (one.id,)
    assert len(plan.files) == 2
    assert store.run(one.id).path == one.path
    active = store.create_run("churn", "v1")
    assert plan_gc(store, without=[one.id, active.id]).runs == ()
    store.update_run(active.id, status="succeeded")
    apply_gc(store, plan)
    assert [run.id for run in store.runs()] == [active.id, two.id]


def test_what_is_asked_for_after_the_plan_is_not_freed(store: Store) -> None:
    old, _ = finished_run(store, [1])
    store.delete_run(old.id)
    age(store)
    plan = plan_gc(store)
    new, _ = finished_run(store, [1])
    freed = apply_gc(store, plan)
    assert {f.name.split("/")[0] for f in plan.files} == {"objects", "packs"}
    assert {f.name.split("/")[0] for f in freed.files} == {"packs"}
    assert freed.versions == ()
    readable(store)
    assert store.run(new.id)


def test_what_waits_for_a_driver_is_reached(store: Store) -> None:
    run = store.create_run("churn", "v1")
    with store.writer("w") as writer:
        ref = writer.put(np.full(LARGE, 1), "large")
        writer.put(np.full(LARGE, 2), "large")
    store.post(
        run.id, "job", [TaskRecord("train", "", "succeeded", artifacts={"x": ref.to_json()})]
    )
    age(store)
    store.db.execute("UPDATE runs SET heartbeat = 1.0")
    freed = apply_gc(store, plan_gc(store))
    assert len(freed.files) == 1
    store.verify(ref)


def test_leftovers_of_a_killed_writer_go(store: Store) -> None:
    leftover = folder(store) / "objects" / "ab" / ".0123"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half")
    age(store)
    apply_gc(store, plan_gc(store))
    assert not leftover.exists()
