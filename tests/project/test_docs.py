"""The documentation says what is there: every diagnostic, every command, every example."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from nbcompile.diagnostics import CODES
from nbcompile.grammar import OPTIONS

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.ipynb"))


def test_the_diagnostics_page_has_every_code() -> None:
    page = (ROOT / "docs" / "diagnostics.md").read_text()
    headings = dict(re.findall(r"^### (NBF\d{3}): (.+)$", page, re.MULTILINE))
    assert headings == CODES


def test_every_command_is_mentioned() -> None:
    from nbflow.cli.group import VERBS

    page = (ROOT / "docs" / "cli.md").read_text()
    assert [name for name in VERBS if f"nbflow {name}" not in page] == []


def test_the_language_page_has_every_option() -> None:
    page = (ROOT / "docs" / "language.md").read_text()
    rows = {f"| `--{o.name} {o.metavar}".rstrip() + f"` | {o.help} |" for o in OPTIONS}
    assert rows <= set(page.splitlines())


def test_the_readme_starts_with_two_commands() -> None:
    page = (ROOT / "README.md").read_text()
    assert "make demo" in page
    assert "make test" in page


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_examples_are_clean_notebooks(path: Path) -> None:
    notebook = nbformat.reads(path.read_text(), as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.get("outputs") for cell in notebook.cells)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    assert path.read_text() == nbformat.writes(notebook) + "\n"
