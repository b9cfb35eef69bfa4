"""Cells: an example of a package, a notebook or a script, as cells that all are steps."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

BREAK = re.compile(r"^(# ?%%.*|#{20,}\s*)$")


def script_cells(source: str) -> list[tuple[str, str]]:
    """A script of sphinx-gallery as (kind, source) of cells, cut at its blocks of text."""
    cells: list[tuple[str, list[str]]] = [("code", [])]
    opening = ast.parse(source).body[:1]
    lines = source.splitlines()
    if opening and isinstance(opening[0], ast.Expr) and isinstance(opening[0].value, ast.Constant):
        end = opening[0].end_lineno or 0
        cells = [("markdown", lines[:end]), ("code", [])]
        lines = lines[end:]
    for line in lines:
        if BREAK.match(line):
            cells.append(("markdown", []))
        elif cells[-1][0] == "markdown" and not line.startswith("#") and len(cells) > 1:
            cells.append(("code", [line]))
        else:
            cells[-1][1].append(line)
    return [(kind, "\n".join(text).strip("\n")) for kind, text in cells if "".join(text).strip()]


def cut_at_gaps(source: str) -> list[tuple[str, str]]:
    """The code cut at empty lines between its top-level statements."""
    lines = source.splitlines()
    found: list[tuple[int, int]] = []
    for statement in ast.parse(source).body:
        decorators = [one.lineno for one in getattr(statement, "decorator_list", [])]
        start, end = min(statement.lineno, *decorators, statement.lineno), statement.end_lineno or 0
        if found and all(line.strip() for line in lines[found[-1][1] : start - 1]):
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return [("code", "\n".join(lines[start - 1 : end])) for start, end in found]


def read_cells(path: Path) -> list[tuple[str, str]]:
    """The cells of a notebook or a script as (kind, source)."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        cells = script_cells(text)
        blocks = sum(kind == "code" for kind, _ in cells)
        return cells if blocks >= 3 else cut_at_gaps(text)  # a script without blocks of text
    content = json.loads(text)
    return [(one["cell_type"], "".join(one["source"])) for one in content["cells"]]


def tagged(cells: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """A notebook of the cells in which every code cell is a step."""
    made = []
    for number, (kind, source) in enumerate(cells):
        tags = [f"step:s{number}"] if kind == "code" and source.strip() else []
        cell: dict[str, Any] = {"cell_type": kind, "metadata": {"tags": tags}, "source": source}
        if kind == "code":
            cell |= {"outputs": [], "execution_count": None}
        made.append(cell)
    return {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}


def proposed(cells: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """A notebook of the cells with the tags that `nbflow init` proposes."""
    from nbcompile import parse_notebook
    from nbcompile.propose import propose_tags

    notebook = tagged(cells)
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = []
    for one in propose_tags(parse_notebook(json.dumps(notebook), "corpus", ".ipynb")).cells:
        notebook["cells"][one.cell]["metadata"]["tags"] = [one.tag] if one.tag else []
    return notebook
