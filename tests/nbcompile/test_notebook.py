"""Reading notebooks: JSON and percent files, and everything that is neither."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from nbcompile.notebook import Cell, NotebookError, parse_notebook, read_notebook


def ipynb(*cells: dict[str, object], **extra: object) -> str:
    content = {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content | extra)


def sources(text: str) -> list[tuple[str, str]]:
    return [(cell.kind, cell.source) for cell in parse_notebook(text, "n", ".py").cells]


def test_cells_of_json() -> None:
    text = ipynb(
        {"cell_type": "markdown", "source": ["# A\n", "b"], "metadata": {}, "id": "m"},
        {"cell_type": "code", "source": "x\r\ny", "metadata": {"tags": ["step:a"]}},
    )
    assert parse_notebook(text, "n").cells == (
        Cell(0, "markdown", "# A\nb", (), "m"),
        Cell(1, "code", "x\ny", ("step:a",), ""),
    )


def test_name_and_path(tmp_path: Path) -> None:
    path = tmp_path / "churn.ipynb"
    path.write_text(ipynb())
    notebook = read_notebook(path)
    assert (notebook.name, notebook.path, notebook.cells) == ("churn", str(path), ())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ("[]", "not a notebook"),
        ('{"a": 1}', "no nbformat"),
        (ipynb(nbformat=3), "format 3"),
        (ipynb(cells=None), "no list of cells"),
        (ipynb({"source": ""}), "cell 0 has no cell_type"),
        (ipynb(metadata={"kernelspec": {"language": "R"}}), "a notebook in r"),
    ],
)
def test_what_is_no_notebook(text: str, says: str) -> None:
    with pytest.raises(NotebookError) as caught:
        parse_notebook(text, "n")
    (finding,) = caught.value.diagnostics
    assert finding.code == "NBF101"
    assert says in finding.message


def test_missing_file_folder_and_other_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("")
    (tmp_path / "b.ipynb").write_bytes(b"\xff\xfe")
    for name in ("none.ipynb", ".", "a.txt", "b.ipynb"):
        with pytest.raises(NotebookError):
            read_notebook(tmp_path / name)


def test_error_survives_pickling() -> None:
    with pytest.raises(NotebookError) as caught:
        parse_notebook("{", "n")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert copy.diagnostics == caught.value.diagnostics


def test_percent_cells_and_header() -> None:
    text = "# ---\n# jupyter: {}\n# ---\n\n# %%\na = 1\n\n# %% [markdown]\n# # T\n#\n# b\n# %%\nc\n"
    assert sources(text) == [("code", "a = 1"), ("markdown", "# T\n\nb"), ("code", "c")]


def test_percent_code_before_the_first_marker() -> None:
    assert sources("import x\n# %%\ny") == [("code", "import x"), ("code", "y")]


def test_percent_marker_in_a_string_is_none() -> None:
    text = '# %%\ntext = """\n# %%\n# %time\n"""\n# %%\nx'
    assert sources(text) == [("code", 'text = """\n# %%\n# %time\n"""'), ("code", "x")]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("%%step a", "%%step a"),
        ("# %%step a", "%%step a"),
        ("# %time x", "%time x"),
        ("# !ls", "!ls"),
        ("# files = !ls", "files = !ls"),
        ("    # %time x", "    %time x"),
        ("# # %time x", "# %time x"),
        ("# an ordinary comment", "# an ordinary comment"),
        ("# nbflow: step a", "# nbflow: step a"),
        ("# !cat a \\\n#   b", "!cat a \\\n  b"),
    ],
)
def test_percent_magics(written: str, meant: str) -> None:
    assert sources(f"# %%\nx = 1\n{written}") == [("code", f"x = 1\n{meant}")]


def test_percent_tags_titles_and_languages() -> None:
    text = '# %% A title tags=["setup", "b"]\nx\n# %% language="bash"\n# ls\n# %% [raw]\n# r\n'
    cells = parse_notebook(text, "n", ".py").cells
    assert cells[0].tags == ("setup", "b")
    assert [(cell.kind, cell.source) for cell in cells[1:]] == [
        ("code", "%%bash\nls"),
        ("raw", "r"),
    ]


def test_percent_markdown_as_a_string() -> None:
    assert sources('# %% [markdown]\n"""\n# T\nb\n"""\n') == [("markdown", "# T\nb")]


def test_the_line_that_names_the_interpreter_is_no_command() -> None:
    (cell,) = parse_notebook("#!/usr/bin/env python\nx = 1\n", "a", ".py").cells
    assert cell.source == "x = 1"
