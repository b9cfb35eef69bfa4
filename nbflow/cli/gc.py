"""`nbflow gc`: delete old runs, and free what no kept run reaches."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from nbflow.cli.options import json_option, store_at, store_option, verb
from nbflow.cli.say import say_json

if TYPE_CHECKING:
    from nbflow.store import Store
    from nbflow.store.gc import GcPlan


@verb("gc")
@click.option("--dry-run", is_flag=True, help="Only say what would be freed.")
@click.option(
    "--keep-last",
    type=click.IntRange(min=0),
    metavar="N",
    help="Delete all runs but the newest N of each flow, and those with a tag.",
)
@store_option
@json_option
def command(dry_run: bool, keep_last: int | None, location: str | None, as_json: bool) -> None:
    """Delete old runs and free what no kept run reaches.

    Without --keep-last no run is deleted: only what runs deleted before have left is freed. Bytes
    written within the last hour stay.
    """
    from nbflow.store.gc import apply_gc, plan_gc

    store = store_at(location)
    deleted = [] if keep_last is None else _old(store, keep_last)
    plan = plan_gc(store, without=[run for run, _ in deleted])
    # those that an active run may have taken over results from
    waiting = [run for run, _ in deleted if run not in plan.runs]
    freed = plan if dry_run else apply_gc(store, plan)
    if not dry_run:
        for run in waiting:
            store.delete_run(run)
    paths = [path for _, path in deleted]
    if as_json:
        say_json(_json(freed, paths, dry_run))
    else:
        _say(freed, paths, dry_run, bool(waiting))


def _old(store: Store, keep: int) -> list[tuple[int, str]]:
    """The ended runs without a tag that are not among the newest of their flow."""
    from nbflow.store.records import FINAL

    found: list[tuple[int, str]] = []
    seen: Counter[str] = Counter()
    before: int | None = None
    while page := store.runs(limit=1000, before=before):
        for run in page:
            seen[run.flow] += 1
            if seen[run.flow] > keep and run.status in FINAL and not run.tags:
                found.append((run.id, run.path))
        before = page[-1].id
    return found


def _json(plan: GcPlan, paths: list[str], dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "runs": paths,
        "versions": len(plan.versions),
        "files": len(plan.files) + len(plan.reports),
        "bytes": plan.bytes,
    }


def _say(plan: GcPlan, paths: list[str], dry_run: bool, waiting: bool) -> None:
    from nbflow.client.text import plural, size

    verb = "Would delete" if dry_run else "Deleted"
    if paths:
        listed = ", ".join(paths[:10]) + (", …" if len(paths) > 10 else "")
        click.echo(f"{verb} {plural(len(paths), 'run')}: {listed}")
    verb = "Would free" if dry_run else "Freed"
    files = plural(len(plan.files) + len(plan.reports), "file")
    versions = plural(len(plan.versions), "version")
    click.echo(f"{verb} {size(plan.bytes)} in {files}, and {versions} of code.")
    if waiting:
        click.echo("A run is going on: what the deleted ones held is for a later `nbflow gc`.")
    elif paths:
        click.echo("What was written within the last hour stays, for a later `nbflow gc`.")
