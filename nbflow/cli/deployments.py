"""`nbflow deployments`: what is deployed, and how it stands in its cluster."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import click

from nbflow.cli.options import json_option, store_at, store_option, verb
from nbflow.cli.say import note, say_json

if TYPE_CHECKING:
    from nbflow.kubernetes.deploy import Look
    from nbflow.store.records import DeploymentRecord, RunRecord


@verb("deployments")
@click.argument("flow", required=False)
@store_option
@json_option
def command(flow: str | None, location: str | None, as_json: bool) -> None:
    """List what is deployed, and how it stands.

    It is looked up in this store, and in the clusters. FLOW lists the branches of one flow only.
    """
    from nbflow.kubernetes.deploy import look

    store = store_at(location)
    records = [one for one in store.deployments() if flow in (None, one.flow)]
    if not records:
        if as_json:
            say_json([])
        else:
            note("Nothing is deployed. `nbflow deploy NOTEBOOK --schedule '0 6 * * *'` does it.")
        return
    with ThreadPoolExecutor(4) as several:
        looks = list(several.map(look, records))
    newest = [
        next(iter(store.runs(flow=one.flow, branch=one.branch, limit=1)), None) for one in records
    ]
    if as_json:
        say_json(
            [
                deployment_json(one, seen, run)
                for one, seen, run in zip(records, looks, newest, strict=True)
            ]
        )
        return
    from rich.text import Text

    from nbflow.cli.deploy import when
    from nbflow.cli.screen import plain_table, show, status_text

    made = plain_table("deployment", "version", "schedule", "state", "newest run", "parameters")
    for one, seen, run in zip(records, looks, newest, strict=True):
        latest = "-" if run is None else Text.assemble(run.path, " ", status_text(run.status))
        values = ", ".join(f"{name}={value!r}" for name, value in one.request["params"].items())
        made.add_row(one.path, one.version, when(one.place), seen.state, latest, values)
    show(made)
    for one, seen in zip(records, looks, strict=True):
        if seen.state == "missing":
            note(
                f"{one.path}: the cluster has no CronJob {one.place['name']} any more. Deploy it "
                f"again, or forget it: nbflow undeploy {one.path}"
            )
        elif seen.why is not None:
            note(f"{one.path}: {seen.why}")


def deployment_json(
    record: DeploymentRecord, seen: Look | None = None, run: RunRecord | None = None
) -> dict[str, Any]:
    """A deployment as JSON."""
    place = record.place
    return {
        "deployment": record.path,
        "flow": record.flow,
        "branch": record.branch,
        "version": record.version,
        "target": record.target,
        "schedule": place["schedule"],
        "timezone": place["zone"],
        "params": record.request["params"],
        "namespace": place["namespace"],
        "cronjob": place["name"],
        "deployed": record.created,
        "user": record.user,
        **({} if seen is None else {"state": seen.state, "last": seen.last, "active": seen.active}),
        **({} if run is None else {"run": run.path, "status": run.status}),
    }
