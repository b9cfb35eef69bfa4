"""Manifests: tasks and drivers as the Jobs that run them. Values in, dictionaries out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nbflow.kubernetes.names import INDEX, ORDER, ROLE, RunName, job_name, label
from nbflow.kubernetes.settings import Settings
from nbflow.runtime.machine import Part
from nbflow.runtime.spec import ResourceSpec, StepSpec

#: the name of the container in every pod
CONTAINER = "nbflow"
#: where a Job's pod finds out about the Job that it drives for
DRIVER_JOB = "NBFLOW_DRIVER_JOB"
DRIVER_UID = "NBFLOW_DRIVER_UID"
#: seconds that a pod has to end after it was asked to: longer than its task has
GRACE = 15
#: seconds that a pod may live beyond its tasks' timeouts, for pulling its image say
_MARGIN = 900
#: how often a driver whose pod was lost is started anew
_DRIVERS = 6

#: what a driver ends with where the run has failed, or could not begin
_ENDED = (1, 2)
#: servers on which a Job knows by the exit status that starting it again is no use
_POLICY = (1, 26)

#: how nbflow is called in a container
_NBFLOW = ("python", "-m", "nbflow")


@dataclass(frozen=True, slots=True)
class Owner:
    """The Job with which others go when it is deleted."""

    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Order:
    """The chunks of tasks of one kind that go to the cluster together."""

    name: str
    step: StepSpec
    part: Part
    attempt: int
    chunks: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """What all Jobs of a run have in common."""

    run: RunName
    settings: Settings
    #: the store's address, as pods see it
    store: str
    owner: Owner | None = None


def chunk_job(place: Place, order: Order, index: int) -> dict[str, Any]:
    """The Job of one chunk of an order."""
    command = [*_command(place, order), "--index", str(index)]
    spec = _task_template(place, order, command, longest=len(order.chunks[index]))
    return _job(place, f"{order.name}-{index}", order, {"backoffLimit": 0}, spec, str(index))


def indexed_job(place: Place, order: Order) -> dict[str, Any]:
    """One Job with a pod for every chunk of an order; a pod that is lost ends no other.

    For servers from 1.29, which count failures of each index.
    """
    command = [*_command(place, order), "--index", "$(JOB_COMPLETION_INDEX)"]
    longest = max(map(len, order.chunks))
    spec = _task_template(place, order, command, longest=longest)
    wide = {
        "completionMode": "Indexed",
        "completions": len(order.chunks),
        "parallelism": len(order.chunks),
        "backoffLimitPerIndex": 0,
        "podReplacementPolicy": "Failed",
    }
    return _job(place, order.name, order, wide, spec, None)


def driver_job(place: Place, command: Sequence[str], server: tuple[int, int]) -> dict[str, Any]:
    """The Job that drives a run in the cluster; those of its tasks belong to it."""
    settings, labels = place.settings, {**place.run.labels, ROLE: "driver"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name(place.run, "driver", place.run.word[:6]),
            "labels": {**settings.labels, **labels},
        },
        "spec": {**driver_spec(settings, labels, command, place.store), **giving_up(server)},
    }


def giving_up(server: tuple[int, int]) -> dict[str, Any]:
    """What keeps a Job from driving again a run that has failed, where the server can be told."""
    if server < _POLICY:
        return {}
    failed = {"containerName": CONTAINER, "operator": "In", "values": list(_ENDED)}
    # the schema of 1.27 asks for the conditions too
    rule = {"action": "FailJob", "onExitCodes": failed, "onPodConditions": []}
    return {"podFailurePolicy": {"rules": [rule]}}


def driver_spec(
    settings: Settings,
    labels: Mapping[str, str],
    command: Sequence[str],
    store: str,
) -> dict[str, Any]:
    """The `spec` of a Job whose pod is the driver of a run: it may make Jobs itself."""
    own = [
        {"name": name, "valueFrom": {"fieldRef": {"fieldPath": f"metadata.labels['{key}']"}}}
        for name, key in ((DRIVER_JOB, "job-name"), (DRIVER_UID, "controller-uid"))
    ]
    asked = ResourceSpec(cpu=settings.cpu, memory=settings.memory)
    spec = pod_spec(settings, settings.image or "", [*_NBFLOW, *command], asked, store)
    spec["containers"][0]["env"] += own
    account = settings.driver_account or settings.service_account
    if account:
        spec["serviceAccountName"] = account
    spec["automountServiceAccountToken"] = True
    return {
        # a node that is lost takes the driver with it: another one goes on
        "backoffLimit": _DRIVERS,
        "ttlSecondsAfterFinished": math.ceil(settings.ttl),
        "template": _template(settings, labels, spec),
    }


def pod_spec(
    settings: Settings,
    image: str,
    command: Sequence[str],
    resources: ResourceSpec,
    store: str,
    env: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The `spec` of a pod that runs one command of nbflow's."""
    variables = {"NBFLOW_STORE": store, **settings.env, **(env or {})}
    container: dict[str, Any] = {
        "name": CONTAINER,
        "image": image,
        "command": list(command),
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        # what nbflow has to say when it cannot start stands in the pod's status
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    amounts = requests(settings, resources)
    if amounts:
        container["resources"] = {"requests": amounts, "limits": amounts}
    if settings.pull_policy:
        container["imagePullPolicy"] = settings.pull_policy
    if settings.secrets:
        container["envFrom"] = [{"secretRef": {"name": name}} for name in settings.secrets]
    if settings.volumes:
        container["volumeMounts"] = [
            {
                "name": f"volume-{at}",
                "mountPath": volume.mount,
                **({"readOnly": True} if volume.read_only else {}),
                **({"subPath": volume.sub_path} if volume.sub_path else {}),
            }
            for at, volume in enumerate(settings.volumes)
        ]
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": GRACE,
        # tasks have no business with the cluster's API
        "automountServiceAccountToken": False,
        # nor with the addresses of whatever else runs in the namespace
        "enableServiceLinks": False,
        "containers": [container],
    }
    if settings.volumes:
        spec["volumes"] = [
            {"name": f"volume-{at}", **volume.source} for at, volume in enumerate(settings.volumes)
        ]
    named: dict[str, Any] = {
        "serviceAccountName": settings.service_account,
        "nodeSelector": dict(settings.node_selector),
        "tolerations": [dict(one) for one in settings.tolerations],
        "imagePullSecrets": [{"name": name} for name in settings.pull_secrets],
    }
    spec |= {name: value for name, value in named.items() if value}
    return _merged(spec, settings.pod)


def requests(settings: Settings, resources: ResourceSpec) -> dict[str, str]:
    """What a task asks for as Kubernetes counts it: both the request and the limit."""
    cpu, memory = resources.cpu or settings.cpu, resources.memory or settings.memory
    amounts = {
        "cpu": cpu and cores(cpu),
        "memory": memory and str(math.ceil(memory)),
        "ephemeral-storage": resources.disk and str(math.ceil(resources.disk)),
        settings.gpu_resource: resources.gpu and str(resources.gpu),
    }
    return {name: amount for name, amount in amounts.items() if amount}


def cores(number: float) -> str:
    """A number of cores as a quantity: `2`, `500m`."""
    milli = math.ceil(number * 1000 - 1e-6)
    return str(milli // 1000) if milli % 1000 == 0 else f"{milli}m"


def step_image(settings: Settings, step: StepSpec) -> str | None:
    """The image that a step's tasks run in: its own, that of its environment, or the usual one."""
    if step.resources.image:
        return step.resources.image
    return settings.images.get(step.env) if step.env else settings.image


def _command(place: Place, order: Order) -> list[str]:
    run = place.run.path
    return [*_NBFLOW, "step", order.step.name, "--run", run, "--order", order.name]


def _task_template(
    place: Place, order: Order, command: list[str], *, longest: int
) -> dict[str, Any]:
    settings, step = place.settings, order.step
    asked = step.resources if order.part == "main" else ResourceSpec()
    image = step_image(settings, step) or ""
    spec = pod_spec(settings, image, command, asked, place.store)
    if step.timeout is not None:
        # the pod ends its tasks in time itself: this is for one that cannot
        spec["activeDeadlineSeconds"] = math.ceil(longest * step.timeout) + _MARGIN
    return _template(settings, _labels(place, step), spec)


def _template(
    settings: Settings, labels: Mapping[str, str], spec: dict[str, Any]
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"labels": {**settings.labels, **labels}}
    if settings.annotations:
        metadata["annotations"] = dict(settings.annotations)
    return {"metadata": metadata, "spec": spec}


def _job(
    place: Place,
    name: str,
    order: Order,
    extent: dict[str, Any],
    template: dict[str, Any],
    index: str | None,
) -> dict[str, Any]:
    settings = place.settings
    marks = {ORDER: order.name} if index is None else {ORDER: order.name, INDEX: index}
    metadata: dict[str, Any] = {
        "name": name,
        "labels": {**settings.labels, **_labels(place, order.step)},
        "annotations": {**settings.annotations, **marks},
        **owned(place.owner),
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {
            **extent,
            "ttlSecondsAfterFinished": math.ceil(settings.ttl),
            "template": template,
        },
    }


def job(
    place: Place, name: str, labels: Mapping[str, str], spec: dict[str, Any], owner: Owner | None
) -> dict[str, Any]:
    """A Job of one pod, which is not started again."""
    settings = place.settings
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": {**settings.labels, **labels}, **owned(owner)},
        "spec": {
            "backoffLimit": 0,
            "ttlSecondsAfterFinished": math.ceil(settings.ttl),
            "template": _template(settings, labels, spec),
        },
    }


def owned(owner: Owner | None) -> dict[str, Any]:
    """What an object's metadata says of the Job that it goes with."""
    if owner is None:
        return {}
    reference = {"apiVersion": "batch/v1", "kind": "Job", "name": owner.name, "uid": owner.uid}
    return {"ownerReferences": [reference]}


def _labels(place: Place, step: StepSpec) -> dict[str, str]:
    return {**place.run.labels, ROLE: "task", "nbflow/step": label(step.name)}


def _merged(spec: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """The spec with what the user adds: tables are merged, anything else is replaced."""
    merged = dict(spec)
    for name, value in more.items():
        held = merged.get(name)
        both = isinstance(held, Mapping) and isinstance(value, Mapping)
        merged[name] = _merged(dict(held), value) if both else value  # type: ignore[arg-type]
    return merged
