"""`nbflow step`: run one task of a run; the one entry point of every task, wherever it runs."""

from __future__ import annotations

import click

from nbflow.cli.group import FAILED, SUCCEEDED
from nbflow.cli.options import store_at, store_option, verb


@verb("step")
@click.argument("step")
@click.option("--run", "run", required=True, metavar="RUN", help="The run that the task is of.")
@click.option("--split", "key", default="", metavar="KEY", help="The task of a fan-out: 3, 3.1.")
@click.option("--attempt", default=1, show_default=True, help="The number of the attempt.")
@click.option("--items", is_flag=True, help="Make the items of a fan-out instead.")
@store_option
def command(step: str, run: str, key: str, attempt: int, items: bool, location: str | None) -> int:
    """Run one task of a run (what engines call).

    Takes code and inputs from the store and publishes the outcome to it.
    """
    from nbflow.cli.paths import find
    from nbflow.runtime.task import run_task

    store = store_at(location)
    found = find(f"{run}/{step}", store).run
    record = run_task(store, found.id, step, key, attempt, "items" if items else "main")
    store.publish(found.id, [record])
    return FAILED if record.status == "failed" else SUCCEEDED
