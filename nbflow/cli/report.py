"""`nbflow report`: a run's notebook with the results of the run in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nbflow.cli.group import FAILED, SUCCEEDED
from nbflow.cli.options import store_at, store_option, verb

if TYPE_CHECKING:
    from nbflow.report import Report


@verb("report")
@click.argument("run")
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path),
    help="The folder to write to, instead of the run's store.",
)
@store_option
def command(run: str, folder: Path | None, location: str | None) -> int:
    """Execute a run's notebook with its results, as .ipynb and HTML.

    Kept in the run's store. The exit status is 1 where a cell of the notebook fails.
    """
    from nbflow.cli.paths import find
    from nbflow.report import write_report

    return say_report(write_report(find(run, store_at(location)).run, folder))


def say_report(report: Report) -> int:
    """Say where a report is and, if it is half of one, why."""
    click.echo(report.notebook)
    click.echo(report.page)
    if report.error is None:
        return SUCCEEDED
    where = (
        "before the first cell" if report.cell is None else f"at cell {report.cell}, which failed"
    )
    click.echo(f"The report stops {where}: {report.error}", err=True)
    return FAILED
