"""Detached: a run driven by a Job of the cluster; who has started it may go away."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from nbflow.errors import UserError, user_error
from nbflow.kubernetes.access import Access, passing, status_of, told
from nbflow.kubernetes.driving import reach_for_driver
from nbflow.kubernetes.manifests import Place, driver_job
from nbflow.kubernetes.names import ROLE, RunName, run_name, selector
from nbflow.kubernetes.open import store_address
from nbflow.kubernetes.settings import TABLE, Settings, read_settings
from nbflow.kubernetes.states import ending, stuck, waits_for
from nbflow.runtime.drive import claim_run, driver_token, end_run
from nbflow.runtime.request import RunRequest
from nbflow.runtime.run import make_run, plan_run
from nbflow.runtime.traceback import task_error
from nbflow.store import Store
from nbflow.store.records import FINAL, RunRecord

#: seconds for which a run may wait for its driver's pod: for a node, or a large image
_PATIENCE = 3600.0
#: seconds for which whoever starts it watches it come up, and between two looks
_WATCH = 60.0
_LOOK = 0.5


def start_in_cluster(request: RunRequest, note: Callable[[str], None]) -> tuple[Store, RunRecord]:
    """Make a run, and the Job that drives it; returns the run when its driver is there.

    Where that takes longer than a minute, what it waits for was told to ``note`` and the run is
    left waiting. A `UserError` says why there will be no driver.
    """
    settings = read_settings(request.settings)
    # inside the cluster there are no contexts
    inside = {name: value for name, value in request.settings.items() if name != "context"}
    plan = plan_run(replace(request, settings=inside))
    store = plan.store
    try:
        access = reach_for_driver(store, plan.spec.steps, settings)
        address = store_address(store, settings)
        unmade = RunName(plan.spec.name, 0)
        _make(access, _job(Place(unmade, settings, address), access), rehearse=True)
        run = make_run(plan, _PATIENCE)
        place = Place(run_name(run), settings, address)
        try:
            _make(access, _job(place, access))
            _watch(store, run, access, place, note)
        except UserError as error:
            _give_up(store, run, error)
            raise
        return store, store.run(run.id)
    except BaseException:
        store.close()
        raise


def _job(place: Place, access: Access) -> dict[str, Any]:
    return driver_job(place, ["drive", place.run.path], access.version())


def _make(access: Access, manifest: Mapping[str, Any], *, rehearse: bool = False) -> None:
    try:
        access.create_job(manifest, rehearse=rehearse)
    except Exception as error:
        if passing(error) or status_of(error) is None:
            raise
        raise user_error(
            "NBF404",
            f"Kubernetes refuses the Job of the driver: {told(error)}.",
            f"Check what {TABLE} says of it, and that you may create Jobs in {access.namespace}.",
        ) from error


def _watch(
    store: Store, run: RunRecord, access: Access, place: Place, note: Callable[[str], None]
) -> None:
    """Return when the run has a driver, or has ended; a `UserError` where it gets none."""
    mine = selector(place.run.labels | {ROLE: "driver"})
    began, said = time.monotonic(), ""
    while time.monotonic() - began < _WATCH:
        if store.driver(run.id) is not None or store.run(run.id).status in FINAL:
            return
        waits = _look(access, mine, place.settings, time.monotonic() - began)
        if waits is not None and waits not in (said, "starting"):
            said = waits
            note(f"The driver's pod is {waits}.")
        time.sleep(_LOOK)


def _look(access: Access, mine: str, settings: Settings, seconds: float) -> str | None:
    """What the driver's pod waits for; a `UserError` where it does so in vain, or has failed."""
    try:
        pods = access.listed("pods", mine).items
        if not pods:
            return None
        pod = pods[0]
        events = access.events("Pod", pod["metadata"]["name"])
    except Exception as error:
        if passing(error) or status_of(error) == 403:  # who may only make Jobs sees no more
            return None
        raise
    ended = ending(pod) or stuck(pod, seconds, events)
    if ended is None or ended.fate in ("done", "taken"):
        return waits_for(pod, events)
    access.delete_jobs(mine)
    raise user_error(
        "NBF404",
        f"The pod that was to drive the run could not: {ended.message}",
        f"Put that right, in {TABLE} say, and start the run again.",
    )


def _give_up(store: Store, run: RunRecord, error: UserError) -> None:
    """End a run that will get no driver."""
    token = driver_token()
    try:
        claim_run(store, run, token)
    except UserError:  # its driver has ended it, and said why
        return
    told = task_error("", "", error.diagnostics[0].code, str(error))
    end_run(store, run.id, token, status="failed", error=told)
