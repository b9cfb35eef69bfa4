"""The questions of viewers, against what the records say."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from nbflow.store import Store, browse
from nbflow.store.browse import SORTS, TaskQuery
from nbflow.store.records import TaskRecord


@pytest.fixture
def run(store: Store) -> int:
    """A run with nested tasks, some unstarted, some with the same times."""
    made = store.create_run("f", "v")
    records = [TaskRecord("a", "", "succeeded", part="items", count=3)]
    for at in range(24):
        times: dict[str, Any] = {} if at % 5 == 0 else {"started": 1.0 + at % 3, "finished": 9.0}
        status: Any = ("succeeded", "failed", "running")[at % 3]
        records.append(TaskRecord("ab"[at % 2], f"{at // 4}.{at}", status, **times))
    store.publish(made.id, records)
    return made.id


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("descending", [False, True])
def test_pages_are_the_whole_in_order(store: Store, run: int, sort: str, descending: bool) -> None:
    query = TaskQuery(sort=sort, descending=descending, limit=1000)
    whole = browse.task_page(store, run, query)
    assert len(whole) == browse.count_tasks(store, run, query) == 24
    paged: list[Any] = []
    query = replace(query, limit=5)
    while found := browse.task_page(store, run, query):
        paged += found
        query = replace(query, after=browse.read_place(list(found[-1][1]), sort))
    assert paged == whole
    places = [place for _, place in whole]
    assert len(set(places)) == 24
    for one, two in pairwise(places):
        assert (one[0] >= two[0]) if descending else (one[0] <= two[0])


def test_filters_of_tasks(store: Store, run: int) -> None:
    failed = TaskQuery(step="b", statuses=("failed",), limit=100)
    assert {r.status for r, _ in browse.task_page(store, run, failed)} == {"failed"}
    assert browse.count_tasks(store, run, TaskQuery(search="b/5.2")) == 2
    assert browse.count_tasks(store, run, TaskQuery(search="100%")) == 0


def test_lines_and_splits(store: Store, run: int) -> None:
    lines = browse.task_lines(store, run, "a")
    assert [line.key for line in lines[:3]] == ["0.0", "0.2", "1.4"]
    assert browse.splits(store, run) == {"a": browse.Splits(1, 3)}


def test_places_that_are_none() -> None:
    for wrong in ([], [1, 2], [None, "a", "b"], [{}, "a", "b"]):
        with pytest.raises(ValueError, match="not a place"):
            browse.read_place(wrong)
    with pytest.raises(ValueError, match="not a place"):
        browse.read_place(["text", "a", "b"], "seconds")


def test_counts_and_what_is_new(store: Store) -> None:
    runs = [store.create_run("f", "v", tags=["t"], branch="b", notebook="n") for _ in range(4)]
    store.update_run(runs[0].id, status="failed", finished=1.0)
    marks = browse.marks(store)
    store.delete_run(runs[0].id)
    assert browse.marks(store) != marks
    for asked in ({}, {"flow": "f"}, {"tag": "t"}, {"branch": "b"}, {"status": "pending"}):
        assert browse.count_runs(store, **asked) == 3
    assert browse.count_runs(store, status="failed") == 0
    assert browse.count_runs(store, flow="f", tag="t") is None
    assert [one.id for one in browse.runs_after(store, runs[1].id, 10)] == [r.id for r in runs[2:]]
    assert [one.id for one in browse.active_runs(store)] == [r.id for r in runs[1:]]
    assert [one.id for one in browse.runs_of_notebook(store, ["n", "m"], 2)] == [
        runs[3].id,
        runs[2].id,
    ]
    assert browse.notebooks_of_runs(store) == ["n"]
    assert browse.newest_id(store) == runs[3].id
    assert (browse.tags(store), browse.branches(store)) == (["t"], ["b"])


def test_the_version_of_the_data_tells_of_other_connections(store: Store) -> None:
    from threading import Thread

    before = store.db.version()
    assert store.db.version() == before
    writer = Thread(target=store.create_run, args=("f", "v"))
    writer.start()
    writer.join()
    assert store.db.version() != before
