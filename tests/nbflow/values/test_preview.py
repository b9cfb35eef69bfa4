"""Previews: enough to show a value, in bounded time, whatever the value does."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbflow.values.preview import preview


def shown(value: Any) -> dict[str, Any]:
    images: list[bytes] = []

    def put_image(data: bytes) -> dict[str, Any]:
        images.append(data)
        return {"at": f"image {len(images)}"}

    made = preview(value, put_image)
    assert made is not None
    assert all(image.startswith(b"\x89PNG") for image in images)
    return json.loads(json.dumps(made, allow_nan=False))  # type: ignore[no-any-return]


def test_an_array() -> None:
    assert shown(np.array([[1.0, np.nan], [3.0, np.inf]])) == {
        "kind": "array",
        "shape": [2, 2],
        "dtype": "float64",
        "head": [1.0, "nan", 3.0, "inf"],
        "stats": {"min": 1.0, "max": 3.0, "mean": 2.0, "std": 1.0, "missing": 1},
    }
    assert "stats" not in shown(np.array(["a"]))
    assert shown(np.zeros((0, 3)))["head"] == []


def test_what_is_masked_is_no_value() -> None:
    made = shown(np.ma.masked_array([1, 2, 6], [True, False, False]))
    assert made["head"] == ["--", 2, 6]
    assert made["stats"] == {"min": 2, "max": 6, "mean": 4.0, "std": 2.0, "missing": 1}
    made = shown(np.ma.masked_array([1.0, np.nan], [True, False]))
    assert (made["head"], made["stats"]) == (["--", "nan"], {"missing": 2})


def test_a_frame() -> None:
    frame = pd.DataFrame({"a": [1.0, None, 3.0], "b": ["x" * 100, None, "z"], 3: [True] * 3})
    made = shown(frame)
    assert made["shape"] == [3, 3]
    assert [name for name, _ in made["columns"]] == ["a", "b", "3"]
    assert made["index"] == [0, 1, 2]
    assert made["rows"][0] == [1.0, "x" * 59 + "…", True]
    assert made["rows"][1][0] == "nan"
    assert made["stats"]["a"] == {
        "dtype": "float64",
        "min": 1.0,
        "max": 3.0,
        "mean": 2.0,
        "std": 1.0,
        "missing": 1,
    }
    assert made["stats"]["b"] == {"dtype": "str", "missing": 1, "distinct": 2}
    assert shown(frame["a"])["kind"] == "series"


def test_columns_of_one_name_and_levels() -> None:
    frame = pd.DataFrame(np.eye(3), columns=["a", "a", "b"])
    assert len(shown(frame)["rows"][0]) == 3
    levels = frame.set_axis(pd.MultiIndex.from_tuples([("x", 1), ("x", 2), ("y", 1)]), axis=1)
    assert shown(levels)["columns"][0][0] == "('x', 1)"


@dataclass
class Holder:
    items: list[int] = field(default_factory=lambda: list(range(1_000_000)))


class Rude:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "value",
    [
        np.zeros((3000, 3000)),
        pd.DataFrame(np.zeros((100_000, 200))),
        list(range(1_000_000)),
        Holder(),
        dict.fromkeys(range(1000), "x" * 1000),
    ],
    ids=lambda value: type(value).__name__,
)
def test_it_is_short_and_quick(value: Any) -> None:
    began = time.process_time()
    assert len(json.dumps(shown(value))) < 20_000
    assert time.process_time() - began < 1.0


def test_a_value_that_cannot_show_itself_is_no_error() -> None:
    made = preview(Rude(), lambda data: {})
    assert made is None or made["kind"] == "object"


def test_figures_and_pictures_are_images() -> None:
    figures = pytest.importorskip("matplotlib.figure")
    figure = figures.Figure()
    figure.subplots().plot([1, 2])
    assert shown(figure)["image"] == {"at": "image 1"}
    pictures = pytest.importorskip("PIL.Image")
    assert shown(pictures.new("RGB", (2000, 1000)))["kind"] == "image"
