"""`nbflow drive`: become the driver of a run that there is already, and go on to its end."""

from __future__ import annotations

import os

import click

from nbflow.cli.group import INTERRUPTED, SUCCEEDED
from nbflow.cli.options import json_option, store_at, store_option, verb
from nbflow.cli.say import note


@verb("drive")
@click.argument("run")
@click.option("--on", metavar="ENGINE", help="Another engine than the run was started on.")
@click.option("--max-workers", type=click.IntRange(min=1), help="Tasks at once, at most.")
@store_option
@json_option
def command(
    run: str, on: str | None, max_workers: int | None, location: str | None, as_json: bool
) -> int:
    """Go on with a run whose driver has died.

    What is published stands, and what an engine still has under way is taken over; nothing is
    run twice that has ended. A run that somebody else drives is left to them. (A run that is over
    goes on by `nbflow resume`, as a new one.)
    """
    from nbflow.cli.execute import tell
    from nbflow.cli.paths import find
    from nbflow.cli.watch import watcher
    from nbflow.kubernetes.manifests import DRIVER_UID
    from nbflow.runtime.drive import HandedOn
    from nbflow.runtime.takeover import take_over
    from nbflow.store.records import FINAL

    store = store_at(location)
    found = find(run, store).run
    if DRIVER_UID in os.environ and found.status in FINAL and found.status != "lost":
        # a pod made in the place of one that has brought the run to its end
        return SUCCEEDED
    listener = watcher(silent=as_json)
    try:
        take_over(store, found.path, listener, on=on, max_workers=max_workers)
    except HandedOn:
        note(f"Asked to end. Another driver can go on: nbflow drive {found.path}")
        return INTERRUPTED
    finally:
        listener.close()
    return tell(find(found.path, store).run, as_json=as_json)
