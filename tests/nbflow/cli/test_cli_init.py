"""`nbflow init`: a preview, and tags written into the file when they are accepted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nbflow.cli.group import call


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    sources = [["import math\n"], ["rows = list(range(3))\n", "rows"], "total = sum(rows)"]
    cells = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": source, "outputs": []}
        for n, source in enumerate(sources)
    ]
    path = tmp_path / "plain.ipynb"
    content = {"cells": cells, "metadata": {"x": "é"}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_the_preview_changes_nothing(notebook: Path, capsys: Any) -> None:
    before = notebook.read_bytes()
    assert call(["init", str(notebook)]) == 0
    output = capsys.readouterr().out
    assert "step:start" in output
    assert "--write" in output
    assert notebook.read_bytes() == before


def test_a_notebook_without_code(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "text.ipynb"
    cells = [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# To do"}]
    content = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(content), encoding="utf-8")
    assert call(["init", str(path)]) == 2
    output = capsys.readouterr()
    assert (output.out, "text.ipynb has no code." in output.err) == ("", True)


def test_json(notebook: Path, capsys: Any) -> None:
    assert call(["init", str(notebook), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["tag"] for one in found["cells"]] == [None, "step:start", "step:start"]
    assert found["diagnostics"] == []


def test_accepted_tags_leave_sources_as_they_are(notebook: Path, capsys: Any) -> None:
    before = json.loads(notebook.read_text(encoding="utf-8"))
    assert call(["init", str(notebook), "--write"]) == 0
    after = json.loads(notebook.read_text(encoding="utf-8"))
    assert [c["source"] for c in after["cells"]] == [c["source"] for c in before["cells"]]
    assert [c["metadata"].get("tags") for c in after["cells"]] == [
        None,
        ["step:start"],
        ["step:start"],
    ]
    assert after["metadata"] == {"x": "é"}
    capsys.readouterr()
    assert call(["check", str(notebook)]) == 0
    assert "1 step" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("form", "line"), [("magic", "%%step start"), ("comment", "# nbflow: step start")]
)
def test_tags_as_a_first_line(notebook: Path, form: str, line: str) -> None:
    assert call(["init", str(notebook), "--write", "--as", form]) == 0
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    assert cells[1]["source"] == [f"{line}\n", "rows = list(range(3))\n", "rows"]
    assert cells[2]["source"] == f"{line}\ntotal = sum(rows)"


SCRIPT = """\
#!/usr/bin/env python
# coding: utf-8
import math

# %% Load  \t
rows = list(range(3))   # twice  a  blank

# %% [markdown]
# ## Sum up

# %% tags=["wide"]
total = sum(rows)
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_tags_in_a_script(tmp_path: Path, capsys: Any, newline: str) -> None:
    script = tmp_path / "plain.py"
    script.write_bytes(SCRIPT.replace("\n", newline).encode())
    assert call(["init", str(script), "--write"]) == 0
    after = script.read_bytes().decode()
    changed = {
        "# %% Load  \t": '# %% Load tags=["step:start"]',
        '# %% tags=["wide"]': '# %% tags=["wide", "step:sum_up"]',
    }
    wanted = [changed.get(line, line) for line in SCRIPT.split("\n")]
    assert after.split(newline) == wanted
    capsys.readouterr()
    assert call(["check", str(script)]) == 0
    assert "2 steps" in capsys.readouterr().out
    assert call(["init", str(script), "--write"]) == 0
    assert "nothing to tag" in capsys.readouterr().err
    assert script.read_bytes().decode() == after


def test_a_file_that_may_not_be_written(notebook: Path, capsys: Any, monkeypatch: Any) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    before = notebook.read_bytes()
    monkeypatch.setattr(Path, "replace", refuse)
    assert call(["init", str(notebook), "--write"]) == 2
    assert "cannot be written into" in capsys.readouterr().err
    assert [one.name for one in notebook.parent.iterdir()] == [notebook.name]
    assert notebook.read_bytes() == before


def test_a_missing_file_is_named(tmp_path: Path, capsys: Any) -> None:
    assert call(["init", str(tmp_path / "no.ipynb")]) == 2
    assert "no.ipynb" in capsys.readouterr().err
