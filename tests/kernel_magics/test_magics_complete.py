"""Completion of tag lines, as the kernel's completer gives it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter


def complete(shell: Any, text: str, rest: str = "") -> list[str]:
    """The lines that completion at the end of ``text`` would make of it."""
    with provisionalcompleter():
        found = list(shell.Completer.completions(text + rest, len(text)))
    return [text[: one.start] + one.text for one in found]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("%%ste", ["%%step"]),
        ("%%step load --for", ["%%step load --foreach"]),
        ("%%step tr", ["%%step train"]),
        ("%%step x --after tr", ["%%step x --after train"]),
        ("%%step x --after load, tr", ["%%step x --after load, train"]),
        ("%%step x --each lo", ["%%step x --each load"]),
        ("%%step x --keep fra", ["%%step x --keep frame"]),
        ("%%resources --mem", ["%%resources --memory"]),
        ("%%resources --memory 16", ["%%resources --memory 16GB"]),
        ("# nbflow: step load --cat", ["# nbflow: step load --catch"]),
        ("# nbflow: para", ["# nbflow: parameters"]),
        ("%flow churn --sch", ["%flow churn --schedule"]),
    ],
)
def test_completion(shell: Any, text: str, lines: list[str]) -> None:
    shell.run_cell("%%step load\nframe = 1")
    shell.run_cell("%%step train\nmodel = 1")
    assert complete(shell, text, "\nbody = 1") == lines


def test_expressions_are_completed_as_python(shell: Any) -> None:
    shell.run_cell("countries = [1]")
    assert complete(shell, "%%step a --foreach c in countr") == [
        "%%step a --foreach c in countries"
    ]


def test_steps_of_the_file_are_completed_before_they_run(
    shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "churn.py"
    path.write_text("# %%\n%%step clean\nx = 1\n# %%\n%%step choose\ny = x\n")
    monkeypatch.setenv("NBFLOW_NOTEBOOK", str(path))
    assert complete(shell, "%%step x --after c") == [
        "%%step x --after clean",
        "%%step x --after choose",
    ]
