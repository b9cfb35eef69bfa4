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


def test_array(put: Any) -> None:
    np = pytest.importorskip("numpy")
    artifact = put(np.arange(1000.0).reshape(10, 100))
    assert artifact.text() == "ndarray 10 x 100 float64: 0 to 999, mean 499.5"
    assert artifact.details().endswith("head: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9")


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
