"""`%nbflow run`: the kernel goes on at once, the run goes on without the kernel."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

CELLS = [
    "%%step load\nrows = [1, 2, 3]",
    "%%step train --foreach n in rows\nimport time\ntime.sleep(0.2)\nscore = n * 1.5",
    "%%step choose\nbest = max(train.score)",
]


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    path = tmp_path / "small.ipynb"
    cells = [nbformat.v4.new_code_cell(one, id=f"c{n}") for n, one in enumerate(CELLS)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


class Kernel:
    """A kernel as a front end sees it: displays and the values of widgets by now."""

    def __init__(self, folder: Path, notebook: Path) -> None:
        import os

        from jupyter_client.manager import start_new_kernel

        env = {**os.environ, "JPY_SESSION_NAME": str(notebook)}
        self.manager, self.client = start_new_kernel(
            kernel_name="python3", cwd=str(folder), env=env
        )
        self.seen: list[Any] = []
        self.run("%load_ext nbflow")

    def run(self, code: str, **more: Any) -> dict[str, Any]:
        while True:
            reply = self.client.execute_interactive(
                code, timeout=60, output_hook=self.seen.append, **more
            )
            content: dict[str, Any] = reply["content"]
            # just after an error a kernel may still be refusing what was sent behind the cell
            if content["status"] != "aborted":
                return content

    def text(self) -> str:
        return "\n".join(str(message["content"]) for message in self.seen)

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(tmp_path: Path, notebook: Path) -> Iterator[Kernel]:
    made = Kernel(tmp_path, notebook)
    yield made
    made.stop()


def finished(folder: Path, seconds: float = 60) -> Any:
    """The run of the store in a folder, when it has ended."""
    from nbflow.config import find_store

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if (folder / ".nbflow" / "nbflow.db").exists():
            store = find_store(folder)
            runs = store.runs()
            store.close()
            # a driver that was silent for long, on a busy machine, may still go on
            if runs and runs[0].finished is not None and runs[0].status != "lost":
                return runs[0]
        time.sleep(0.2)
    raise AssertionError("no run has ended")


def test_it_returns_at_once_and_outlives_the_kernel(kernel: Kernel, tmp_path: Path) -> None:
    start = time.monotonic()
    assert kernel.run("%nbflow run --on inline")["status"] == "ok"
    assert time.monotonic() - start < 2
    assert "application/vnd.jupyter.widget-view+json" in kernel.text()
    until = time.monotonic() + 30
    while not (tmp_path / ".nbflow" / "nbflow.db").exists() and time.monotonic() < until:
        time.sleep(0.1)
    kernel.stop()
    assert finished(tmp_path).status == "succeeded"


def test_the_view_shows_steps_and_metrics(kernel: Kernel, tmp_path: Path) -> None:
    assert kernel.run("%nbflow run --on inline --wait")["status"] == "ok", kernel.text()
    text = kernel.text()
    assert "small/1" in text
    assert "3 of 3" in text
    assert "best" in text
    assert "4.5" in text
    kernel.seen.clear()
    assert kernel.run("%nbflow watch small")["status"] == "ok"
    assert kernel.run("%nbflow watch smal")["status"] == "error"
    assert kernel.run("%nbflow runs")["status"] == "ok"
    assert "small/1" in kernel.text()


def test_a_failed_run_is_shown_with_cell_and_line(
    kernel: Kernel, tmp_path: Path, notebook: Path
) -> None:
    read = nbformat.read(notebook, 4)
    read.cells[2].source += "\n1 / 0"
    nbformat.write(read, notebook)
    reply = kernel.run("%nbflow run --on inline --wait")
    assert reply["evalue"] == (
        "small/1 has failed: choose, cell 2, line 3: ZeroDivisionError: division by zero"
    )
    assert "choose, cell 2, line 3: ZeroDivisionError: division by zero" in kernel.text()


def test_a_notebook_that_does_not_compile_says_so(kernel: Kernel, notebook: Path) -> None:
    read = nbformat.read(notebook, 4)
    read.cells[0].source = "%%step load --gpus 1\nrows = []"
    nbformat.write(read, notebook)
    assert "Did you mean `--gpu`?" in kernel.run("%nbflow run --wait")["evalue"]
    assert "Did you mean `--gpu`?" in kernel.text()


def test_a_driver_that_dies_at_once_is_told_of(kernel: Kernel, tmp_path: Path) -> None:
    dying = tmp_path / "python"
    dying.write_text("#!/bin/sh\nkill -9 $$\n")
    dying.chmod(0o755)
    kernel.run(f"import sys; sys.executable = {str(dying)!r}")
    assert kernel.run("%nbflow run --wait")["evalue"] == (
        "`nbflow run` ended with status -9 and did not say why."
    )


@pytest.mark.parametrize("when", ["at once", "while it runs"])
def test_cancel(kernel: Kernel, tmp_path: Path, notebook: Path, when: str) -> None:
    read = nbformat.read(notebook, 4)
    read.cells[1].source = read.cells[1].source.replace("0.2", "1").replace("rows", "range(60)")
    nbformat.write(read, notebook)
    kernel.run("from nbflow_magics import view\nmade = []\nfollow = view.RunView.follow")
    kernel.run(
        "def noted(self, started):\n    made.append(self)\n    follow(self, started)\n"
        "view.RunView.follow = noted"
    )
    kernel.run("%nbflow run --on inline")
    if when == "while it runs":
        until = time.monotonic() + 60
        while not running(tmp_path) and time.monotonic() < until:
            time.sleep(0.1)
    reply = kernel.run("made[0].cancel()")
    assert reply["status"] == "ok", kernel.text()
    assert finished(tmp_path).status == "cancelled"


def running(folder: Path) -> bool:
    """Whether a task of the fan-out has ended."""
    from nbflow.config import find_store

    if not (folder / ".nbflow" / "nbflow.db").exists():
        return False
    store = find_store(folder)
    found = any(store.tasks(run.id, "train", "succeeded") for run in store.runs())
    store.close()
    return found
