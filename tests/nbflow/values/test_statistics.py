"""Statistics: right where all is looked at, close where a sample is, whatever the columns hold."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as some

from nbflow.values.statistics import COLUMNS, array_statistics, frame_statistics

FLOATS = some.arrays(
    np.float64,
    some.array_shapes(min_dims=0, max_dims=3, max_side=6),
    elements=st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf]),
)


@given(FLOATS, st.booleans())
def test_of_an_array_all_is_looked_at(array: Any, turned: bool) -> None:
    made = array_statistics(array.T[..., ::2] if turned and array.ndim else array)
    json.dumps(made, allow_nan=False)
    held = (array.T[..., ::2] if turned and array.ndim else array).ravel()
    finite = held[np.isfinite(held)]
    assert "sampled" not in made
    assert made.get("missing", 0) == np.isnan(held).sum()
    if finite.size:
        assert made["min"] == finite.min()
        assert made["max"] == finite.max()
        assert made["mean"] == pytest.approx(finite.mean(), rel=1e-6, abs=1e-6)
        assert made["std"] == pytest.approx(finite.std(), rel=1e-6, abs=1e-6)


def test_large_arrays_are_sampled() -> None:
    random = np.random.default_rng(0)
    array = random.normal(5, 2, (1000, 1000))
    array[random.random(array.shape) < 0.1] = np.nan
    made = array_statistics(array)
    assert made["sampled"] == 50_000
    assert made["missing"] / made["sampled"] == pytest.approx(0.1, abs=0.01)
    assert made["mean"] == pytest.approx(5, abs=0.1)
    assert made["std"] == pytest.approx(2, abs=0.1)


def test_columns_of_every_kind() -> None:
    frame = pd.DataFrame(
        {
            "whole": [1, 2, 2],
            "part": [1.0, None, math.inf],
            "truth": [True, False, True],
            "text": ["a", None, "a"],
            "time": pd.to_datetime(["2024-01-01", None, "2024-01-02"]),
            "kind": pd.Categorical(["x", "y", "x"]),
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "lists": [[1], [2], None],
            "nothing": [math.nan] * 3,
        }
    )
    assert frame_statistics(frame) == {
        "whole": {
            "dtype": "int64", "min": 1, "max": 2, "mean": 1.66666667, "std": 0.471404521,
            "missing": 0, "distinct": 2,
        },
        "part": {
            "dtype": "float64", "min": 1.0, "max": 1.0, "mean": 1.0, "std": 0.0, "missing": 1,
        },
        "truth": {
            "dtype": "bool", "min": False, "max": True, "mean": 0.666666667, "std": 0.471404521,
            "missing": 0, "distinct": 2,
        },
        "text": {"dtype": "str", "missing": 1, "distinct": 1},
        "time": {"dtype": str(frame.time.dtype), "missing": 1, "distinct": 2},
        "kind": {"dtype": "category", "missing": 0, "distinct": 2},
        "nullable": {
            "dtype": "Int64", "min": 1.0, "max": 3.0, "mean": 2.0, "std": 1.0,
            "missing": 1, "distinct": 2,
        },
        "lists": {"dtype": "object", "missing": 1},
        "nothing": {"dtype": "float64", "missing": 3},
    }  # fmt: skip


def test_wide_long_and_empty_frames() -> None:
    wide = frame_statistics(pd.DataFrame(np.ones((40_000, 200))))
    assert len(wide) == COLUMNS
    assert wide["0"]["sampled"] == 20_000
    assert "distinct" not in wide["0"]
    twice = pd.DataFrame(np.eye(2), columns=["a", "a"])
    assert list(frame_statistics(twice)) == ["a"]
    empty = frame_statistics(pd.DataFrame({"a": np.zeros(0)}))
    assert empty == {"a": {"dtype": "float64", "missing": 0}}
    assert frame_statistics(pd.DataFrame()) == {}
