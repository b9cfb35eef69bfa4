"""Open: a cluster reached and checked before a run: what would fail later is said now."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from nbflow.engines.base import Job
from nbflow.errors import user_error
from nbflow.kubernetes.access import Access, connect, passing, status_of, told
from nbflow.kubernetes.checks import (
    RIGHTS,
    check_images,
    check_nodes,
    check_quotas,
    check_rights,
    check_store,
)
from nbflow.kubernetes.manifests import Order, Place, chunk_job
from nbflow.kubernetes.names import RunName, job_name
from nbflow.kubernetes.settings import TABLE, Settings
from nbflow.runtime.spec import StepSpec
from nbflow.store import Store


def store_address(store: Store, settings: Settings) -> str:
    """The store's address as pods see it."""
    return settings.store or store.url


def open_cluster(job: Job, settings: Settings, access: Access | None = None) -> Access:
    """The connection to a cluster that can run the flow; a `UserError` says why it cannot."""
    steps = job.spec.steps
    check_images(steps, settings)
    address = store_address(job.store, settings)
    check_store(address, values_address(job.store), settings)
    found = access or connect(settings)
    check_cluster(found, settings, steps)
    for step in _different(steps):
        _rehearse(found, settings, job.spec.name, step, address)
    return found


def values_address(store: Store) -> str | None:
    """Where the values of a store lie, where that is not with its records."""
    objects = store.objects
    named = getattr(objects, "url", None) or getattr(objects, "root", None)
    held = None if named is None else str(named)
    return None if held == store.url else held


def check_cluster(access: Access, settings: Settings, steps: tuple[StepSpec, ...]) -> None:
    """Rights, and all that `check_place` looks at, are as they must be."""
    check_namespace(access)
    check_rights(lacking_rights(access), access.namespace, access.host)
    check_place(access, settings, steps)


def check_namespace(access: Access) -> None:
    """The namespace is there."""
    if access.exists("namespace", access.namespace) is False:
        raise user_error(
            "NBF404",
            f"The cluster at {access.host} has no namespace {access.namespace!r}.",
            f"Make it (`kubectl create namespace {access.namespace}`), or set `namespace` in "
            f"{TABLE}.",
        )


def check_place(access: Access, settings: Settings, steps: tuple[StepSpec, ...]) -> None:
    """Nodes, quotas and what the settings name are as tasks need them."""
    if not settings.autoscale:
        nodes = access.read("nodes")
        if nodes is not None:
            check_nodes(steps, settings, nodes)
    check_quotas(steps, settings, access.read("quotas") or ())
    _check_named(access, settings)


def lacking_rights(access: Access) -> list[tuple[str, str, str]]:
    """Those of `RIGHTS` that one does not have."""
    with ThreadPoolExecutor(8) as several:
        given = list(several.map(lambda one: access.may(one[2], one[1], one[0]), RIGHTS))
    return [right for right, has in zip(RIGHTS, given, strict=True) if not has]


def account_lacks(access: Access, account: str) -> list[tuple[str, str, str]]:
    """Those of `RIGHTS` that a driver under this account would not have, as far as one may know."""
    with ThreadPoolExecutor(8) as several:
        given = several.map(lambda one: access.account_may(account, one[2], one[1], one[0]), RIGHTS)
        return [right for right, has in zip(RIGHTS, given, strict=True) if has is False]


def _check_named(access: Access, settings: Settings) -> None:
    """The claims and the account that the settings name are there."""
    account = settings.service_account
    if account and access.exists("account", account) is False:
        raise user_error(
            "NBF404",
            f"The namespace {access.namespace} has no service account {account!r}.",
            f"Make it, or check `service-account` in {TABLE}.",
        )
    for volume in settings.volumes:
        claim = volume.source.get("persistentVolumeClaim", {}).get("claimName")
        if claim and access.exists("claim", claim) is False:
            raise user_error(
                "NBF404",
                f"The namespace {access.namespace} has no volume claim {claim!r}.",
                f"Make it, or check `volumes` in {TABLE}.",
            )


def _different(steps: tuple[StepSpec, ...]) -> list[StepSpec]:
    """One step of each kind that makes a difference to a pod."""
    return list({(one.resources, one.env): one for one in steps}.values())


def _rehearse(access: Access, settings: Settings, flow: str, step: StepSpec, address: str) -> None:
    """Have the server check a Job of this step, without making it."""
    run = RunName(flow, 0)
    order = Order(job_name(run, step.name, "dry"), step, "main", 1, (("",),))
    try:
        access.create_job(chunk_job(Place(run, settings, address), order, 0), rehearse=True)
    except Exception as error:
        if passing(error) or status_of(error) is None:
            raise
        raise user_error(
            "NBF404",
            f"Kubernetes refuses the Job of `{step.name}`: {told(error)}.",
            f"Check what {TABLE} and the step's options say of it.",
        ) from error
