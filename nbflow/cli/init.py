"""`nbflow init`: tags proposed for an untagged notebook, as a preview to accept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nbflow.cli.compiled import notebook_argument
from nbflow.cli.group import SUCCEEDED, USAGE
from nbflow.cli.options import json_option, verb
from nbflow.cli.say import say_diagnostics, say_json
from nbflow.errors import user_error

if TYPE_CHECKING:
    from nbcompile.notebook import Notebook
    from nbcompile.propose import Proposal
    from nbcompile.tagging import Form


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
def command(notebook: Path, write: bool, form: Form, as_json: bool) -> int:
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
    elif not proposal.cells:
        raise user_error("NBF102", f"{notebook} has no code.", "There is nothing to tag yet.")
    else:
        click.echo(_preview(read, proposal))
        say_diagnostics(one for one in proposal.diagnostics if one.severity == "error")
    if write and not any(one.tag for one in proposal.cells):
        click.echo(f"There is nothing to tag in {notebook}: it is left as it is.", err=True)
    elif write:
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


def _accept(path: Path, proposal: Proposal, form: Form) -> None:
    """Put the tags into the file, everything else in it kept as it is."""
    from nbcompile.tagging import tag_notebook, tag_script

    tags = {one.cell: one.tag for one in proposal.cells if one.tag is not None}
    text = path.read_bytes().decode("utf-8")
    write = tag_notebook if path.suffix == ".ipynb" else tag_script
    draft = path.with_name(f".{path.name}.nbflow")
    try:
        draft.write_bytes(write(text, tags, form).encode())
        draft.chmod(path.stat().st_mode)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise user_error(
            "NBF101",
            f"The tags cannot be written into {path}: {error.strerror}.",
            "Check that you may write there.",
        ) from None
