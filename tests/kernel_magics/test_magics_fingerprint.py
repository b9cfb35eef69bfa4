"""Fingerprints: equal for a value that stays as it is, another one after a change in place."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from nbflow_magics.fingerprint import differ, fingerprint
from nbflow_magics.inplace import Change, InPlace

from nbflow.runtime.unchanged import changed


def taken(value: Any) -> tuple[int, ...] | None:
    return fingerprint(value, time.thread_time() + 60)


class Box:
    def __init__(self) -> None:
        self.held = [1]


Box.__module__ = "__main__"


def frame() -> pd.DataFrame:
    return pd.DataFrame({"a": range(1000), "t": ["x"] * 1000, "f": [0.5, float("nan")] * 500})


def mixed() -> pd.DataFrame:
    """A frame with a column of each kind that pandas keeps in its own way."""
    days = pd.date_range("2026", periods=100, tz="Europe/Helsinki")
    return pd.DataFrame(
        {
            "number": range(100),
            "text": ["x"] * 100,
            "kind": pd.Categorical(["a", "b"] * 50),
            "none": pd.Categorical([None] * 100),
            "day": days,
            "month": pd.period_range("2026", periods=100, freq="M"),
            "whole": pd.array([1, None] * 50, dtype="Int64"),
            "span": pd.interval_range(0, 100),
            "sparse": pd.arrays.SparseArray([0, 1] * 50),
        }
    )


def renamed(value: pd.DataFrame) -> None:
    value["kind"] = value["kind"].cat.rename_categories(["c", "d"])


CASES: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "list": (lambda: [3, 1, [2]], lambda v: v.sort(key=str)),
    "list, deep": (lambda: [{"a": [1]}], lambda v: v[0]["a"].append(2)),
    "long list": (lambda: list(range(10**5)), lambda v: v.append(1)),
    "dict": (lambda: {"a": 1}, lambda v: v.update(a=2)),
    "set": (lambda: {1, 2}, lambda v: v.add(3)),
    "bytearray": (lambda: bytearray(10**6), lambda v: v.append(1)),
    "array": (lambda: np.arange(10.0), lambda v: v.put(3, 7)),
    "one element of many": (lambda: np.zeros(10**5), lambda v: v.put(77777, 7)),
    "sorted": (lambda: np.arange(10**5)[::-1].copy(), lambda v: v.sort()),
    "rows of an array": (lambda: np.zeros((300, 300)).T, lambda v: v.__setitem__((7, 7), 1)),
    "objects": (lambda: np.array(["a", None, "b"], dtype=object), lambda v: v.put(0, "c")),
    "times": (
        lambda: np.array(["2020-01-01"] * 10**5, dtype="M8[s]"),
        lambda v: v.put(5, np.datetime64("2021-01-01")),
    ),
    "frame": (frame, lambda v: v.iloc.__setitem__((5, 0), 7)),
    "frame's texts": (frame, lambda v: v.__setitem__("t", "y")),
    "frame's columns": (frame, lambda v: v.insert(0, "new", 1)),
    "frame's rows": (frame, lambda v: v.__setattr__("index", range(1, 1001))),
    "frame's categories": (mixed, renamed),
    "frame's days": (mixed, lambda v: v.__setitem__("day", v["day"] + pd.Timedelta("1h"))),
    "frame's months": (mixed, lambda v: v.__setitem__("month", v["month"] + 1)),
    "frame's missing numbers": (mixed, lambda v: v.__setitem__("whole", v["whole"].fillna(0))),
    "frame's spans": (mixed, lambda v: v.__setitem__("span", pd.interval_range(1, 101))),
    "frame's last column": (mixed, lambda v: v.__setitem__("sparse", 1 - v["sparse"])),
    "wide frame": (
        lambda: pd.DataFrame(np.zeros((5, 100))),
        lambda v: v.iloc.__setitem__((2, 99), 1),
    ),
    "series": (lambda: frame()["a"], lambda v: v.__setitem__(3, 9)),
    "an own class": (Box, lambda v: v.held.append(2)),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_another_one_after_a_change(case: str) -> None:
    make, change = CASES[case]
    value = make()
    before, held = taken(value), copy.deepcopy(value)
    assert before is not None
    assert taken(value) == before
    assert taken(held) == before
    change(value)
    assert taken(value) != before
    # what a run finds with the value in hand; of an own class it is in doubt
    assert changed(value, held) is not False


@pytest.mark.parametrize("value", [1, "text", (1,), None, open, (n for n in "a")])
def test_of_what_cannot_change_or_be_read_there_is_none_or_one(value: Any) -> None:
    assert taken(value) == taken(value)


def test_no_more_time_than_given() -> None:
    assert fingerprint(list(range(10)), time.thread_time() - 1) is None


def test_of_a_frame_that_takes_too_long_the_first_columns_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter(range(100))
    monkeypatch.setattr(time, "thread_time", lambda: next(clock))
    value = pd.DataFrame({"a": [1], "b": [2], "c": [3]})
    few = fingerprint(value, 2)
    value["c"] = 4
    every = fingerprint(value, 99)
    value["a"] = 4
    other = fingerprint(value, 99)
    assert few is not None
    assert every is not None
    assert other is not None
    assert 1 < len(few) < len(every)
    assert not differ(few, every), "it was not looked at"
    assert differ(few, other)


def test_a_list_that_holds_itself() -> None:
    rows: list[Any] = [1]
    rows.append(rows)
    assert taken(rows) is not None


def test_the_other_name_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbflow_magics.inplace._SECONDS", 60.0)
    rows = np.zeros(10)
    table = pd.DataFrame({"a": range(3)})
    names = {"rows": rows, "part": rows[2:], "held": {"t": table}, "table": table, "x": [1]}
    look = InPlace(names)
    assert look.before(dict.fromkeys(["rows", "table", "x"], 1)) == []
    names["part"][0] = 1
    table.loc[0, "a"] = 9
    assert look.after(["x", "part", "held"], []) == [
        Change("rows", "part"),
        Change("table", "held"),
    ]
    names["x"].append(1)
    assert look.before(dict.fromkeys(["rows", "table", "x"], 1)) == ["x"]
    names["x"].append(1)
    assert look.after([], ["x"]) == [], "what the cell has bound anew is its own"
