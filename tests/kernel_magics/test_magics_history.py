"""The history of tagged cells: what was tried, bounded, and switched off."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from nbflow_magics import history as module
from nbflow_magics.history import History, small


@pytest.fixture
def shell_here(tmp_path: Path, monkeypatch: Any, shell: Any) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NBFLOW_HISTORY", "1")
    return shell


def run(shell: Any, cell: str) -> Any:
    return shell.run_cell(cell, store_history=True).result


def test_each_execution_of_a_step_is_remembered(shell_here: Any, tmp_path: Path) -> None:
    run(shell_here, "x = 'not a step'")
    assert not (tmp_path / ".nbflow").exists()
    run(shell_here, "%%step a\nalpha = 0.1\nrows = list(range(100))\nprint('hello')\nalpha")
    run(shell_here, "%%step a\nalpha = 0.2\n1 / 0")
    run(shell_here, "%%step fan --foreach n in range(3)\nm = n")
    run(shell_here, "%%step bad --gpus 1\nm = n")
    found = run(shell_here, "%nbflow history")
    assert [(one.step, one.status) for one in found] == [
        ("fan", "succeeded"),
        ("a", "failed"),
        ("a", "succeeded"),
    ]
    assert found[0].made == {"tasks": 3, "failed": 0}
    assert found[2].made == {"alpha": 0.1, "rows": "list of 100"}
    assert found[2].shown == "hello\n0.1\n"
    assert "alpha = 0.2" in found[1].code
    assert "alpha=0.1, rows=list of 100" in repr(found)
    assert "<details>" in found._repr_html_()
    assert [one.step for one in run(shell_here, "%nbflow history a")] == ["a", "a"]
    assert run(shell_here, "%nbflow history 1")[0].step == "a"


def test_it_can_be_switched_off(shell_here: Any) -> None:
    run(shell_here, "%nbflow history off")
    run(shell_here, "%%step a\nx = 1")
    assert len(run(shell_here, "%nbflow history")) == 0
    assert repr(run(shell_here, "%nbflow history")) == "No tagged cell has run here yet."


def test_it_keeps_a_bounded_number(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "KEPT", 10)
    history = History(tmp_path)
    history.on = True
    for _ in range(25):
        history.add(
            "a", None, 0.0, "succeeded", "c" * 50_000, {f"v{k}": "t" * 900 for k in range(99)}
        )
    kept = history.newest(count=100)
    assert len(kept) == 10
    assert len(kept[0].code) == 16_000
    assert len(str(kept[0].made)) < 6_000
    history.close()


def test_a_file_that_cannot_be_written_turns_it_off(tmp_path: Path) -> None:
    (tmp_path / "kernel.db").write_text("this is not a database, but long enough to be one" * 99)
    history = History(tmp_path)
    history.on = True
    history.add("a", None, 0.0, "succeeded", "x", {})
    assert not history.on
    history.close()


def test_small_values() -> None:
    import numpy as np
    import pandas as pd

    assert small(np.float64(0.5)) == 0.5
    assert small(np.zeros((2, 3))) == "ndarray 2 by 3"
    assert small(pd.DataFrame({"a": [1]})) == "DataFrame 1 by 1"
    assert small([1, 2]) == "[1, 2]"
    assert small(["x" * 1000] * 3).startswith("['xxx")
    assert len(small(["x" * 1000] * 3)) <= 200
    assert small(object()) == "object"
    assert small(sqlite3) == "module"
