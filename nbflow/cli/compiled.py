"""Compiled: a notebook understood for a verb, with what is to be said of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nbflow.cli.say import say_diagnostics
from nbflow.errors import UserError

if TYPE_CHECKING:
    from nbcompile.diagnostics import Diagnostic
    from nbcompile.flow import Flow

notebook_argument = click.argument("notebook", type=click.Path(path_type=Path))


def infer(notebook: Path, variants: dict[str, str] | None = None) -> Flow:
    """The flow inferred from a notebook, whatever its diagnostics are."""
    from nbcompile import infer_flow, read_notebook

    return infer_flow(read_notebook(notebook), variants)


def refuse_errors(diagnostics: tuple[Diagnostic, ...]) -> None:
    """Raise them where one is an error; say the warnings otherwise."""
    from nbcompile.diagnostics import has_errors

    if has_errors(diagnostics):
        raise UserError(diagnostics)
    say_diagnostics(one for one in diagnostics if one.severity == "warning")
