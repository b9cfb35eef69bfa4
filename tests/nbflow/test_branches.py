"""Branches: lazy, shared identity, and what a failed branch says."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any

import pytest

from nbflow.branches import Branch, Branches, BranchSource, TaskError


class Counting:
    """A loader that tells what it loaded; `pair_*` values come together."""

    def __init__(self) -> None:
        self.loaded: list[str] = []

    def load(self, values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        names = [n for n in values if n.startswith("pair_")] if name.startswith("pair_") else [name]
        self.loaded += names
        return {n: list(values[n]) if isinstance(values[n], list) else values[n] for n in names}

    def small(self, values: Any, name: str) -> bool:
        return isinstance(values[name], int)


def sources(loader: Any, count: int = 3, **more: Any) -> list[BranchSource]:
    return [
        BranchSource("train", (i,), f"item{i}", {"score": i * 10, "rows": [i]} | more, loader)
        for i in range(count)
    ]


def failed() -> BranchSource:
    error = {"type": "ValueError", "message": "no rows", "cell": 3, "line": 2}
    return BranchSource("train", (3,), "item3", {}, error=error)


def test_loads_only_what_is_touched() -> None:
    loader = Counting()
    train = Branches("train", sources(loader))
    assert len(train) == 3
    assert loader.loaded == []
    assert train[1].score == 10
    assert train[1].score == 10
    assert loader.loaded == ["score"]


def test_is_a_sequence() -> None:
    train = Branches("train", sources(Counting()))
    assert train[0] is train[0]
    assert train[-1] is train[2]
    assert [b.item for b in train] == ["item0", "item1", "item2"]
    assert train[1:][0] == train[1]
    assert [b.key for b in reversed(train)] == [(2,), (1,), (0,)]
    assert train[1] in train
    assert train.index(train[2]) == 2
    with pytest.raises(IndexError):
        train[3]


def test_an_attribute_is_the_list_of_all() -> None:
    train = Branches("train", sources(Counting()))
    assert train.score == [0, 10, 20]
    assert max(train, key=lambda branch: branch.score).item == "item2"
    assert Branches("train", []).score == []


def test_a_change_in_place_stays() -> None:
    train = Branches("train", sources(Counting()))
    train[0].rows.append(7)
    assert train[0].rows == [0, 7]


def test_values_stored_together_load_together() -> None:
    loader = Counting()
    train = Branches("train", sources(loader, pair_a=1, pair_b=2))
    assert (train[0].pair_a, train[0].pair_b) == (1, 2)
    assert loader.loaded == ["pair_a", "pair_b"]


def test_the_steps_own_names_win() -> None:
    own = {"item": 5, "error": 0.1, "key": "k", "count": 2}
    train = Branches("train", [BranchSource("train", (i,), i, own) for i in range(3)])
    assert (train[0].item, train[0].error, train[0].key) == (5, 0.1, "k")
    assert train.count == [2, 2, 2]


def test_failed_branch() -> None:
    train = Branches("train", [*sources(Counting()), failed()])
    assert [b.error is None for b in train] == [True, True, True, False]
    assert repr(train[3].error) == "ValueError('no rows')"
    assert str(train[3].error) == "no rows"
    with pytest.raises(AttributeError, match=r"\[b.score for b in train if b.error is None\]"):
        _ = train.score


def test_unknown_name_lists_what_there_is() -> None:
    train = Branches("train", sources(Counting()))
    with pytest.raises(AttributeError, match="it has score, rows"):
        _ = train[0].scores


def test_parents() -> None:
    outer = BranchSource("grow", (1,), "b", {"value": 4})
    inner = BranchSource("check", (1, 0), "c", {"good": True}, parent=outer)
    assert Branch(inner).parent.value == 4
    assert Branch(outer).parent is None


def test_table() -> None:
    frame = Branches("train", [*sources(Counting()), failed()]).table()
    assert list(frame.columns) == ["item", "score", "error"]
    assert list(frame.index) == ["0", "1", "2", "3"]
    assert frame["score"].tolist()[:3] == [0, 10, 20]


def test_display_escapes() -> None:
    source = BranchSource("train", (0,), "<script>", {"score": 1})
    shown = Branches("train", [source])._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_travel() -> None:
    train = Branches("train", [BranchSource("train", (0,), "a", {"rows": [1]}), failed()])
    train[0].rows.append(2)
    train[0].rank = 1
    best, again = pickle.loads(pickle.dumps((train[0], train)))
    assert best is again[0]
    assert (best.rows, best.rank, best.item) == ([1, 2], 1, "a")
    assert again[1].error.message == "no rows"


def test_task_error_travels() -> None:
    error = TaskError("ValueError", "no", "train", "3", 4, 5, "…")
    assert vars(pickle.loads(pickle.dumps(error))) == vars(error)
