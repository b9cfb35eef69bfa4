"""Say: diagnostics and other sentences on the terminal."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable
from typing import Any

import click

from nbcompile.diagnostics import Diagnostic

_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}


def say_diagnostics(diagnostics: Iterable[Diagnostic], notebook: str = "") -> None:
    """Each as `error[NBF201] cell 3, line 2: …` with its fix below, on stderr."""
    for one in diagnostics:
        click.echo(styled(one, notebook), err=True)


def styled(one: Diagnostic, notebook: str = "") -> str:
    """A diagnostic in one or two lines."""
    head = click.style(f"{one.severity}[{one.code}]", fg=_COLOURS[one.severity], bold=True)
    where = place(one.cell, one.line)
    if notebook:
        where = f"{notebook}, {where}" if where else notebook
    fix = f"\n    {one.fix}" if one.fix else ""
    return f"{head} {where}: {one.message}{fix}" if where else f"{head}: {one.message}{fix}"


def place(cell: int | None, line: int | None) -> str:
    """`cell 3, line 2`: cells count from 0 as in the notebook's file, lines from 1."""
    if cell is None:
        return ""
    return f"cell {cell}" if line is None else f"cell {cell}, line {line}"


def say_json(data: Any) -> None:
    """One JSON object on stdout."""
    click.echo(json.dumps(data, indent=2 if sys.stdout.isatty() else None, ensure_ascii=False))


def say_lines(text: str) -> None:
    """Lines on stdout, folded between words where a terminal is too narrow for them."""
    if sys.stdout.isatty():
        from nbflow.client.text import fold

        width = shutil.get_terminal_size().columns
        text = "\n".join(fold(line, width) for line in text.splitlines())
    click.echo(text)


def note(text: str) -> None:
    """A sentence beside the result: on stderr, so that stdout can be piped."""
    click.echo(text, err=True)
