"""Changes in place that only a live kernel sees, and what the notebook's file says of its cells."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

#: `shake` hides from the compiler what it does to its argument
HIDES = "%%setup\nimport numpy as np\nimport operator\nshake = getattr(operator, 'setitem')"


@pytest.fixture
def run(shell: Any, capsys: Any, monkeypatch: Any) -> Any:
    """Runs a cell, by its id if given; what it printed and showed."""
    monkeypatch.setattr("nbflow_magics.inplace._SECONDS", 60.0)  # a busy machine is no reason

    def one(cell: str, cell_id: str | None = None) -> str:
        shell.run_cell(cell, store_history=True, cell_id=cell_id).raise_error()
        output: str = capsys.readouterr().out
        return output

    return one


def save(path: Path, *cells: str, ids: str = "") -> None:
    """A notebook of these cells, their ids `one` letter each, saved a second later than before."""
    before = path.stat().st_mtime if path.exists() else 0.0
    content = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [
            {
                "cell_type": "code",
                "id": name,
                "metadata": {},
                "outputs": [],
                "execution_count": None,
                "source": source,
            }
            for name, source in zip(ids or "abcdefgh", cells, strict=False)
        ],
    }
    path.write_text(json.dumps(content))
    os.utime(path, (0, max(before, os.path.getmtime(path)) + 1))


LOAD = "%%step load\nrows = np.arange(5.0)\nview = [rows]"
TRAIN = "%%step train\nshake(view[0], 0, 100)"
USE = "%%step use\ntotal = rows.sum()"
SAID = (
    "warning[NBF305]: `train` changed `rows` in place (through `view`), and nbflow did not see it: "
    "a run gives `use` the value as `load` left it. Say so in the cell of `train`: `rows = rows` "
    "after the change; or change a copy, `view = view.copy()`.\n"
)


def test_the_reader_is_told_of_a_change_that_nobody_saw(run: Any) -> None:
    run(HIDES)
    assert run(LOAD) == ""
    assert run(TRAIN) == "", "nobody reads it yet"
    assert run(USE) == SAID
    assert run(USE) == "", "told once"


def test_the_changing_cell_is_told_where_the_file_has_a_later_reader(
    run: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    path = tmp_path / "n.ipynb"
    save(path, HIDES, LOAD, TRAIN, USE)
    monkeypatch.setenv("NBFLOW_NOTEBOOK", str(path))
    run(HIDES, "a")
    run(LOAD, "b")
    assert run(TRAIN, "c") == SAID


def test_changes_that_the_compiler_sees_are_not_talked_about(run: Any) -> None:
    run(HIDES)
    run("%%step load\nrows = np.arange(5.0)\npart = rows[1:]\nnames = ['b', 'a']\nheld = {}")
    run("%%step train\npart[0] = 7\nnames.sort()\nheld['x'] = 1\nrows += 1", "one")
    assert run("%%step use\ntotal = rows.sum(), part, names, held") == ""


def test_a_cell_that_changes_in_place_and_runs_again(run: Any) -> None:
    run(HIDES)
    run(LOAD, "one")
    assert run("%%step train\nrows *= 2\nsize = len(rows)\nrows[0] = 1", "two") == ""
    run(LOAD, "one")
    change = "%%step clean\nrows[0] = rows[0] + 1"
    assert run(change, "three") == ""
    assert run(change, "three") == (
        "warning[NBF307]: `rows` is what this cell itself changed when it ran before (In [5]). "
        "Run `load` first, as a run would.\n"
    )
    run(LOAD, "one")
    assert "itself changed" not in run(change, "three")


def test_an_untagged_cell_that_changes_a_steps_value_in_place(run: Any) -> None:
    run(HIDES)
    run(LOAD)
    run("rows[0] = 50")
    assert run(USE) == (
        "warning[NBF209]: `rows` was changed in place after `load` made it, by a cell that is no "
        "step's; a run has it as `load` left it. "
        "Run `load` again, or tag the cell that changes it.\n"
    )
    run(LOAD)
    assert run(USE) == ""


def test_a_cell_that_was_edited_and_saved_without_running(
    run: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    path = tmp_path / "n.ipynb"
    save(path, LOAD, USE, "%%step more\nm = rows")
    monkeypatch.setenv("NBFLOW_NOTEBOOK", str(path))
    run("%%setup\nimport numpy as np")
    os.utime(path, (0, 0))
    run(LOAD, "a")
    assert run(USE, "b") == ""
    save(path, LOAD.replace("%%step load", "%%step load --cpu 2"), USE)
    assert run(USE, "b") == "", "its tag does not count"
    save(path, LOAD.replace("5.0", "6.0"), USE)
    assert "`rows` comes from a cell that has been edited since" in run(USE, "b")
    save(path, USE, "%%step more\nm = rows", ids="bc")
    assert "`rows` comes from a cell that has been deleted since" in run("%%step more\nm = rows")


def test_a_value_from_a_cell_below(run: Any, tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "n.ipynb"
    load = "%%step load\nrows = __import__('numpy').arange(3)"
    save(path, USE, load)
    monkeypatch.setenv("NBFLOW_NOTEBOOK", str(path))
    run(load, "b")
    assert run(USE, "a") == (
        "warning[NBF307]: `rows` comes from a cell below this one (`load`, In [1]); "
        "a run goes from the top. Move one of the two cells.\n"
    )
