"""Large frames are Arrow files, and come back as they were, to the block."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbflow.values.codecs import decode, encode

pa = pytest.importorskip("pyarrow")
pytest.importorskip("pandas", minversion="3")

N = 60_000
random = np.random.default_rng(0)


def frame() -> pd.DataFrame:
    made = pd.DataFrame(
        {
            "a": random.random(N),
            "n": np.arange(N),
            "b": random.random(N),
            "text": ["x", None, "☃"] * (N // 3),
            "flag": np.arange(N) % 2 == 0,
            "small": np.arange(N).astype("i2"),
            "when": pd.date_range("2026", periods=N, freq="min"),
            "took": pd.to_timedelta(np.arange(N), unit="s"),
        }
    )
    made.loc[3, ["a", "when", "took"]] = None
    return made


def again(value: Any) -> tuple[str, Any]:
    encoded = encode(value, "value")
    return encoded.codec, decode(encoded.codec, memoryview(bytearray(b"".join(encoded.parts))))


SAME: dict[str, Callable[[], Any]] = {
    "mixed": frame,
    "one dtype": lambda: pd.DataFrame({f"x{i}": random.random(N) for i in range(10)}),
    "odd sizes": lambda: pd.DataFrame({f"x{i}": np.arange(N + 1).astype("i1") for i in range(9)}),
    "numbers for labels": lambda: frame().set_axis([0, 1, "0", (1, 2), None, 1, 2.5, "_"], axis=1),
    "levels of labels": lambda: frame()[["a", "b"]].set_axis(
        pd.MultiIndex.from_tuples([("x", 1), ("x", 2)], names=["u", "v"]), axis=1
    ),
    "index of numbers": lambda: frame().set_index("n"),
    "index of a sample": lambda: frame().sample(frac=0.9, random_state=1),
    "index of few labels": lambda: pd.DataFrame(random.random((500, 50)).T.copy().T).set_index(
        pd.Index([f"r{i}" for i in range(500)])
    ),
    "named columns": lambda: frame().rename_axis(columns="c", index="i"),
    "series": lambda: frame()["a"],
    "series of text": lambda: pd.Series([f"text {i}" for i in range(N)], name=("a", 1)),
    "series of times": lambda: frame()["when"],
    "column order": lambda: frame()[["when", "n", "a", "text", "b"]],
}


@pytest.mark.parametrize("make", SAME.values(), ids=SAME.keys())
def test_round_trip(make: Callable[[], Any]) -> None:
    value = make()
    codec, loaded = again(value)
    assert codec == "arrow"
    assert type(loaded) is type(value)
    if isinstance(value, pd.DataFrame):
        pd.testing.assert_frame_equal(loaded, value, check_freq=True, check_exact=True)
        assert [str(b.values.dtype) for b in loaded._mgr.blocks] == [
            str(b.values.dtype) for b in value._mgr.blocks
        ]
        assert type(loaded.columns) is type(value.columns)
    else:
        pd.testing.assert_series_equal(loaded, value, check_freq=True, check_exact=True)
    assert type(loaded.index) is type(value.index)
    assert loaded.index.dtype == value.index.dtype


@pytest.mark.parametrize("make", SAME.values(), ids=SAME.keys())
def test_what_comes_back_can_be_changed(make: Callable[[], Any]) -> None:
    """Every kind of column, in place and otherwise, with the same outcome as the original."""

    def change(value: Any) -> Any:
        if isinstance(value, pd.Series):
            value.iloc[1] = value.iloc[0]
            value.loc[value.index[2:4]] = value.iloc[0]
            return value.sort_values()
        for column in range(value.shape[1]):
            value.iloc[1, column] = value.iloc[0, column]
        new: Any = "new" if value.columns.nlevels == 1 else ("new", 0)
        value[new] = 1
        value.loc[value.index[5], new] = 2
        value = value.drop(index=value.index[7])
        return value.iloc[::-1].copy()

    value = make()
    loaded = change(again(value)[1])
    expected = change(value)
    assert loaded.equals(expected)


OTHERS: dict[str, Callable[[], Any]] = {
    "objects": lambda: frame().assign(o=pd.Series([frozenset()] * N, dtype=object)),
    "categories": lambda: frame().assign(c=pd.Categorical(["u", "v"] * (N // 2))),
    "zones": lambda: frame().assign(z=pd.date_range("2026", periods=N, tz="Europe/Helsinki")),
    "missing numbers": lambda: frame().assign(m=pd.array([1, None] * (N // 2), dtype="Int64")),
    "levels": lambda: frame().set_index(["n", "flag"]),
    "times in the index": lambda: frame().set_index("took"),
    "rows in memory": lambda: pd.DataFrame(random.random((N, 4)), copy=False),
    "small": lambda: frame().head(10),
    "nothing": lambda: frame().iloc[:0],
}


@pytest.mark.parametrize("make", OTHERS.values(), ids=OTHERS.keys())
def test_the_others_are_pickled(make: Callable[[], Any]) -> None:
    value = make()
    codec, loaded = again(value)
    assert codec == "pickle"
    pd.testing.assert_frame_equal(loaded, value, check_freq=True)


def test_attributes_are_kept() -> None:
    value = frame()
    value.attrs["source"] = "here"
    assert again(value)[1].attrs == {"source": "here"}


def test_columns_are_not_copied() -> None:
    value = pd.DataFrame({f"x{i}": random.random(N) for i in range(10)})
    (block,) = value._mgr.blocks
    encoded = encode(value, "value")
    assert (
        sum(part.nbytes for part in encoded.parts if isinstance(part, memoryview)) == value.size * 8
    )
    data = bytearray(b"".join(encoded.parts))
    loaded = decode("arrow", memoryview(data))
    assert np.shares_memory(loaded._mgr.blocks[0].values, np.frombuffer(data, np.uint8))
    assert block.values.shape == loaded._mgr.blocks[0].values.shape


def test_others_can_read_the_file(tmp_path: Path) -> None:
    value = frame()
    path = tmp_path / "frame.arrow"
    path.write_bytes(b"".join(encode(value, "value").parts))
    table = pa.ipc.open_file(path).read_all()
    assert set(table.column_names) == set(value.columns)
    assert table["n"].to_pylist() == list(range(N))
    assert table["text"].to_pylist()[:3] == ["x", None, "☃"]
