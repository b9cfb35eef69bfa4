"""`nbflow init`: tags proposed for an untagged notebook, as a preview to accept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nbflow.cli.compiled import notebook_argument
from nbflow.cli.group import SUCCEEDED, USAGE
from nbflow.cli.options import json_option, verb
from nbflow.cli.say import say_diagnostics, say_json

if TYPE_CHECKING:
    from nbcompile.notebook import Notebook
    from nbcompile.propose import Proposal


@verb("init")
@notebook_argument
@click.option("--write", is_flag=True, help="Accept: put the tags into the notebook.")
@click.option(
    "--as",
    "form",
    type=click.Choice(["tags", "magic", "comment"]),
    default="tags",
    show_default=True,
    help="Cell tags leave every source as it is; the others add a first line.",
)
@json_option
def command(notebook: Path, write: bool, form: str, as_json: bool) -> int:
    """Propose tags for an untagged notebook.

    Which cells are steps is told from the notebook's headings, calls and dataflow.
    Nothing is changed without --write, and the code of a cell never is.
    """
    from nbcompile import read_notebook
    from nbcompile.diagnostics import has_errors
    from nbcompile.propose import propose_tags

    read = read_notebook(notebook)
    proposal = propose_tags(read)
    if as_json:
        say_json(_json(proposal))
    else:
        click.echo(_preview(read, proposal))
        say_diagnostics(one for one in proposal.diagnostics if one.severity == "error")
    if write:
        _accept(notebook, proposal, form)
        click.echo(f"Wrote the tags into {notebook}. Try it: nbflow check {notebook}", err=True)
    elif not as_json and proposal.steps:
        click.echo(f"Accept it: nbflow init {notebook} --write")
    return USAGE if has_errors(proposal.diagnostics) else SUCCEEDED


def _preview(notebook: Notebook, proposal: Proposal) -> str:
    from nbflow.client.text import brief, grid

    rows = [
        (str(one.cell), one.tag or "-", brief(_first_line(notebook, one.cell)), one.why)
        for one in proposal.cells
    ]
    return grid(("cell", "tag", "begins with", "as it"), rows)


def _first_line(notebook: Notebook, cell: int) -> str:
    lines = notebook.cells[cell].source.splitlines()
    return next((line for line in lines if line.strip()), "")


def _json(proposal: Proposal) -> dict[str, Any]:
    return {
        "cells": [{"cell": one.cell, "tag": one.tag, "why": one.why} for one in proposal.cells],
        "diagnostics": [one.to_json() for one in proposal.diagnostics],
    }


def _accept(path: Path, proposal: Proposal, form: str) -> None:
    """Put the tags into the file, everything else in it kept as it is."""
    import json

    from nbflow.errors import user_error

    if path.suffix != ".ipynb":
        raise user_error(
            "NBF101",
            f"{path} is a script; tags can be written into .ipynb files only.",
            "Add the tags of the preview by hand, as comments: # nbflow: step NAME",
        )
    content = json.loads(path.read_text(encoding="utf-8"))
    for one in proposal.cells:
        if one.tag is not None:
            _tag_cell(content["cells"][one.cell], one.tag, form)
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    draft = path.with_name(f".{path.name}.nbflow")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _tag_cell(cell: dict[str, Any], tag: str, form: str) -> None:
    if form == "tags":
        cell.setdefault("metadata", {}).setdefault("tags", []).append(tag)
        return
    written = tag.replace("step:", "step ")
    line = f"%%{written}\n" if form == "magic" else f"# nbflow: {written}\n"
    source = cell["source"]
    cell["source"] = [line, *source] if isinstance(source, list) else line + source
