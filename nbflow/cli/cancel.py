"""`nbflow cancel`: ask a run to stop."""

from __future__ import annotations

import time

import click

from nbflow.cli.options import store_at, store_option, verb

#: seconds that the command waits for the run to have stopped
_PATIENCE = 10.0


@verb("cancel")
@click.argument("run")
@store_option
def command(run: str, location: str | None) -> int:
    """Stop a run that is going on.

    What it has finished is kept: `nbflow resume RUN` goes on from there.
    """
    from nbflow.cli.paths import find
    from nbflow.store.records import FINAL

    found = find(run, store_at(location)).run
    if not found.store.request_cancel(found.id):
        said = f"{found.path} is not running: it is {found.status}."
        if found.status == "lost" and found.record.engine == "kubernetes":
            drive = f"`nbflow drive {found.path}`, and Ctrl-C there ends them."
            said += f" Its pods may still run: {drive}"
        click.echo(said, err=True)
        return 0
    until = time.monotonic() + _PATIENCE
    while found.status not in FINAL and time.monotonic() < until:
        time.sleep(0.1)
    if found.status in FINAL:
        click.echo(f"{found.path} {found.status}. `nbflow resume {found.path}` goes on from it.")
    else:
        click.echo(f"{found.path} was asked to stop and ends its running tasks.")
    return 0
