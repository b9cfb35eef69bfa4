"""`nbflow step`: run one task of a run; the one entry point of every task, wherever it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nbflow.cli.group import FAILED, SUCCEEDED
from nbflow.cli.options import store_at, store_option, verb
from nbflow.errors import user_error

if TYPE_CHECKING:
    from nbflow.client.step import StepView

#: seconds for which a container asks for a store that does not answer
_WAIT = 15.0


@verb("step")
@click.argument("step")
@click.option("--run", "run", required=True, metavar="RUN", help="The run that the task is of.")
@click.option("--split", "key", default="", metavar="KEY", help="The task of a fan-out: 3, 3.1.")
@click.option("--attempt", default=1, show_default=True, help="The number of the attempt.")
@click.option("--items", is_flag=True, help="Make the items of a fan-out instead.")
@click.option("--order", metavar="NAME", help="Run the tasks of an order, for the run's driver.")
@click.option("--index", default=0, show_default=True, help="Which chunk of the order.")
@store_option
def command(
    step: str,
    run: str,
    key: str,
    attempt: int,
    items: bool,
    order: str | None,
    index: int,
    location: str | None,
) -> int:
    """Run one task of a run (what engines call).

    Takes code and inputs from the store and publishes the outcome to it. With --order it runs a
    chunk of tasks that an engine has left in the store, and leaves the outcomes there for the
    run's driver; the exit status is then 0 however they ended.
    """
    from nbflow.cli.paths import find
    from nbflow.runtime.task import run_task

    if order is not None:
        from nbflow.engines.order import run_order
        from nbflow.store import open_store

        # the driver has reached it a moment ago: it may be restarting
        store = open_store(location, create=False, wait=_WAIT)
        run_order(store, find(run, store).run.id, order, index)
        return SUCCEEDED
    store = store_at(location)
    view = find(f"{run}/{step}", store).step
    assert view is not None
    _check_key(view, key, items)
    found = view.run
    record = run_task(store, found.id, step, key, attempt, "items" if items else "main")
    store.publish(found.id, [record])
    return FAILED if record.status == "failed" else SUCCEEDED


def _check_key(step: StepView, key: str, items: bool) -> None:
    """Refuse a task that the run does not have."""
    line = step.spec.line
    parts = key.split(".") if key else []
    depth = len(line) - (1 if items and step.spec.splits else 0)
    good = len(parts) == depth and all(part.isdecimal() for part in parts)
    if good and depth and not items:
        run = step.run
        split = run.store.split(run.id, line[-1], ".".join(parts[:-1]))
        good = split is not None and int(parts[-1]) < (split.count or 0)
    if not good:
        raise user_error(
            "NBF407",
            f"{step.path} has no task {key!r}.",
            f"`nbflow show {step.path}` lists those there are."
            if depth
            else "It does not fan out: leave --split away.",
        )
