"""Interactive runs: kept for each person up to a number, and told from no others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nbflow.store import Store
from nbflow.store.interactive import InteractiveRun, InteractiveTask

TASK = InteractiveTask(
    "train", "c1", "succeeded", 10.0, 12.5, "x = 1", {"x": 1, "rows": "list of 100"}, "hello\n"
)


def test_tasks_come_back_newest_first(store: Store) -> None:
    run = store.interactive_run("k1", "/n/churn.ipynb", "ann", "here", 9.0)
    assert store.interactive_run("k1", "/n/churn.ipynb", "ann", "here", 99.0) == run
    other = store.interactive_run("k2", "/n/other.ipynb", "bob", "there", 9.5)
    store.add_interactive(run, TASK)
    failed = replace(TASK, step="load", cell=None, status="failed", finished=20.0)
    store.add_interactive(run, failed)
    store.add_interactive(other, TASK)
    assert store.interactive_tasks(notebook="/n/churn.ipynb") == [
        replace(failed, id=2, run=run),
        replace(TASK, id=1, run=run),
    ]
    assert [one.id for one in store.interactive_tasks()] == [3, 2, 1]
    assert [one.id for one in store.interactive_tasks(step="train")] == [3, 1]
    assert [one.id for one in store.interactive_tasks(user="ann", limit=1)] == [2]
    assert [one.id for one in store.interactive_tasks(run=other)] == [3]
    assert store.interactive_task(1) == replace(TASK, id=1, run=run)
    assert store.interactive_task(7) is None
    assert store.interactive_runs() == [
        InteractiveRun(other, "/n/other.ipynb", "bob", "there", 9.5, 12.5, 1, ("train",)),
        InteractiveRun(run, "/n/churn.ipynb", "ann", "here", 9.0, 20.0, 2, ("load", "train")),
    ]
    assert store.runs() == []
    assert store.flows() == []


def test_each_person_keeps_so_many(store: Store, monkeypatch: Any) -> None:
    monkeypatch.setattr("nbflow.store.interactive.KEPT", 10)
    monkeypatch.setattr("nbflow.store.interactive._EVERY", 2)
    old = store.interactive_run("k1", "a", "ann", "here", 1.0)
    bob = store.interactive_run("k2", "a", "bob", "here", 1.0)
    new = store.interactive_run("k3", "b", "ann", "here", 1.0)
    store.add_interactive(bob, TASK)
    store.add_interactive(old, TASK)
    for _ in range(25):
        store.add_interactive(new, TASK)
    kept = [one.id for one in store.interactive_tasks(user="ann", limit=100)]
    assert kept == list(range(27, 17, -1))
    assert [one.user for one in store.interactive_runs()] == ["ann", "bob"]
    assert store.interactive_task(2) is None
