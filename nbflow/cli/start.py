"""`nbflow start`: run a deployed flow once, as its driver."""

from __future__ import annotations

import os

import click

from nbflow.cli.group import INTERRUPTED
from nbflow.cli.options import json_option, store_at, store_option, verb
from nbflow.cli.say import note
from nbflow.cli.undeploy import flow_and_branch


@verb("start")
@click.argument("deployment")
@click.option("--branch", help="The branch, where the flow has several.")
@store_option
@json_option
def command(deployment: str, branch: str | None, location: str | None, as_json: bool) -> int:
    """Run a deployed flow once, now.

    DEPLOYMENT is FLOW@BRANCH, or FLOW where it has one only. It runs where its deployment does,
    with the code and the parameters that are deployed, and is driven from here; in the cluster,
    this is what the schedule starts.
    """
    from nbflow.cli.execute import tell
    from nbflow.cli.paths import find
    from nbflow.cli.watch import watcher
    from nbflow.kubernetes.manifests import DRIVER_UID
    from nbflow.runtime.drive import HandedOn
    from nbflow.runtime.start import find_deployment, start_deployed

    store = store_at(location)
    record = find_deployment(store, *flow_and_branch(deployment, branch))
    listener = watcher(silent=as_json)
    try:
        # a pod that takes the place of a lost one goes on with its run
        run = start_deployed(store, record, listener, os.environ.get(DRIVER_UID))
    except HandedOn:
        note(f"Asked to end. Another driver can go on: nbflow drive {record.flow}")
        return INTERRUPTED
    finally:
        listener.close()
    return tell(find(run.path, store_at(location)).run, as_json=as_json)
