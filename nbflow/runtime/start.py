"""Start: a run of a deployed flow, made and driven by this process."""

from __future__ import annotations

from nbflow.errors import user_error
from nbflow.runtime.listener import Listener
from nbflow.runtime.request import RunRequest
from nbflow.runtime.run import prepare_run
from nbflow.runtime.takeover import take_over
from nbflow.store import Store
from nbflow.store.records import FINAL, DeploymentRecord, RunRecord

#: how many of a branch's newest runs are looked at for one that was begun already
_BACK = 20
#: seconds for which a run may wait for the driver that this process is about to be
_PATIENCE = 60.0


def find_deployment(store: Store, flow: str, branch: str | None) -> DeploymentRecord:
    """The deployment of a flow's branch, or its only one; a `UserError` where there is none."""
    found = [one for one in store.deployments() if one.flow == flow]
    named = [one for one in found if branch in (None, one.branch)]
    if len(named) == 1:
        return named[0]
    if not found:
        raise user_error(
            "NBF407",
            f"No flow {flow!r} is deployed with this store.",
            "`nbflow deployments` lists what is; `nbflow deploy NOTEBOOK` deploys.",
        )
    branches = ", ".join(one.branch for one in found)
    if branch is None:
        what = f"{flow} is deployed on several branches: {branches}."
        raise user_error("NBF407", what, f"Name one: {found[0].path}.")
    what = f"{flow} is deployed, but not on a branch {branch!r}: {branches}."
    raise user_error("NBF407", what, f"Name one of these: {found[0].path}.")


def start_deployed(
    store: Store,
    record: DeploymentRecord,
    listener: Listener | None = None,
    mark: str | None = None,
) -> RunRecord:
    """Run a deployed flow once, with this process as the driver; closes the store.

    ``mark`` is what the start is known by: a process that is started again, since the machine of
    its first form was lost, goes on with the run that this one had begun.
    """
    begun = _begun(store, record, mark)
    if begun is None:
        asked = record.request
        request = RunRequest(
            version=record.version,
            params=asked["params"],
            on=record.target,
            max_workers=asked["max_workers"],
            settings=asked["settings"],
            tags=tuple(asked["tags"]),
            branch=record.branch,
            cache=asked["cache"],
            store=store.url,
            seed=asked["seed"],
            mark=mark,
        )
        made, begun = prepare_run(request, _PATIENCE)
        made.close()
    elif begun.status in FINAL and begun.status != "lost":
        store.close()
        return begun
    return take_over(store, begun.path, listener)


def _begun(store: Store, record: DeploymentRecord, mark: str | None) -> RunRecord | None:
    if mark is None:
        return None
    runs = store.runs(flow=record.flow, branch=record.branch, limit=_BACK)
    return next((run for run in runs if run.options.get("mark") == mark), None)
