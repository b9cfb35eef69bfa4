"""Dask manifests: a scheduler and its workers, for dask-kubernetes' operator or as Jobs."""

from __future__ import annotations

import re
from typing import Any

from nbflow.kubernetes.groups import Group
from nbflow.kubernetes.manifests import Owner, Place, job, owned, pod_spec
from nbflow.kubernetes.names import GROUP, ROLE, RunName
from nbflow.runtime.spec import ResourceSpec

API = "kubernetes.dask.org/v1"
PORT = 8786
_DASHBOARD = 8787
_PORTS = {"tcp-comm": PORT, "http-dashboard": _DASHBOARD}

#: what the pods of Jobs are for
SCHEDULER, WORKER = "dask-scheduler", "dask-worker"

#: seconds without a task, and without a driver, after which all of it is taken down
IDLE = 30
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
    labels = {**place.settings.labels, **_labels(place)}
    metadata: dict[str, Any] = {"name": name, "labels": labels, **owned(place.owner)}
    return {
        "apiVersion": API,
        "kind": "DaskCluster",
        "metadata": metadata,
        "spec": {
            "idleTimeout": IDLE,
            "scheduler": {
                "spec": _started_again(_scheduler(place, home)),
                "service": _service(name),
            },
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


def scheduler_job(place: Place, name: str, home: Group) -> dict[str, Any]:
    """The scheduler as a Job, which ends where it has nothing to do and its driver is gone."""
    spec = _scheduler(place, home, "--idle-timeout", f"{IDLE}")
    return job(place, name, {**_labels(place), ROLE: SCHEDULER}, spec, place.owner)


def worker_job(
    place: Place, name: str, group: Group, address: str, scheduler: Owner
) -> dict[str, Any]:
    """One worker as a Job, which goes with that of its scheduler."""
    spec = _worker(place, group)
    own = {"DASK_WORKER_NAME": name, "DASK_SCHEDULER_ADDRESS": address}
    spec["containers"][0]["env"] += [{"name": key, "value": own[key]} for key in own]
    labels = {**_labels(place), ROLE: WORKER, GROUP: group.name}
    return job(place, name, labels, spec, scheduler)


def _labels(place: Place) -> dict[str, str]:
    return {**place.run.labels, ROLE: "dask"}


def _scheduler(place: Place, home: Group, *more: str) -> dict[str, Any]:
    command = ["python", "-m", "dask", "scheduler", "--host", "0.0.0.0", "--port", f"{PORT}"]
    command += ["--dashboard-address", f":{_DASHBOARD}", *more]
    spec = pod_spec(place.settings, home.image, command, ResourceSpec(), place.store, _SETTINGS)
    health = {"httpGet": {"port": "http-dashboard", "path": "/health"}}
    spec["containers"][0] |= {
        "name": "scheduler",
        "resources": _SCHEDULER,
        "ports": [
            {"name": port, "containerPort": number, "protocol": "TCP"}
            for port, number in _PORTS.items()
        ],
        "readinessProbe": {**health, "periodSeconds": 1, "timeoutSeconds": 10},
        "livenessProbe": {
            **health,
            "initialDelaySeconds": 30,
            "periodSeconds": 20,
            "timeoutSeconds": 10,
        },
    }
    return spec


def _service(name: str) -> dict[str, Any]:
    return {
        "type": "ClusterIP",
        "selector": {"dask.org/cluster-name": name, "dask.org/component": "scheduler"},
        "ports": [
            {"name": port, "protocol": "TCP", "port": number, "targetPort": port}
            for port, number in _PORTS.items()
        ],
    }


def _workers(place: Place, group: Group) -> dict[str, Any]:
    return {"replicas": 0, "spec": _started_again(_worker(place, group))}


def _worker(place: Place, group: Group) -> dict[str, Any]:
    command = ["python", "-m", "dask", "worker", "--name", "$(DASK_WORKER_NAME)"]
    # tasks run in a process of their own: the worker only waits for it
    command += ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0"]
    command += ["--death-timeout", f"{_DEATH}", "--resources", f"{group.mark}=1"]
    asked, image = group.resources, group.image
    spec = pod_spec(place.settings, image, command, asked, place.store, _SETTINGS)
    spec["containers"][0]["name"] = "worker"
    return spec


def _started_again(spec: dict[str, Any]) -> dict[str, Any]:
    """The operator wraps pods in Deployments, which know no other way."""
    return {name: value for name, value in spec.items() if name != "restartPolicy"}
