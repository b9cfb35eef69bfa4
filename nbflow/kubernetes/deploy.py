"""Deploy: a flow's branch put into a cluster that starts its runs, looked at, and taken out."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

from nbflow.errors import UserError, user_error
from nbflow.kubernetes.access import Access, connect
from nbflow.kubernetes.cron import ZONED, Deployed, cron_job
from nbflow.kubernetes.cronjobs import CronJobs
from nbflow.kubernetes.driving import reach_for_driver
from nbflow.kubernetes.open import store_address
from nbflow.kubernetes.settings import Settings, read_settings
from nbflow.runtime import environment
from nbflow.runtime.request import RunRequest
from nbflow.runtime.run import Plan, plan_run
from nbflow.store import Store
from nbflow.store.records import DeploymentRecord

#: the branch where nobody names one
BRANCH = "main"


@dataclass(frozen=True, slots=True)
class Look:
    """How a deployment stands in its cluster."""

    state: Literal["scheduled", "suspended", "missing", "unknown"]
    #: when it last started a run, as Kubernetes writes times
    last: str | None = None
    #: runs that are going on
    active: int = 0
    #: why nothing is known
    why: str | None = None


def deploy(
    request: RunRequest, schedule: str | None, zone: str | None, *, rehearse: bool = False
) -> tuple[DeploymentRecord, dict[str, Any]]:
    """Have a cluster run a notebook by a schedule; the deployment and its CronJob.

    The branch's earlier version is replaced. Where something would not work, a `UserError` says so
    and nothing has changed; a rehearsal changes nothing anyway.
    """
    plan = plan_run(request)
    with closing(plan.store) as store:
        settings = read_settings(request.settings)
        options = plan.code.manifest.get("options") or {}
        when = _schedule(schedule or options.get("schedule"))
        where = _known_zone(zone or options.get("timezone"))
        access = reach_for_driver(store, plan.spec.steps, settings)
        server = access.version()
        _check_zone(server, where)
        branch = request.branch or BRANCH
        earlier = store.deployment(plan.spec.name, branch)
        _check_moved(earlier, access)
        name = None if earlier is None else str(earlier.place["name"])
        word = blake2b(store.url.encode(), digest_size=6).hexdigest()
        deployed = Deployed(plan.spec.name, branch, plan.code.version, word, when, where, name)
        record = _record(plan, deployed, settings, access)
        manifest = cron_job(
            deployed, settings, store_address(store, settings), server, _notes(record)
        )
        jobs = CronJobs(access)
        jobs.apply(manifest, rehearse=True)
        if not rehearse:
            code = plan.code
            store.add_version(code.version, code.manifest, code.files, code.notebook)
            store.put_deployment(record)
            try:
                jobs.apply(manifest)
            except BaseException:
                _put_back(store, record, earlier)
                raise
        return record, manifest


def undeploy(store: Store, record: DeploymentRecord) -> bool:
    """Take a deployment out of its cluster; runs that are going on go on.

    False where the cluster had it no more. A `UserError` where it cannot be reached.
    """
    access = _its_cluster(record)
    there = CronJobs(access).delete(str(record.place["name"]))
    store.drop_deployment(record.flow, record.branch)
    return there


def look(record: DeploymentRecord) -> Look:
    """How a deployment stands in its cluster, as far as that can be reached."""
    try:
        found = CronJobs(_its_cluster(record)).get(str(record.place["name"]))
    except Exception as error:
        why = error.diagnostics[0].message if isinstance(error, UserError) else str(error)
        return Look("unknown", why=why)
    if found is None:
        return Look("missing")
    status = found.get("status") or {}
    state: Literal["scheduled", "suspended"] = (
        "suspended" if found["spec"].get("suspend") else "scheduled"
    )
    return Look(state, status.get("lastScheduleTime"), len(status.get("active") or ()))


def _schedule(text: str | None) -> str:
    if not text or not text.strip():
        raise user_error(
            "NBF410",
            "Nothing says when the flow is to run.",
            "Give `--schedule '0 6 * * *'` (minute, hour, day, month, weekday), or write it into "
            'the notebook: %flow NAME --schedule "0 6 * * *".',
        )
    return text.strip()


def _known_zone(name: str | None) -> str | None:
    """The time zone, where this machine does not know better."""
    from difflib import get_close_matches
    from zoneinfo import available_timezones

    known = available_timezones()
    if name is None or name in known or not known:
        return name
    close = get_close_matches(name, known, 1, 0.5)
    raise user_error(
        "NBF410",
        f"There is no time zone {name!r}.",
        f"Did you mean {close[0]!r}?" if close else "Write it as in Europe/Helsinki, or UTC.",
    )


def _check_zone(server: tuple[int, int], zone: str | None) -> None:
    if zone is not None and server < ZONED:
        raise user_error(
            "NBF410",
            f"This cluster is Kubernetes {server[0]}.{server[1]}, which knows no time zones of "
            "schedules; they came with 1.25.",
            "Leave the time zone away: schedules are then in the cluster's own, most often UTC.",
        )


def _check_moved(earlier: DeploymentRecord | None, access: Access) -> None:
    """An earlier version of the branch is here, where it is replaced, and nowhere else."""
    if earlier is None:
        return
    place = earlier.place
    if (place["host"], place["namespace"]) != (access.host, access.namespace):
        raise user_error(
            "NBF410",
            f"{earlier.path} is deployed to the namespace {place['namespace']} of "
            f"{place['host']}, and would run twice.",
            f"Take it out there first: nbflow undeploy {earlier.path}; or deploy to another "
            "`--branch`.",
        )


def _record(plan: Plan, deployed: Deployed, settings: Settings, access: Access) -> DeploymentRecord:
    request = plan.request
    commit, dirty = environment.git_state(Path(plan.code.path).parent)
    asked = {
        "params": {name: plan.params[name] for name in request.params},
        "max_workers": request.max_workers,
        "tags": list(request.tags),
        "seed": request.seed,
        "cache": request.cache,
        # inside the cluster there are no contexts
        "settings": {n: v for n, v in request.settings.items() if n != "context"},
    }
    place = {
        "host": access.host,
        "context": settings.context,
        "namespace": access.namespace,
        "name": deployed.name,
        "schedule": deployed.schedule,
        "zone": deployed.zone,
        "notebook": plan.code.path,
        "git": commit and commit + ("+changes" if dirty else ""),
    }
    return DeploymentRecord(
        deployed.flow,
        deployed.branch,
        deployed.version,
        time.time(),
        environment.user(),
        "kubernetes",
        asked,
        place,
    )


def _notes(record: DeploymentRecord) -> dict[str, str]:
    """For people who look at the CronJob itself."""
    place = record.place
    notes = {"nbflow/notebook": str(place["notebook"]), "nbflow/user": record.user}
    return notes | ({"nbflow/git": str(place["git"])} if place["git"] else {})


def _put_back(store: Store, record: DeploymentRecord, earlier: DeploymentRecord | None) -> None:
    if earlier is None:
        store.drop_deployment(record.flow, record.branch)
    else:
        store.put_deployment(earlier)


def _its_cluster(record: DeploymentRecord) -> Access:
    """The cluster that a deployment is in."""
    place = record.place
    access = connect(Settings(context=place["context"], namespace=place["namespace"]))
    if access.host != place["host"]:
        raise user_error(
            "NBF410",
            f"{record.path} is deployed to {place['host']}, and the current context of kubectl is "
            f"{access.host}.",
            "`kubectl config use-context NAME` changes it.",
        )
    return access
