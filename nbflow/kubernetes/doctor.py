"""Doctor: what runs on Kubernetes need, looked at one after another before a run does."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nbflow.client.text import plural, size
from nbflow.errors import UserError
from nbflow.finding import Finding
from nbflow.kubernetes.access import Access, connect, told
from nbflow.kubernetes.checks import check_rights, check_store
from nbflow.kubernetes.open import (
    account_lacks,
    check_namespace,
    check_place,
    lacking_rights,
    values_address,
)
from nbflow.kubernetes.probe import Answer, ask
from nbflow.kubernetes.settings import TABLE, Settings, read_settings
from nbflow.kubernetes.states import quantity
from nbflow.store import open_store

_ROLE = "docs/kubernetes.md"
#: the kinds of Dask's operator
_DASK = "kubernetes.dask.org"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a store is, as pods see it; and its values, where they lie apart."""

    records: str
    values: str | None


def examine(table: Mapping[str, Any], location: str | None) -> Iterator[Finding]:
    """What is found, as it is found; without a cluster there is no more to look at."""
    try:
        settings = read_settings(table)
        access = connect(settings)
    except UserError as error:
        yield _wrong("cluster", error)
        return
    major, minor = access.version()
    yield Finding("cluster", True, f"Kubernetes {major}.{minor} at {access.host}")
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("namespace", lambda: _namespace(access, settings)),
        ("rights", lambda: _rights(access)),
        ("driver", lambda: _driver(access, settings)),
        ("nodes", lambda: _nodes(access, settings)),
        ("gpu", lambda: _gpus(access, settings)),
        ("quota", lambda: _quotas(access)),
        ("workers", lambda: _workers(access)),
    ]
    bad = set()
    for what, check in checks:
        finding = _safe(what, check)
        bad |= set() if finding.ok else {what}
        yield finding
    if not bad & {"namespace", "rights", "quota"}:  # else no pod can be made
        yield from _probe(access, settings, location)


def _safe(what: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except UserError as error:
        return _wrong(what, error)
    except Exception as error:
        return Finding(what, False, told(error))


def _wrong(what: str, error: UserError) -> Finding:
    first = error.diagnostics[0]
    return Finding(what, False, first.message, first.fix or "")


def _namespace(access: Access, settings: Settings) -> Finding:
    check_namespace(access)
    check_place(access, settings, ())
    return Finding("namespace", True, f"{access.namespace} has all that {TABLE} names")


def _rights(access: Access) -> Finding:
    check_rights(lacking_rights(access), access.namespace, access.host)
    return Finding("rights", True, "you may run flows here, and see how they go")


def _driver(access: Access, settings: Settings) -> Finding:
    """Of drivers in the cluster: nothing is wrong for those who never have one there."""
    account = settings.driver_account or settings.service_account or "default"
    if access.exists("account", account) is False:
        lack = f"there is no service account {account}"
    elif account_lacks(access, account):
        lack = f"the service account {account} may not drive runs"
    elif access.account_may(account, "create", "jobs", "batch") is None:
        return Finding("driver", True, f"you may not ask what the service account {account} may do")
    else:
        return Finding("driver", True, f"the service account {account} may drive runs")
    said = f"{lack}, so `--detach` and `nbflow deploy` would not work"
    fix = f"If you want them: apply the Role of {_ROLE}, and set `driver-account` in {TABLE}."
    return Finding("driver", not settings.driver_account, said, fix)


def _nodes(access: Access, settings: Settings) -> Finding:
    nodes = access.read("nodes")
    if nodes is None:
        return Finding("nodes", True, "you may not list them, so no request is checked beforehand")
    ready = [one for one in nodes if _ready(one)]
    if not ready and not settings.autoscale:
        said = f"{plural(len(nodes), 'node')}, none of them ready"
        return Finding("nodes", False, said, "`kubectl describe nodes` says why.")
    cpu = max((_has(one, "cpu") for one in ready), default=0.0)
    memory = max((_has(one, "memory") for one in ready), default=0.0)
    said = f"{plural(len(ready), 'node')}; a task may have up to {cpu:g} cores and "
    return Finding("nodes", True, f"{said}{size(int(memory))}")


def _gpus(access: Access, settings: Settings) -> Finding:
    nodes, name = access.read("nodes"), settings.gpu_resource
    if nodes is None:
        return Finding("gpu", True, f"not known: you may not list the nodes that offer {name}")
    counts = [int(_has(one, name)) for one in nodes if _has(one, name)]
    if counts:
        said = f"{sum(counts)} of {name}, up to {max(counts)} on a node"
        return Finding("gpu", True, said)
    fix = f"For GPUs of another make set `gpu-resource` in {TABLE}."
    return Finding("gpu", True, f"no node offers {name}: steps with `--gpu` cannot run", fix)


def _quotas(access: Access) -> Finding:
    quotas = access.read("quotas")
    if quotas is None:
        return Finding("quota", True, "you may not list quotas")
    if not quotas:
        return Finding("quota", True, "none")
    left, used_up = _left(quotas)
    if used_up:
        said = f"used up: {', '.join(used_up)}"
        return Finding("quota", False, said, "Wait for what runs there to end, or have it raised.")
    return Finding("quota", True, f"left: {', '.join(left)}")


def _left(quotas: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """What quotas leave, and those that leave nothing for another pod."""
    left: list[str] = []
    used_up: list[str] = []
    for quota in quotas:
        hard = quota.get("status", {}).get("hard") or quota.get("spec", {}).get("hard") or {}
        used = quota.get("status", {}).get("used") or {}
        for name, most in hard.items():
            has = quantity(str(used.get(name, "0")))
            words = f"{used.get(name, '0')} of {most} {name}"
            (used_up if has >= quantity(str(most)) else left).append(words)
    return [f"{one} used" for one in left], used_up


def _workers(access: Access) -> Finding:
    from kubernetes.client import ApisApi

    library: Any = ApisApi
    groups = {one.name for one in library(access.api).get_api_versions().groups}
    if _DASK in groups:
        return Finding("workers", True, "the Dask operator is there, and `--workers` uses it")
    return Finding("workers", True, "no Dask operator: `--workers` makes Jobs of its own")


def _probe(access: Access, settings: Settings, location: str | None) -> Iterator[Finding]:
    """A pod of each image: can it be pulled, has it nbflow, does the store let it in."""
    images = {**({"image": settings.image} if settings.image else {})}
    images |= {f"image of {name}": image for name, image in settings.images.items()}
    if not images:
        fix = (
            f'Set image = "registry/name:tag" in {TABLE}; `nbflow export NOTEBOOK --to image` '
            "writes a Dockerfile for one."
        )
        yield Finding("image", False, "none is set for the pods of steps without `--image`", fix)
        return
    try:
        place = _place(settings, location)
        check_store(place.records, place.values, settings)
    except UserError as error:
        yield _wrong("store", error)
        return
    for what, image in images.items():
        answer = ask(access, settings, image, place.records)
        yield _image(what, image, answer)
        if what == next(iter(images)) and answer.failed is None:
            yield _reached(place, answer)


def _place(settings: Settings, location: str | None) -> Place:
    try:
        store = open_store(location, create=False)
    except UserError:
        if location is not None and "://" in location:
            raise
        named = Path(location or ".").absolute()
        here = named if named.name == ".nbflow" else named / ".nbflow"
        return Place(settings.store or str(here), None)
    try:
        return Place(settings.store or store.url, values_address(store))
    finally:
        store.close()


def _image(what: str, image: str, answer: Answer) -> Finding:
    if answer.failed is not None:
        fix = f"Check the image in {TABLE}, and what it says of pods."
        return Finding(what, False, f"{image}: {answer.failed}", fix)
    here = ".".join(platform.python_version_tuple()[:2])
    mine = {"Python": (answer.python, here), "nbflow": (answer.nbflow, version("nbflow"))}
    other = [
        f"{n} {theirs}, and here is {ours}" for n, (theirs, ours) in mine.items() if theirs != ours
    ]
    if other:
        fix = "Build it anew: `nbflow export NOTEBOOK --to image` writes what is installed here."
        return Finding(what, False, f"{image} has {'; '.join(other)}", fix)
    return Finding(what, True, f"{image}: Python {answer.python}, nbflow {answer.nbflow}")


def _reached(place: Place, answer: Answer) -> Finding:
    if answer.store is None:
        said = f"pods can use {place.records} (in {answer.seconds:.1f} s)"
        return Finding("store", True, said)
    fix = (
        f"Check that the address is right for pods (`store` in {TABLE} sets another), that they "
        "are let in, and that `secrets` and `volumes` give them what they need."
    )
    return Finding("store", False, f"from a pod: {answer.store}", fix)


def _ready(node: Mapping[str, Any]) -> bool:
    if node.get("spec", {}).get("unschedulable"):
        return False
    conditions = node.get("status", {}).get("conditions") or ()
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def _has(node: Mapping[str, Any], name: str) -> float:
    amounts = node.get("status", {}).get("allocatable") or {}
    return quantity(str(amounts.get(name, "0")))
