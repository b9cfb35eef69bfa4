"""Previews: a value told from its record alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nbflow.client.artifact import Artifact
from nbflow.store import Store, open_store


@pytest.fixture
def put(tmp_path: Path) -> Any:
    """Stores a value and returns its artifact, which must not be loaded."""
    store: Store = open_store(tmp_path)

    def never() -> None:
        raise AssertionError("loaded")

    def make(value: object) -> Artifact:
        with_writer = store.writer("t")
        ref = with_writer.put(value, "value")
        with_writer.close()
        return Artifact("churn/1/load/value", ref, store, never)

    yield make
    store.close()


def test_frame(put: Any) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": range(100), "<b>": ["x"] * 100})
    artifact = put(frame)
    assert artifact.text() == "DataFrame 100 x 2: a, <b>"
    assert "min  mean  max  std      missing  distinct" in artifact.details()
    assert "<b></th>" not in artifact._repr_html_()
    assert "&lt;b&gt;" in artifact._repr_html_()


def test_text_that_no_front_end_can_be_sent(put: Any) -> None:
    pd = pytest.importorskip("pandas")
    artifact = put(pd.DataFrame({"a": ["\ud800"]}, dtype=object))
    assert "\\ud800" in artifact._repr_html_().encode().decode()


def test_array(put: Any) -> None:
    np = pytest.importorskip("numpy")
    artifact = put(np.arange(1000.0).reshape(10, 100))
    assert artifact.text() == "ndarray 10 x 100 float64: 0 to 999, mean 499.5"
    assert artifact.details().endswith("head: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ("[nan, inf, -inf]", "ndarray 3 float64"),
        ("[nan, 1.0, inf]", "ndarray 3 float64: 1 to 1, mean 1"),
        ("[1.7e308, 1.7e308]", "ndarray 2 float64: 1.7e+308 to 1.7e+308"),
        ("zeros((0, 3))", "ndarray 0 x 3 float64"),
        ("array(2.5)", "ndarray  float64: 2.5 to 2.5, mean 2.5"),
        ("[1j, 2]", "ndarray 2 complex128"),
        ("[True, False]", "ndarray 2 bool: false to true, mean 0.5"),
        ("array(['2026-11-21', 'NaT'], 'datetime64[D]')", "ndarray 2 datetime64[D]"),
    ],
)
def test_arrays_of_all_kinds(put: Any, values: str, told: str) -> None:
    np = pytest.importorskip("numpy")
    artifact = put(np.asarray(eval(values, dict(vars(np)))))
    assert artifact.text() == told
    assert artifact.details()
    assert artifact._repr_html_()


def test_container_and_plain(put: Any) -> None:
    assert put(list(range(5000))).text().startswith("list of 5,000: [0, 1, 2, 3, ")
    assert put({"a": (1, 2)}).text() == "{'a': (1, 2)}"
    assert "<pre>" in put("<script>")._repr_html_()
    assert "<script>" not in put("<script>")._repr_html_()


def test_figure(put: Any) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot([1, 2])
    artifact = put(figure)
    assert artifact.image().startswith(b"\x89PNG")
    assert '<img alt="&lt;Figure' in artifact._repr_html_()
