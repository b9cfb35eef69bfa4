"""Values in few characters, whatever they are."""

from __future__ import annotations

import collections
import datetime
import json
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbflow_magics.small import small

CASES: list[tuple[Any, Any]] = [
    (3, 3),
    (0.5, 0.5),
    (True, True),
    (None, None),
    ("text", "text"),
    ("x" * 1000, "x" * 200 + "…"),
    ("\ud800", "\\ud800"),
    (float("nan"), "nan"),
    (1 + 2j, "(1+2j)"),
    (2**63 - 1, 2**63 - 1),
    (10**5000, "int of 16,610 bits"),
    ([10**5000], "[int of 16,610 bits]"),
    (np.float64(0.5), 0.5),
    (np.float64("nan"), "nan"),
    (np.array(3), 3),
    (np.array({"a": 1}, dtype=object), "{'a': 1}"),
    (np.datetime64("NaT"), "NaT"),
    (np.zeros((2, 3)), "ndarray 2 by 3"),
    (pd.DataFrame({"a": [1]}), "DataFrame 1 by 1"),
    (pd.Timestamp("2026-01-02"), "2026-01-02 00:00:00"),
    (datetime.date(2026, 1, 2), "2026-01-02"),
    (Path("a/b"), "a/b"),
    ([1, "a", None, 2.5, b"x", np.float64(1)], "[1, 'a', None, 2.5, b'x', 1.0]"),
    (
        {"frame": pd.DataFrame({"a": [1]}), "in": {"b": [1]}},
        "{'frame': DataFrame 1 by 1, 'in': {'b': [1]}}",
    ),
    (collections.Counter("aab"), "{'a': 2, 'b': 1}"),
    (list(range(100)), "list of 100"),
    (["\ud800"], "['\\ud800']"),
    (object(), "object"),
    (sqlite3, "module"),
]


@pytest.mark.parametrize("case", range(len(CASES)))
def test_small_values(case: int) -> None:
    value, told = CASES[case]
    assert small(value) == told


def test_a_value_is_not_printed_where_it_is_somebodys_own() -> None:
    class Slow:
        def __repr__(self) -> str:
            raise SystemExit

        def __getattr__(self, name: str) -> Any:
            raise SystemExit

    Slow.__module__ = "__main__"
    assert small([Slow()]) == "[Slow]"
    assert small(Slow()) == "Slow"


def test_of_a_list_that_holds_itself() -> None:
    held: list[Any] = []
    held.append(held)
    assert len(small(held)) <= 200


_PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()


@given(
    st.recursive(
        _PLAIN | st.text(st.characters(codec=None)),
        lambda inner: st.lists(inner) | st.dictionaries(_PLAIN, inner) | st.tuples(inner, inner),
    )
)
def test_whatever_it_is_json_and_a_database_can_hold_it(value: Any) -> None:
    told = small(value)
    assert len(json.dumps(told, allow_nan=False).encode()) < 2_000
    assert str(told).encode("utf-8").decode() == str(told)
