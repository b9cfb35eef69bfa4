"""What counts as a change in place of an input."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anyvalues import VALUES as ANY
from hypothesis import given

from nbflow.runtime.unchanged import changed


class Config:
    def __init__(self) -> None:
        self.alpha = 1


class Slotted:
    __slots__ = ("n",)

    def __init__(self) -> None:
        self.n = 1

    def up(self) -> None:
        self.n += 1


class LowerKeys(dict[str, int]):
    __eq__ = object.__eq__
    __hash__ = object.__hash__


VALUES: list[tuple[Any, Callable[[Any], object]]] = [
    ([1, [2]], lambda v: v[1].append(3)),
    ({"a": {"b": 1}}, lambda v: v["a"].update(b=2)),
    ({1, 2}, lambda v: v.add(3)),
    (np.arange(5.0), lambda v: v.__setitem__(2, np.nan)),
    (np.array([[1], "x"], dtype=object), lambda v: v[0].append(2)),
    (pd.DataFrame({"a": [1, 2]}), lambda v: v.__setitem__("b", 1)),
    (pd.DataFrame({"a": [1, 2]}), lambda v: v.insert(0, "z", 0)),
    (pd.Series([1.0, np.nan]), lambda v: v.__setitem__(0, 2.0)),
    (bytearray(b"ab"), lambda v: v.extend(b"c")),
]


@pytest.mark.parametrize(("value", "change"), VALUES, ids=lambda v: type(v).__name__)
def test_a_change_is_seen_and_its_absence_too(value: Any, change: Callable[[Any], object]) -> None:
    now = copy.deepcopy(value)
    assert changed(now, value) is False
    change(now)
    assert changed(now, value) is True


def test_not_a_number_is_itself() -> None:
    assert changed([float("nan")], [float("nan")]) is False


def test_values_that_hold_themselves() -> None:
    one: list[Any] = [1]
    one.append(one)
    assert changed(copy.deepcopy(one), one) is False


def test_objects_of_other_classes_are_left_to_their_authors() -> None:
    before, now = Config(), Config()
    assert changed(now, before) is False
    now.alpha = 2
    assert changed(now, before) is None


@pytest.mark.parametrize(
    ("value", "change"),
    [
        (io.StringIO("a\nb"), lambda v: v.readline()),
        (np.random.default_rng(0), lambda v: v.random()),
        (iter([1, 2]), lambda v: next(v)),
        (Slotted(), lambda v: v.up()),
        (LowerKeys(a=1), lambda v: v.update(b=2)),
    ],
    ids=lambda v: type(v).__name__,
)
def test_state_outside_of_attributes_counts(value: Any, change: Callable[[Any], object]) -> None:
    now = copy.deepcopy(value)
    assert changed(now, value) is False
    change(now)
    assert changed(now, value) is None


class Cached:
    def __init__(self) -> None:
        self.n = 1
        self._cache: dict[str, int] = {}

    @cached_property
    def twice(self) -> int:
        self._cache["twice"] = 2 * self.n
        return 2 * self.n


def counter(start: int) -> Callable[[], int]:
    def up() -> int:
        nonlocal start
        start += 1
        return start

    return up


def test_keys_and_elements_that_are_equal_only_to_themselves() -> None:
    table = {Config(): [1]}
    now = copy.deepcopy(table)
    assert changed(now, table) is False
    next(iter(now.values())).append(2)
    assert changed(now, table) is True
    now = copy.deepcopy(table)
    next(iter(now)).alpha = 2
    assert changed(now, table) is None
    frame = pd.DataFrame({"n": [1], "model": [Config()]})
    now = copy.deepcopy(frame)
    now["model"] = [Config()]
    assert changed(now, frame) is False
    now["n"] = 2
    assert changed(now, frame) is True
    assert changed({Config()}, {Config()}) is None
    assert changed({Config()}, {Config(), Config()}) is True
    assert changed({"a": 1, "b": 2}, {"b": 2, "a": 1}) is True


def test_a_librarys_caches_are_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    before, now = Cached(), Cached()
    assert now.twice == 2
    assert changed(now, before) is False
    monkeypatch.setattr(Cached, "__module__", "__main__")  # the notebook's own
    assert changed(now, before) is None


def test_functions_differ_in_what_they_hold() -> None:
    before, now = counter(1), counter(1)
    assert changed(now, before) is False
    now()
    assert changed(now, before) is None


def test_of_large_arrays_a_sample_is_compared() -> None:
    before = np.zeros(5_000_000)
    now = before.copy()
    assert changed(now, before) is False
    now += 1
    assert changed(now, before) is True


def test_objects_that_fail_when_they_are_compared_leave_it_in_doubt() -> None:
    class Odd:
        def __eq__(self, other: object) -> bool:
            raise RuntimeError("not now")

        def __reduce_ex__(self, protocol: Any) -> Any:
            raise RuntimeError("not now")

        __hash__ = object.__hash__

    for one, other in [
        (Odd(), Odd()),
        ([Odd()], [Odd()]),
        (pd.DataFrame({"a": [Odd()]}), pd.DataFrame({"a": [Odd()]})),
        (np.array([Odd()]), np.array([Odd()])),
    ]:
        assert changed(one, other) is None


def test_elements_of_a_frozen_set_that_are_equal_only_to_themselves() -> None:
    assert changed([frozenset({Config()})], [frozenset({Config()})]) is None
    assert changed([{float("nan")}], [{float("nan")}]) is None


@given(ANY)
def test_a_value_read_again_is_not_changed(value: Any) -> None:
    assert changed(pickle.loads(pickle.dumps(value)), value) is not True
