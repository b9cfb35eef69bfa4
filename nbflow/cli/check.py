"""`nbflow check`: the diagnostics of a notebook."""

from __future__ import annotations

from pathlib import Path

import click

from nbflow.cli.compiled import infer, notebook_argument
from nbflow.cli.group import SUCCEEDED, USAGE
from nbflow.cli.options import json_option, variant_option, verb
from nbflow.cli.say import say_json, styled


@verb("check")
@notebook_argument
@variant_option
@json_option
def command(notebook: Path, variants: dict[str, str], as_json: bool) -> int:
    """Say what in a notebook would not run as a flow.

    The exit status is 2 where something is an error.
    """
    from nbcompile.diagnostics import has_errors
    from nbcompile.notebook import NotebookError

    try:
        flow = infer(notebook, variants)
        diagnostics, steps = flow.diagnostics, len(flow.steps)
    except NotebookError as error:
        diagnostics, steps = error.diagnostics, 0
    if as_json:
        say_json({"diagnostics": [one.to_json() for one in diagnostics]})
    else:
        for one in diagnostics:
            click.echo(styled(one))
        click.echo(f"{notebook}: {_summary(steps, [one.severity for one in diagnostics])}")
    return USAGE if has_errors(diagnostics) else SUCCEEDED


def _summary(steps: int, severities: list[str]) -> str:
    from nbflow.client.text import plural

    counts = [
        plural(severities.count(one), one) for one in ("error", "warning") if one in severities
    ]
    return ", ".join([plural(steps, "step"), *(counts or ["nothing to complain of"])])
