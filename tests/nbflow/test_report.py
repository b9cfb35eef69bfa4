"""`nbflow report` and `nbflow checkout`: a run's notebook, with its results and as it was."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from nbflow.cli.group import call
from nbflow.runtime.request import RunRequest
from nbflow.runtime.run import run_flow

CELLS = [
    ("import os, random", []),
    ("%%parameters\nalpha = 0.5", []),
    ("drawn = random.SystemRandom().random()\nprint(drawn)", ["step:load"]),
    ("%%step train --foreach n in range(3)\nscore = n + alpha", []),
    ("max(train.score), train.table().shape", []),
]


def write(path: Path, cells: list[tuple[str, list[str]]]) -> Path:
    """A notebook file of code cells with tags."""
    made = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"c{n}",
            "metadata": {"tags": tags},
            "outputs": [],
            "source": source,
        }
        for n, (source, tags) in enumerate(cells)
    ]
    path.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: Any) -> Path:
    path = write(tmp_path / "small.ipynb", CELLS)
    run = run_flow(RunRequest(path, params={"alpha": 0.25}, on="inline"))
    assert run.status == "succeeded"
    for name in [one for one in sys.modules if one.partition(".")[0] == "small"]:
        del sys.modules[name]
    monkeypatch.chdir(tmp_path)
    return path


def texts(file: Path) -> list[str]:
    """What each cell of an executed notebook shows."""
    cells = json.loads(file.read_text())["cells"]
    return [
        "".join(
            "".join(o.get("text", [])) + "".join(o.get("data", {}).get("text/plain", []))
            for o in cell.get("outputs", [])
        )
        for cell in cells
    ]


def test_a_report_has_the_results_of_the_run(notebook: Path, capfd: Any) -> None:
    from nbflow.client.run import Run

    capfd.readouterr()
    assert call(["report", "small/1"]) == 0
    # the kernel writes to the terminal by itself
    folder = notebook.parent / ".nbflow" / "reports"
    assert capfd.readouterr() == (f"{folder}/small-1.ipynb\n{folder}/small-1.html\n", "")
    file = folder / "small-1.ipynb"
    shown = texts(file)
    assert shown[3] == f"{Run('small/1').drawn}\n", "loaded, not drawn again"
    assert shown[5] == "(2.25, (3, 3))", "the analysis is run"
    assert "<html" in file.with_suffix(".html").read_text()


def test_a_report_goes_with_its_run(notebook: Path, capsys: Any) -> None:
    assert run_flow(RunRequest(notebook, on="inline")).status == "succeeded"
    folder = notebook.parent / ".nbflow" / "reports"
    folder.mkdir()
    for name in ("small-1.ipynb", "small-1.html", "small-2.html", "other-1.html"):
        (folder / name).write_text("x" * 10)
    assert call(["gc", "--keep-last", "1", "--dry-run", "--json"]) == 0
    foreseen = json.loads(capsys.readouterr().out)
    assert (foreseen["runs"], foreseen["files"]) == (["small/1"], 2)
    assert call(["gc", "--keep-last", "1", "--json"]) == 0
    freed = json.loads(capsys.readouterr().out)
    assert freed == {**foreseen, "dry_run": False}
    assert sorted(one.name for one in folder.iterdir()) == ["other-1.html", "small-2.html"]


def test_a_folder_with_a_blank(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    home = tmp_path / "my notebooks"
    home.mkdir()
    path = write(home / "small.ipynb", CELLS)
    assert run_flow(RunRequest(path, on="inline")).status == "succeeded"
    monkeypatch.chdir(home)
    assert call(["report", "small/1"]) == 0


def test_half_a_report_is_kept(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    path = write(tmp_path / "half.ipynb", [*CELLS, ("1 / 0", []), ("'never'", [])])
    assert run_flow(RunRequest(path, on="inline")).status == "succeeded"
    monkeypatch.chdir(tmp_path)
    assert call(["report", "half", "-o", "out"]) == 1
    assert capsys.readouterr().err == (
        f"The report stops at cell {len(CELLS)}, which failed: ZeroDivisionError: division by zero\n"
    )
    shown = "".join(texts(tmp_path / "out" / "half-1.ipynb"))
    assert "(2.5, (3, 3))" in shown
    assert "never" not in shown


def test_the_report_of_a_failed_run_ends_where_that_did(
    tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    steps: list[tuple[str, list[str]]] = [
        ("%%step a\n1 / 0", []),
        ("%%step b --after a\nx = 1", []),
    ]
    path = write(tmp_path / "half.ipynb", [*CELLS, *steps])
    assert run_flow(RunRequest(path, on="inline")).status == "failed"
    monkeypatch.chdir(tmp_path)
    assert call(["report", "half", "-o", "out"]) == 1
    assert capsys.readouterr().err == (
        f"The report stops at cell {len(CELLS)}, which failed: error[NBF407]: `a` did not finish in half/1. "
        "%nbflow load half/1/a gives what it had to work with.\n"
    )
    assert "(2.5, (3, 3))" in "".join(texts(tmp_path / "out" / "half-1.ipynb"))


def test_checkout_writes_the_notebook_as_it_was(notebook: Path, capsys: Any) -> None:
    before = notebook.read_bytes()
    write(notebook, CELLS[:3])
    assert call(["checkout", "small/1"]) == 0
    assert (notebook.parent / "small-1.ipynb").read_bytes() == before
    assert call(["checkout", "small/1"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert call(["checkout", "small/7"]) == 2
