"""Run: the one way from a request to a finished run: compile, plan, run, sum up."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbflow.engines.base import Engine, Job
from nbflow.engines.load import load_engine
from nbflow.errors import UserError, user_error
from nbflow.flags.kept import note_flags
from nbflow.runtime import environment
from nbflow.runtime.cache import Cache, Policy
from nbflow.runtime.cachekey import CacheKeys
from nbflow.runtime.driver import Driver
from nbflow.runtime.known import Known
from nbflow.runtime.listener import Listener
from nbflow.runtime.live import live_folder
from nbflow.runtime.parameters import resolve_parameters
from nbflow.runtime.reasons import Reasons
from nbflow.runtime.request import Code, RunRequest, resumed_code, target_code
from nbflow.runtime.spec import FlowSpec, read_spec
from nbflow.runtime.traceback import task_error
from nbflow.store.records import RunRecord

if TYPE_CHECKING:
    from nbflow.store import Store


@dataclass(frozen=True, slots=True)
class Plan:
    """A request, checked: what will run, and with what."""

    request: RunRequest
    store: Store
    code: Code
    spec: FlowSpec
    params: dict[str, Any]
    parent: RunRecord | None
    #: the flow's newest run, or the one that is resumed: what reasons compare with
    earlier: RunRecord | None

    def cache(self, known: Known, root: int | None) -> Cache:
        """What tells which tasks need not run; ``root`` is the first of the runs resumed."""
        identity = environment.identity_of(self.code.manifest, self.code.files)
        keys = CacheKeys(self.spec, known, self.params, identity, self.request.seed)
        start = self.request.start_from
        forced = self.spec.downstream([start]) if start else ()
        policy = Policy(self.request.cache, forced, f"--from {start}", root)
        return Cache(self.store, keys, known, policy, Reasons(self.store, keys, self.earlier))

    def root(self) -> int | None:
        """The first of the runs that this one resumes, one after another."""
        run = self.parent
        while run is not None and run.parent is not None:
            try:
                run = self.store.run(run.parent)
            except UserError:  # it has been deleted
                return run.parent
        return run.id if run else None


def plan_run(request: RunRequest) -> Plan:
    """Find the code and check the request against it; raises a `UserError`."""
    from nbflow.store import open_store

    # the notebook comes first: one that is not right leaves no store behind
    code = None if request.target is None else target_code(request)
    if code is not None and request.resume_of is None:
        _check(request, code)
    start = None if request.target is None else Path(request.target).expanduser().parent
    store = open_store(request.store, start if start and start.is_dir() else None)
    parent = store.run(request.resume_of) if request.resume_of else None
    if code is None:
        if parent is None:
            raise TypeError("a request without a target has to resume a run")
        code = resumed_code(request, store, parent)
    params = _check(request, code, _inherited(store, parent, code.manifest))
    spec = read_spec(code.manifest)
    earlier = parent or next(iter(store.runs(flow=spec.name, limit=1)), None)
    return Plan(request, store, code, spec, params, parent, earlier)


def _check(
    request: RunRequest, code: Code, inherited: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The parameters of the run; a `UserError` where they, or a step named, are not the flow's."""
    names = [step["name"] for step in code.manifest["steps"]]
    if request.start_from and request.start_from not in names:
        raise user_error(
            "NBF204",
            f"`--from {request.start_from}`: the flow has no such step.",
            f"Its steps are {', '.join(f'`{name}`' for name in dict.fromkeys(names))}.",
        )
    return resolve_parameters(code.manifest, {**(inherited or {}), **request.params})


def run_flow(
    request: RunRequest, listener: Listener | None = None, engine: Engine | None = None
) -> RunRecord:
    """Run a flow to its end and return the run. What the user can put right is a `UserError`."""
    heard = listener or Listener()
    plan = plan_run(request)
    heard.diagnostics(plan.code.diagnostics)
    used = engine or load_engine(request.on)
    with ThreadPoolExecutor(1) as aside, closing(plan.store):
        facts = aside.submit(environment.describe_environment)
        used.open(Job(plan.store, plan.spec, request.max_workers, request.settings))
        try:
            run = _create(plan, facts.result())
            return _drive(plan, run, used, heard)
        finally:
            used.close()


def _create(plan: Plan, facts: Mapping[str, Any]) -> RunRecord:
    request, code, store = plan.request, plan.code, plan.store
    store.add_version(code.version, code.manifest, code.files, code.notebook)
    commit, dirty = environment.git_state(Path(code.path).parent)
    drawn = plan.parent.seed if plan.parent else secrets.randbits(31)
    return store.create_run(
        plan.spec.name,
        code.version,
        params=plan.params,
        tags=request.tags,
        branch=request.branch,
        user=environment.user(),
        host=environment.host(),
        git=commit,
        dirty=dirty,
        engine=request.on,
        environment=dict(facts),
        notebook=code.path,
        seed=drawn if request.seed is None else request.seed,
        parent=plan.parent.id if plan.parent else None,
    )


def _drive(plan: Plan, run: RunRecord, engine: Engine, listener: Listener) -> RunRecord:
    store = plan.store
    known = Known(plan.spec, store, plan.params)
    cache = plan.cache(known, plan.root() or run.id)
    engine.begin(run.id)
    driver = Driver(store, run.id, plan.spec, engine, cache, known, listener)
    store.update_run(run.id, status="running", started=time.time())
    listener.started(store.run(run.id), plan.spec)
    try:
        status = driver.drive()
    except BaseException as error:
        kind = error.diagnostics[0].code if isinstance(error, UserError) else type(error).__name__
        told = driver.error or task_error("", "", kind, str(error))
        with suppress(Exception):  # the store itself may be what failed
            store.update_run(run.id, status="failed", finished=time.time(), error=told)
            listener.finished(store.run(run.id))
        raise
    store.update_run(
        run.id,
        status=status,
        finished=time.time(),
        error=driver.error,
        metrics=driver.metrics,
    )
    shutil.rmtree(live_folder(store.root, run.id), ignore_errors=True)
    ended = store.run(run.id)
    note_flags(store, ended, plan.spec)
    listener.finished(ended)
    return ended


def _inherited(
    store: Store, parent: RunRecord | None, manifest: Mapping[str, Any]
) -> dict[str, Any]:
    """What the resumed run was given, of the parameters that there still are."""
    if parent is None:
        return {}
    defaults = {
        one["name"]: one.get("default")
        for one in store.version(parent.version).manifest.get("parameters", ())
    }
    there = {one["name"] for one in manifest.get("parameters", ())}
    return {
        name: value
        for name, value in parent.params.items()
        if name in there and value != defaults.get(name)
    }
