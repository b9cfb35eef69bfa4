"""Dask manifests: a scheduler and groups of workers as dask-kubernetes' operator knows them."""

from __future__ import annotations

import re
from typing import Any

from nbflow.kubernetes.groups import Group
from nbflow.kubernetes.manifests import Place, pod_spec
from nbflow.kubernetes.names import ROLE, RunName
from nbflow.runtime.spec import ResourceSpec

API = "kubernetes.dask.org/v1"
PORT = 8786
_DASHBOARD = 8787

#: seconds without a task, and without a driver, after which the operator takes all of it down
IDLE = 120
#: seconds after which a worker that has lost its scheduler ends
_DEATH = 60

_SETTINGS = {
    "DASK_DISTRIBUTED__SCHEDULER__WORKER_SATURATION": "inf",
    # a task that kills its worker is a failed task, not one to try again elsewhere
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "false",
}
#: enough for the tasks of a run: they are small, and their values do not pass by
_SCHEDULER = {
    "requests": {"cpu": "200m", "memory": "512Mi"},
    "limits": {"memory": "2Gi"},
}


def cluster_name(run: RunName) -> str:
    """A name that leaves room for what the operator adds to it for groups, pods and services."""
    readable = re.sub(r"[^a-z0-9]+", "-", run.flow.lower())[:20].strip("-")
    if not readable[:1].isalpha():
        readable = f"run-{readable}".strip("-")
    return f"{readable}-{run.number}-{run.word[:6]}"


def dask_cluster(place: Place, name: str, home: Group) -> dict[str, Any]:
    """Scheduler and the first group of workers, none of which is there yet."""
    labels = _labels(place)
    metadata: dict[str, Any] = {"name": name, "labels": {**place.settings.labels, **labels}}
    if place.owner is not None:
        owner = {"apiVersion": "batch/v1", "kind": "Job"}
        metadata["ownerReferences"] = [owner | {"name": place.owner.name, "uid": place.owner.uid}]
    return {
        "apiVersion": API,
        "kind": "DaskCluster",
        "metadata": metadata,
        "spec": {
            "idleTimeout": IDLE,
            "scheduler": _scheduler(place, name, home),
            "worker": _workers(place, home),
        },
    }


def worker_group(place: Place, name: str, group: Group) -> dict[str, Any]:
    """Another group of workers, none of which is there yet."""
    labels = {**place.settings.labels, **_labels(place)}
    return {
        "apiVersion": API,
        "kind": "DaskWorkerGroup",
        "metadata": {"name": group_name(name, group), "labels": labels},
        "spec": {"cluster": name, "worker": _workers(place, group)},
    }


def group_name(cluster: str, group: Group) -> str:
    """What the operator calls a group of a cluster; its workers' names begin with it."""
    return f"{cluster}-{group.name}"


def _labels(place: Place) -> dict[str, str]:
    return {**place.run.labels, ROLE: "dask"}


def _scheduler(place: Place, name: str, home: Group) -> dict[str, Any]:
    command = ["python", "-m", "dask", "scheduler", "--host", "0.0.0.0", "--port", f"{PORT}"]
    command += ["--dashboard-address", f":{_DASHBOARD}"]
    spec = _pod(place, home.image, command, ResourceSpec())
    health = {"httpGet": {"port": "http-dashboard", "path": "/health"}}
    ports = {"tcp-comm": PORT, "http-dashboard": _DASHBOARD}
    spec["containers"][0] |= {
        "name": "scheduler",
        "resources": _SCHEDULER,
        "ports": [
            {"name": port, "containerPort": number, "protocol": "TCP"}
            for port, number in ports.items()
        ],
        "readinessProbe": {**health, "periodSeconds": 1, "timeoutSeconds": 10},
        "livenessProbe": {
            **health,
            "initialDelaySeconds": 30,
            "periodSeconds": 20,
            "timeoutSeconds": 10,
        },
    }
    service = {
        "type": "ClusterIP",
        "selector": {"dask.org/cluster-name": name, "dask.org/component": "scheduler"},
        "ports": [
            {"name": port, "protocol": "TCP", "port": number, "targetPort": port}
            for port, number in ports.items()
        ],
    }
    return {"spec": spec, "service": service}


def _workers(place: Place, group: Group) -> dict[str, Any]:
    command = ["python", "-m", "dask", "worker", "--name", "$(DASK_WORKER_NAME)"]
    # tasks run in a process of their own: the worker only waits for it
    command += ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0"]
    command += ["--death-timeout", f"{_DEATH}", "--resources", f"{group.mark}=1"]
    spec = _pod(place, group.image, command, group.resources)
    spec["containers"][0]["name"] = "worker"
    return {"replicas": 0, "spec": spec}


def _pod(place: Place, image: str, command: list[str], resources: ResourceSpec) -> dict[str, Any]:
    spec = pod_spec(place.settings, image, command, resources, place.store, _SETTINGS)
    # the operator wraps pods in Deployments, which start them again
    del spec["restartPolicy"]
    return spec
