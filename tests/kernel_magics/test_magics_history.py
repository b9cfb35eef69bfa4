"""The history of tagged cells: what was tried, bounded, and switched off."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nbflow_magics.history import History


@pytest.fixture
def shell_here(tmp_path: Path, monkeypatch: Any, shell: Any) -> Any:
    monkeypatch.chdir(tmp_path)
    shell.run_line_magic("nbflow", "history on")
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
    assert found[0].made == {"tasks": 3}
    assert found[2].made == {"alpha": 0.1, "rows": "list of 100"}
    assert found[2].shown == "hello\n0.1\n"
    assert "alpha = 0.2" in found[1].code
    assert "alpha=0.1 rows=list of 100" in repr(found)
    assert "<details>" in found._repr_html_()
    assert [one.step for one in run(shell_here, "%nbflow history a")] == ["a", "a"]
    assert repr(run(shell_here, "%nbflow history b")) == "No cell of `b` has run here yet."
    assert repr(run(shell_here, "%nbflow history 1")).endswith(
        "\n\n%%step a\nalpha = 0.1\nrows = list(range(100))\nprint('hello')\nalpha\n\nhello\n0.1"
    )
    assert list(found.to_pandas()["made.alpha"])[2] == 0.1


def test_it_can_be_switched_off(shell_here: Any) -> None:
    run(shell_here, "%nbflow history off")
    run(shell_here, "%%step a\nx = 1")
    assert len(run(shell_here, "%nbflow history")) == 0
    assert repr(run(shell_here, "%nbflow history")) == "No tagged cell has run here yet."


def test_what_is_kept_of_one_is_bounded(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    history = History(lambda: None)
    history.on = True
    made = {f"v{k}": "t" * 900 for k in range(99)}
    history.add("a", None, 0.0, "succeeded", "c" * 50_000, made, "s" * 9999)
    (kept,) = history.newest()
    assert len(kept.code) == 16_000
    assert len(str(kept.made)) < 6_000
    assert len(kept.shown) == 2_000
    history.close()


def test_what_other_kernels_ran_of_the_notebook_is_there(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "churn.ipynb"
    for name, status in (("one", "failed"), ("two", "succeeded")):
        history = History(lambda: path)
        history.on = True
        history.add(name, None, 0.0, status, "x", {})  # type: ignore[arg-type]
        history.close()
    assert [one.step for one in History(lambda: path).newest()] == ["two", "one"]
    elsewhere = History(lambda: tmp_path / "other.ipynb")
    assert len(elsewhere.newest()) == 0
    elsewhere.close()


def test_a_store_that_cannot_be_written_is_told_when_asked(shell_here: Any, tmp_path: Path) -> None:
    (tmp_path / ".nbflow").write_text("a file where the store's folder should be")
    assert run(shell_here, "%%step a\nx = 1\nx") == 1
    failed = shell_here.run_cell("%nbflow history").error_in_exec
    assert "The history of this kernel is not kept: No store can be made in" in str(failed)
    (tmp_path / ".nbflow").unlink()
    run(shell_here, "%nbflow history on")
    run(shell_here, "%%step a\nx = 2")
    assert [one.made for one in run(shell_here, "%nbflow history")] == [{"x": 2}]


def test_runs_do_not_list_it_but_when_asked(shell_here: Any, capsys: Any) -> None:
    run(shell_here, "%%step a\nx = 1")
    run(shell_here, "%%step b\ny = 1")
    shell_here.run_cell("%nbflow history")
    capsys.readouterr()
    run(shell_here, "%nbflow runs")
    assert "No runs like this" in capsys.readouterr().err
    run(shell_here, "%nbflow runs --interactive")
    assert "2 tasks  a, b" in capsys.readouterr().out
    run(shell_here, "%nbflow runs --interactive --json")
    (found,) = json.loads(capsys.readouterr().out)
    assert found["steps"] == ["a", "b"]


def test_values_that_are_hard_to_keep_do_not_end_the_history(shell_here: Any) -> None:
    run(shell_here, "class Odd:\n    shape = property(lambda s: 1 / 0)\n    __class__ = shape")
    run(shell_here, "%%step a\nhalf = '\\ud800'\nhuge = 10**5000\nodd = Odd()\nheld = [odd]")
    run(shell_here, "%%step a\nprint('\\ud800'.encode('utf-8', 'surrogatepass'))\nbare = odd")
    run(shell_here, "%%step b\nnone = float('nan')")
    assert [one.made for one in run(shell_here, "%nbflow history")] == [
        {"none": "nan"},
        {"bare": "Odd"},
        {"half": "\\ud800", "huge": "int of 16,610 bits", "odd": "Odd", "held": "[Odd]"},
    ]
