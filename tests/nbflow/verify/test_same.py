"""Deep comparison of values: what is equal, and where what is not differs first."""

from __future__ import annotations

import copy
import functools
import pickle
from collections import Counter, OrderedDict, deque
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anyvalues import VALUES
from hypothesis import given

from nbflow.verify.same import Incomparable, find_difference


class Point:
    def __init__(self, x: Any) -> None:
        self.x = x


class Slotted:
    __slots__ = ("x",)

    def __init__(self, x: Any) -> None:
        self.x = x


class Words(list[str]):
    pass


def loop() -> list[Any]:
    made: list[Any] = [1]
    made.append(made)
    return made


def closure(n: int) -> Any:
    return lambda x: x + n


@pytest.mark.parametrize(
    "make",
    [
        lambda: (None, True, 1, 2.5, float("nan"), "t", b"b", 1j),
        lambda: {"a": [1, (2, {3})], 4: frozenset({5})},
        lambda: np.array([[1.0, np.nan], [2, 3]]),
        lambda: np.array([1, "a", None], dtype=object),
        lambda: np.array(["2020-01-01", "NaT"], dtype="M8[D]"),
        lambda: np.float32(1.5),
        lambda: pd.DataFrame({"a": [1, None], "b": ["x", None], "c": pd.to_datetime(["2020", "2021"])}),
        lambda: pd.Series([1, 2], name="n", index=["a", "b"]),
        lambda: pd.Categorical(["a", "b"]),
        lambda: Point([Point(1)]),
        lambda: Slotted(2),
        lambda: Words("ab"),
        loop,
        lambda: closure(3),
        lambda: functools.partial(print, 1),
        lambda: (Counter("aab"), deque([1]), OrderedDict(a=1), date(2020, 1, 1), range(3)),
        lambda: np.random.RandomState(3),
        lambda: np.random.default_rng(3),
        lambda: Point(1).__init__,
    ],
)  # fmt: skip
def test_equal(make: Any) -> None:
    assert find_difference(make(), make(), "v") is None


@pytest.mark.parametrize(
    ("a", "b", "place"),
    [
        (1, 1.0, "v"),
        (1, True, "v"),
        ([1], (1,), "v"),
        ([1, [2, 3]], [1, [2, 4]], "v[1][1]"),
        ({"a": 1}, {"a": 2}, "v['a']"),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, "list(v)"),
        ([1], [1, 2], "len(v)"),
        (np.zeros(3), np.zeros(4), "v"),
        (np.zeros((2, 2)), np.eye(2), "v[0, 0]"),
        (np.zeros(2), np.zeros(2, dtype=int), "v"),
        (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1, 3]}), "v['a'][1]"),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]}), "v.columns[0]"),
        (pd.Series([1]), pd.Series([1.0]), "v.dtype"),
        (pd.Series([1], index=[0]), pd.Series([1], index=[1]), "v.index[0]"),
        (Point(1), Point(2), "v.x"),
        (Slotted(1), Slotted(2), "v.x"),
        (closure(1), closure(2), "v: its n"),
        (Words("ab"), Words("ac"), "v[1]"),
        (np.random.RandomState(3), np.random.RandomState(4), "v"),
        ({1, 2}, {1, 3}, "an element of v"),
        (Counter("aab"), Counter("aaab"), "v['a']"),
        (len, abs, "v"),
    ],
)
def test_different(a: Any, b: Any, place: str) -> None:
    found = find_difference(a, b, "v")
    assert found is not None
    assert found.place.startswith(place)


class Holder:
    def __init__(self, kept: dict[str, int]) -> None:
        self._cache = kept

    @cached_property
    def total(self) -> int:
        return sum(self._cache.values())


def test_what_a_library_makes_when_asked() -> None:
    assert find_difference(Point(None), Point({}), "v") is None
    assert find_difference(Slotted([]), Slotted(None), "v") is None
    filled, empty = Holder({"a": 1}), Holder({})
    vars(filled)["total"] = 3
    assert find_difference(filled, empty, "v") is None
    found = find_difference(filled, empty, "v", (Holder.__module__,))
    assert found is not None
    assert found.place == "the attributes of v"
    found = find_difference(Point(None), Point({}), "v", (Point.__module__,))
    assert found is not None
    assert found.place == "v.x"


def test_sums_in_another_order_are_equal() -> None:
    assert find_difference(0.1 + 0.2, 0.3, "v") is None
    assert find_difference(np.array([0.1 + 0.2]), np.array([0.3]), "v") is None
    assert find_difference(0.3, 0.3000001, "v") is not None


def test_models_of_scikit_learn() -> None:
    ensemble = pytest.importorskip("sklearn.ensemble")
    x, y = np.arange(20.0).reshape(10, 2), [0, 1] * 5
    one, same, other = (
        ensemble.RandomForestClassifier(n_estimators=3, random_state=seed).fit(x, y)
        for seed in (0, 0, 1)
    )
    assert find_difference(one, same, "model") is None
    assert find_difference(one, copy.deepcopy(one), "model") is None
    assert find_difference(one, other, "model") is not None


def test_classes_of_the_notebook_and_of_its_package_are_one() -> None:
    here, there = (type("P", (), {"__module__": m}) for m in ("__main__", "churn.common"))
    assert find_difference(here(), there(), "v", ("churn",)) is None
    assert find_difference(here(), there(), "v") is not None


def test_objects_that_fail_when_they_are_compared() -> None:
    class Odd(dict[str, int]):
        def __len__(self) -> int:
            raise RuntimeError("not now")

    with pytest.raises(Incomparable, match=r"v: RuntimeError: not now"):
        find_difference(Odd(), Odd(), "v")


@given(VALUES)
def test_a_value_read_again_is_equal(value: Any) -> None:
    assert find_difference(value, pickle.loads(pickle.dumps(value)), "v") is None
