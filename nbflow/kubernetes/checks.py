"""Checks: what can be known before a run of whether a cluster can do it. Values in, errors out."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from nbcompile.units import format_size
from nbflow.engines.base import refuse
from nbflow.errors import user_error
from nbflow.kubernetes.manifests import requests, step_image
from nbflow.kubernetes.settings import TABLE, Settings
from nbflow.kubernetes.states import quantity
from nbflow.runtime.spec import StepSpec

#: what the driver of a run does with which resources
RIGHTS: tuple[tuple[str, str, str], ...] = (
    *(("batch", "jobs", verb) for verb in ("create", "get", "list", "watch")),
    *(("batch", "jobs", verb) for verb in ("delete", "deletecollection")),
    *(("", "pods", verb) for verb in ("list", "watch", "deletecollection")),
    ("", "pods/log", "get"),
)

Objects = Sequence[Mapping[str, Any]]


def check_images(steps: Sequence[StepSpec], settings: Settings) -> None:
    """Every step has an image to run in."""
    nameless = [one for one in steps if one.env and not step_image(settings, one)]
    for step in nameless:
        line = f'images = {{ {step.env} = "…" }}'
        refuse([step], "kubernetes", "env", "no image is known for it", f"Set {line} in {TABLE}.")
    without = [one.name for one in steps if not step_image(settings, one)]
    if without:
        names = ", ".join(f"`{name}`" for name in without)
        raise user_error(
            "NBF404",
            f"No image is set for the pods of {names}.",
            f'Set image = "registry/name:tag" in {TABLE} of pyproject.toml, or give the step '
            "`--image`; `nbflow export NOTEBOOK --to image` writes a Dockerfile for one.",
        )


def check_store(address: str, values: str | None, settings: Settings) -> None:
    """Pods can reach the store at ``address``, and its values at ``values`` where those lie apart.

    Only what is plain from the addresses is found here; a server that does not let pods in is
    found by the first of them.
    """
    for one in (address, values):
        if one is None:
            continue
        if "://" not in one or one.startswith("file://"):
            _check_folder(one.removeprefix("file://"), settings)
        elif _local(one):
            raise user_error(
                "NBF406",
                f"Pods cannot reach the store at {one}: that is their own machine.",
                f"Set `store` in {TABLE} to the address that pods have it by.",
            )


def _check_folder(folder: str, settings: Settings) -> None:
    path = PurePosixPath(folder)
    if any(path.is_relative_to(one.mount) for one in settings.volumes if one.shared):
        return
    raise user_error(
        "NBF406",
        f"Pods cannot reach the store: {folder} is a folder of this machine.",
        "Use a store that both reach, `--store postgresql://…` with values in an object store; or "
        f'mount the folder in the pods: volumes = [{{ mount = "{path.parent}", claim = "…" }}] '
        f"in {TABLE}.",
    )


def _local(address: str) -> bool:
    parts = urlsplit(address)
    if parts.scheme in ("s3", "gs", "az", "abfs"):
        return False
    host = parts.hostname or ""
    if host in ("", "localhost") or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_rights(lacking: Sequence[tuple[str, str, str]], namespace: str, host: str) -> None:
    """Nothing that the engine needs to do is forbidden."""
    if not lacking:
        return
    verbs: dict[str, list[str]] = {}
    for _, resource, verb in lacking:
        verbs.setdefault(resource, []).append(verb)
    said = "; ".join(f"{', '.join(names)} {resource}" for resource, names in verbs.items())
    raise user_error(
        "NBF404",
        f"You may not do all that a run needs in the namespace {namespace} of {host}: {said}.",
        "Choose another `namespace`, or have the Role of docs/kubernetes.md given to you there.",
    )


def check_nodes(steps: Sequence[StepSpec], settings: Settings, nodes: Objects) -> None:
    """For every step there is a node that could run its tasks if nothing else ran on it."""
    fitting = [one for one in nodes if _selected(one, settings)]
    if not fitting and settings.node_selector:
        wanted = ", ".join(f"{name}={value}" for name, value in settings.node_selector.items())
        raise user_error(
            "NBF404",
            f"No node of the cluster has the labels {wanted}.",
            f"Check `node-selector` in {TABLE}; `kubectl get nodes --show-labels` lists them.",
        )
    for step in steps:
        wanted_amounts = requests(settings, step.resources)
        rooms = [_room(node) for node in fitting]
        for name, amount in wanted_amounts.items():
            most = max((room.get(name, 0.0) for room in rooms), default=0.0)
            if quantity(amount) > most:
                _no_room(step, settings, name, most)
        if rooms and not any(_fits(wanted_amounts, room) for room in rooms):
            both = " and ".join(f"{n} {v}" for n, v in wanted_amounts.items())
            why = f"no single node has {both}"
            refuse([step], "kubernetes", "cpu", why, _less())


def _no_room(step: StepSpec, settings: Settings, name: str, most: float) -> None:
    options = {"cpu": "cpu", "memory": "memory", "ephemeral-storage": "disk"}
    option = options.get(name, "gpu")
    if option == "gpu" and not most:
        why = f"no node of the cluster offers {name}"
        fix = f"For GPUs of another make set `gpu-resource` in {TABLE}. {_less()}"
    else:
        shown = f"{most:g}" if option in ("cpu", "gpu") else format_size(int(most))
        why, fix = f"the largest node has {shown}", f"Ask for less. {_less()}"
    refuse([step], "kubernetes", option, why, fix)


def _less() -> str:
    return "Where nodes are added as they are needed, set `autoscale = true`."


def _fits(amounts: Mapping[str, str], room: Mapping[str, float]) -> bool:
    return all(quantity(amount) <= room.get(name, 0.0) for name, amount in amounts.items())


def _room(node: Mapping[str, Any]) -> dict[str, float]:
    found = node.get("status", {}).get("allocatable", {})
    return {name: quantity(str(amount)) for name, amount in found.items()}


def _selected(node: Mapping[str, Any], settings: Settings) -> bool:
    labels = node.get("metadata", {}).get("labels") or {}
    return all(labels.get(name) == value for name, value in settings.node_selector.items())


def check_quotas(steps: Sequence[StepSpec], settings: Settings, quotas: Objects) -> None:
    """No quota of the namespace is smaller than what one task asks for, and none is left unsaid."""
    for quota in quotas:
        hard = quota.get("spec", {}).get("hard") or {}
        name = quota.get("metadata", {}).get("name")
        for step in steps:
            asked = requests(settings, step.resources)
            for resource, most in hard.items():
                amount = asked.get(_counted(resource))
                if amount is not None and quantity(amount) > quantity(str(most)):
                    option = {"cpu": "cpu", "memory": "memory", "ephemeral-storage": "disk"}
                    why = f"the namespace's quota {name} allows {most} of {resource}"
                    fix = "Ask for less, or have the quota raised."
                    refuse([step], "kubernetes", option.get(_counted(resource), "gpu"), why, fix)


def _counted(resource: str) -> str:
    """`cpu` for `cpu`, `requests.cpu` and `limits.cpu`."""
    for prefix in ("requests.", "limits."):
        resource = resource.removeprefix(prefix)
    return resource
