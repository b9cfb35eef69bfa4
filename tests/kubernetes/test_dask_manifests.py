"""What brings Dask up, checked by the schemas of several versions of Kubernetes."""

from __future__ import annotations

from typing import Any

from kubeschemas import strictly_valid

from nbflow.kubernetes.dask_manifests import dask_cluster, scheduler_job, worker_group, worker_job
from nbflow.kubernetes.groups import Group
from nbflow.kubernetes.manifests import Owner, Place
from nbflow.kubernetes.names import RunName
from nbflow.kubernetes.settings import read_settings
from nbflow.runtime.spec import ResourceSpec

TABLE = {
    "image": "registry.example/churn:1",
    "secrets": ["nbflow-store"],
    "volumes": [{"mount": "/data", "claim": "churn"}],
    "tolerations": [{"key": "gpu", "operator": "Exists"}],
    "labels": {"team": "risk"},
    "pull-secrets": ["registry"],
}
PLACE = Place(
    RunName("churn", 3, "0123456789ab"), read_settings(TABLE), "s3://x", Owner("drive", "1-2-3")
)
GROUP = Group("group1", ResourceSpec(cpu=2.0, memory=1e9, gpu=1), "registry.example/torch:2")


def deployed(spec: dict[str, Any]) -> dict[str, Any]:
    """A Deployment of such a pod, which the operator makes."""
    labels = {"app": "dask"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "dask"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def test_jobs_are_valid() -> None:
    strictly_valid(scheduler_job(PLACE, "churn-3-012345-scheduler", GROUP))
    owner = Owner("churn-3-012345-scheduler", "4-5-6")
    worker = worker_job(PLACE, "churn-3-012345-group1-abc", GROUP, "tcp://10.0.0.1:8786", owner)
    strictly_valid(worker)
    assert [one["uid"] for one in worker["metadata"]["ownerReferences"]] == ["4-5-6"]


def test_what_the_operator_makes_of_a_cluster_is_valid() -> None:
    cluster = dask_cluster(PLACE, "churn-3-012345", GROUP)
    assert [one["uid"] for one in cluster["metadata"]["ownerReferences"]] == ["1-2-3"]
    scheduler, worker = cluster["spec"]["scheduler"], cluster["spec"]["worker"]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "dask"}}
    strictly_valid({**service, "spec": scheduler["service"]})
    for spec in (scheduler["spec"], worker["spec"]):
        strictly_valid(deployed(spec))
    other = worker_group(PLACE, "churn-3-012345", GROUP)
    assert other["spec"] == {"cluster": "churn-3-012345", "worker": worker}
