"""The forms of shown values, and the live file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nbflow.runtime.live import LiveFile, live_folder, notes, task_name
from nbflow.runtime.printed import running_task
from nbflow.runtime.show import bundle_of, figure_bundles
from nbflow.store import open_store


class Rich:
    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"application/x+json": {"a": 1}}, {"m": 1}

    def _repr_png_(self) -> bytes:
        return b"\x89PNG"

    def _repr_html_(self) -> str:
        raise ValueError("no form today")

    def __repr__(self) -> str:
        return "rich"


def test_plain_values_are_their_repr() -> None:
    assert [bundle_of(v).data["text/plain"] for v in ("a", 1.5, None)] == ["'a'", "1.5", "None"]


def test_a_form_that_fails_is_left_out() -> None:
    bundle = bundle_of(Rich())
    assert bundle.data == {
        "application/x+json": {"a": 1},
        "image/png": "iVBORw==",
        "text/plain": "rich",
    }
    assert bundle.metadata == {"m": 1}


def test_a_class_is_not_its_instance() -> None:
    assert set(bundle_of(Rich).data) == {"text/plain"}


def test_a_table_has_both_forms() -> None:
    data = bundle_of(pd.DataFrame({"a": [1]})).data
    assert data["text/html"].startswith("<div>")
    assert data["text/plain"] == "   a\n0  1"


def test_long_containers_are_wrapped_as_in_a_notebook() -> None:
    assert bundle_of(list(range(100))).data["text/plain"].startswith("[0,\n 1,\n")


@pytest.mark.parametrize(
    "value",
    [
        object(),
        [object()],
        {"a": (Rich, len)},
        Rich,
        Rich(),
        len,
        Path,
        test_plain_values_are_their_repr,
    ],
    ids=["object", "objects", "classes", "class", "rich", "builtin", "path", "function"],
)
def test_the_plain_text_is_the_one_that_a_notebook_shows(value: Any) -> None:
    from IPython.lib.pretty import pretty

    assert bundle_of(value).data["text/plain"] == pretty(value)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("ended", [True, False])
def test_figures_are_laid_out_as_in_a_notebook(ended: bool) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")

    def draw() -> Any:
        figure, axes = pyplot.subplots(layout="constrained")
        bar = figure.colorbar(axes.contourf([[0, 1], [2, 3]]))
        axes.set(title="a title", xlabel="to the right", ylabel="upwards")
        bar.ax.set_ylabel("coefficient")
        return figure

    wanted = draw()
    if ended:  # drawn before it is shown, as IPython does after a cell
        wanted.canvas.draw()
    picture = bundle_of(wanted).data["image/png"]
    pyplot.close(wanted)
    draw()
    assert [one.data["image/png"] for one in figure_bundles(ended)] == [picture]
    assert pyplot.get_fignums() == []


def test_what_a_running_task_has_printed_can_be_read(tmp_path: Path) -> None:
    import os

    store = open_store(tmp_path)
    folder = live_folder(store.root, 7)
    live = LiveFile(folder, "host")
    live.begin(task_name("a", "main", "1", 1), 5.0)
    os.write(live.fd, b"old")
    assert live.read() == b"old"
    live.begin(task_name("train", "main", "3", 2), 6.0)
    os.write(live.fd, b"new\n")
    running = running_task(store, 7, "train", "3")
    assert running is not None
    assert (running.size(), running.read(), running.read(2)) == (4, b"new\n", b"w\n")
    assert running_task(store, 7, "a", "1") is None
    ((_, note),) = notes(folder)
    assert (note.task, note.started, note.offset) == ("train\tmain\t3\t2", 6.0, 3)
    live.end()
    assert list(notes(folder)) == []
    live.close()
    assert list(folder.iterdir()) == []
    assert (running.size(), running.read()) == (0, b"")
    store.close()
