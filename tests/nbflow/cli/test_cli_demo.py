"""`nbflow demo`: its notebook is there and compiles; `make demo` runs it whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbflow.cli import demo


def test_the_notebook_is_copied_once_and_compiles(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = demo._copied(tmp_path / "demo")
    demo._graph(notebook)
    out, err = capsys.readouterr()
    assert "train" in out
    assert err == ""
    notebook.write_text("edited")
    assert demo._copied(tmp_path / "demo").read_text() == "edited"
