"""Takeover: become the driver of a run that there is already, and go on to its end.

The run was left by a driver that died, or made for one that is to start elsewhere. What is
published stands; what an engine still has under way is adopted; the rest is run.
"""

from __future__ import annotations

import shutil
from contextlib import closing
from typing import TYPE_CHECKING

from nbflow.engines.base import Engine, Job
from nbflow.engines.load import load_engine
from nbflow.environments.locks import locks_from_json
from nbflow.errors import UserError
from nbflow.runtime.drive import HandedOn, claim_run, drive_plan, driver_token, end_run, handing_on
from nbflow.runtime.listener import Listener
from nbflow.runtime.live import live_folder
from nbflow.runtime.past import Past
from nbflow.runtime.pulse import Pulse
from nbflow.runtime.request import Code, RunRequest
from nbflow.runtime.run import Plan
from nbflow.runtime.spec import read_spec
from nbflow.runtime.traceback import task_error
from nbflow.store.database import OUTAGE
from nbflow.store.records import RunRecord

if TYPE_CHECKING:
    from nbflow.store import Store


def take_over(
    store: Store,
    path: str,
    listener: Listener | None = None,
    engine: Engine | None = None,
    *,
    on: str | None = None,
    max_workers: int | None = None,
) -> RunRecord:
    """Drive a run to its end and return it; closes the store.

    On the engine that it was started on, unless ``on`` names another. A `UserError` where it is
    over or somebody else drives it, and a `LeaseLostError` where another one takes it over.
    """
    with closing(store):
        store.db.patience = OUTAGE
        store.objects.check(store.url)
        run = store.run(path)
        token = driver_token()
        claim_run(store, run, token, listener)
        try:
            with Pulse(store, run.id, token) as pulse, handing_on(pulse):
                return _go_on(store, run, pulse, listener or Listener(), engine, on, max_workers)
        except (HandedOn, UserError):
            store.release(run.id, token)
            raise


def _go_on(
    store: Store,
    run: RunRecord,
    pulse: Pulse,
    listener: Listener,
    engine: Engine | None,
    on: str | None,
    max_workers: int | None,
) -> RunRecord:
    plan = _plan(store, run, on, max_workers)
    request = plan.request
    used = engine or load_engine(request.on, request.settings)
    try:
        used.open(Job(store, plan.spec, request.max_workers, request.settings))
    except UserError as error:
        if run.started is None:
            # it has never begun, and nobody but its record can say why
            told = task_error("", "", error.diagnostics[0].code, str(error))
            end_run(store, run.id, pulse.token, status="failed", error=told)
        raise
    try:
        if not hasattr(used, "adopt"):
            # notes of processes that ended with the driver
            shutil.rmtree(live_folder(store.root, run.id), ignore_errors=True)
        return drive_plan(plan, run, used, listener, pulse, Past(store, run.id))
    finally:
        used.close()


def _plan(store: Store, run: RunRecord, on: str | None, max_workers: int | None) -> Plan:
    """The run as it was planned, by what is recorded of it."""
    version = store.version(run.version)
    asked = run.options
    request = RunRequest(
        on=on or run.engine,
        max_workers=max_workers or asked.get("max_workers"),
        settings=asked.get("settings") or {},
        cache=bool(asked.get("cache", True)),
        start_from=asked.get("from"),
        # the one that was asked for is part of what makes results different, a drawn one is not
        seed=asked.get("seed"),
    )
    code = Code(version.version, version.manifest, version.files, version.notebook, run.notebook)
    spec = read_spec(version.manifest)
    parent = None
    if run.parent is not None:
        try:
            parent = store.run(run.parent)
        except UserError:  # it has been deleted
            parent = None
    earlier = parent or next(iter(store.runs(flow=run.flow, limit=1, before=run.id)), None)
    locks = locks_from_json(store.environment(run))
    return Plan(request, store, code, spec, run.params, parent, earlier, locks)
