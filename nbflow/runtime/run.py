"""Run: the one way from a request to a finished run: compile, plan, run, sum up."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbflow.engines.base import Engine, Job
from nbflow.engines.load import load_engine
from nbflow.environments.locks import (
    Lock,
    identities,
    lock_environments,
    locks_from_json,
    locks_to_json,
)
from nbflow.errors import UserError, user_error
from nbflow.runtime import environment
from nbflow.runtime.cache import Cache, Policy
from nbflow.runtime.cachekey import CacheKeys
from nbflow.runtime.drive import claim_run, drive_plan, driver_token
from nbflow.runtime.known import Known
from nbflow.runtime.listener import Listener
from nbflow.runtime.parameters import resolve_parameters
from nbflow.runtime.pulse import Pulse
from nbflow.runtime.reasons import Reasons
from nbflow.runtime.request import Code, RunRequest, resumed_code, stored_code, target_code
from nbflow.runtime.spec import FlowSpec, read_spec
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
    #: the environments of steps, by the names that `--env` gives
    locks: Mapping[str, Lock] = field(default_factory=dict)

    def cache(self, known: Known, root: int | None) -> Cache:
        """What tells which tasks need not run; ``root`` is the first of the runs resumed."""
        identity = environment.identity_of(self.code.manifest, self.code.files)
        others = identities(self.code.manifest, self.locks)
        keys = CacheKeys(self.spec, known, self.params, identity, self.request.seed, others)
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
    start = start if start and start.is_dir() else None
    store = open_store(request.store, start, new_objects=request.objects)
    store.objects.check(store.url)
    parent = store.run(request.resume_of) if request.resume_of else None
    if parent is not None:
        variants = {**parent.options.get("variants", {}), **request.variants}
        request = replace(request, variants=variants)
    if code is None and parent is not None:
        code = resumed_code(request, store, parent)
    elif code is None:
        if request.version is None:
            raise TypeError("a request has a target, a version, or a run to resume")
        code = stored_code(request.version, store)
    params = _check(request, code, _inherited(store, parent, code.manifest))
    spec = read_spec(code.manifest)
    earlier = parent or next(iter(store.runs(flow=spec.name, limit=1)), None)
    return Plan(
        request, store, code, spec, params, parent, earlier, _locks(request, store, code, earlier)
    )


def _locks(
    request: RunRequest, store: Store, code: Code, earlier: RunRecord | None
) -> dict[str, Lock]:
    """The locked environments of the flow's steps; none where the engine does not build them."""
    named = any(step.get("env") for step in code.manifest["steps"])
    if not named or request.on in ("inline", "kubernetes"):
        return {}
    before = {} if earlier is None else locks_from_json(store.environment(earlier))
    folder = Path(code.path).parent
    return lock_environments(
        code.manifest,
        (store.url, store.objects.url),
        before.values(),
        folder if folder.is_dir() else None,
    )


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
    for step, variant in request.variants.items():
        if not any(
            (one["name"], one.get("variant")) == (step, variant) for one in code.manifest["steps"]
        ):
            raise user_error(
                "NBF204",
                f"`--variant {step}={variant}`: this code was compiled without that variant.",
                "Name the notebook that it comes from, which has all variants.",
            )
    return resolve_parameters(code.manifest, {**(inherited or {}), **request.params})


def run_flow(
    request: RunRequest, listener: Listener | None = None, engine: Engine | None = None
) -> RunRecord:
    """Run a flow to its end and return the run. What the user can put right is a `UserError`."""
    heard = listener or Listener()
    plan = plan_run(request)
    heard.diagnostics(plan.code.diagnostics)
    used = engine or load_engine(request.on, request.settings)
    with ThreadPoolExecutor(1) as aside, closing(plan.store):
        facts = aside.submit(environment.describe_environment)
        used.open(Job(plan.store, plan.spec, request.max_workers, request.settings))
        try:
            run = _create(plan, facts.result())
            token = driver_token()
            claim_run(plan.store, run, token)
            with Pulse(plan.store, run.id, token) as pulse:
                return drive_plan(plan, run, used, heard, pulse)
        finally:
            used.close()


def prepare_run(request: RunRequest, patience: float) -> tuple[Store, RunRecord]:
    """Make a run that a driver elsewhere is to claim (`take_over`) within so many seconds."""
    plan = plan_run(request)
    return plan.store, make_run(plan, patience)


def make_run(plan: Plan, patience: float) -> RunRecord:
    """The same of a plan that was checked further."""
    return _create(plan, environment.describe_environment(), patience)


def _create(plan: Plan, facts: Mapping[str, Any], patience: float = 0.0) -> RunRecord:
    request, code, store = plan.request, plan.code, plan.store
    store.add_version(code.version, code.manifest, code.files, code.notebook)
    commit, dirty = environment.git_state(Path(code.path).parent)
    locked = locks_to_json(plan.locks)
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
        environment={**facts, **({"environments": locked} if locked else {})},
        notebook=code.path,
        seed=drawn if request.seed is None else request.seed,
        parent=plan.parent.id if plan.parent else None,
        options=request.options(),
        patience=patience,
    )


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
