"""`nbflow runs`: the newest runs as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nbflow.cli.options import json_option, store_at, store_option, verb
from nbflow.cli.say import note, say_json
from nbflow.store.records import RUN_STATUSES

if TYPE_CHECKING:
    from nbflow.store import Store


@verb("runs")
@click.argument("flow", required=False)
@click.option("--status", type=click.Choice(RUN_STATUSES), help="Only runs that are so.")
@click.option("--tag", help="Only runs with this tag.")
@click.option("--branch", help="Only runs of this branch.")
@click.option("--search", metavar="WORDS", help="Only runs that have these words somewhere.")
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many, newest first.",
)
@click.option("--interactive", is_flag=True, help="What ran in kernels, cell by cell, instead.")
@store_option
@json_option
def command(
    flow: str | None,
    status: Any,
    tag: str | None,
    branch: str | None,
    search: str | None,
    limit: int,
    interactive: bool,
    location: str | None,
    as_json: bool,
) -> None:
    """List runs, newest first.

    FLOW lists those of one flow only.
    """
    from nbflow.cli.shapes import run_json
    from nbflow.client.table import runs

    store = store_at(location)
    if interactive:
        _show_interactive(store, limit, as_json)
        return
    if flow is not None:
        from nbflow.cli.paths import known_flow

        known_flow(flow, store)
    found = runs(
        flow, status=status, tag=tag, branch=branch, search=search, limit=limit, store=store
    )
    if as_json:
        pairs = zip(found, found.flags, strict=True)
        say_json([{**run_json(run), "flags": count} for run, count in pairs])
    elif not found:
        note("No runs like this. `nbflow run NOTEBOOK` makes one.")
    else:
        from nbflow.cli.screen import show_runs

        show_runs(found)


def _show_interactive(store: Store, limit: int, as_json: bool) -> None:
    from dataclasses import asdict

    from nbflow.client.interactive import InteractiveRuns

    found = InteractiveRuns(store.interactive_runs(limit))
    if as_json:
        say_json([asdict(one) for one in found])
    elif not found:
        note(repr(found))
    else:
        click.echo(repr(found))
