"""The manifests of tasks and drivers: what they say, and that every Kubernetes takes them."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kubeschemas import accepted, strictly_valid

sys.path.insert(0, str(Path(__file__).parents[1] / "nbflow" / "runtime"))

from handmade import step

from nbflow.kubernetes.manifests import (
    Order,
    Owner,
    Place,
    chunk_job,
    driver_job,
    indexed_job,
    requests,
    step_image,
)
from nbflow.kubernetes.names import RunName
from nbflow.kubernetes.settings import read_settings
from nbflow.runtime.spec import ResourceSpec, StepSpec, read_spec

RUN = RunName("churn", 42, "0123456789ab")
TABLE: dict[str, Any] = {
    "image": "registry.example/churn:1",
    "pull-policy": "IfNotPresent",
    "pull-secrets": ["registry"],
    "service-account": "tasks",
    "driver-account": "nbflow-driver",
    "node-selector": {"pool": "batch"},
    "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
    "volumes": [
        {"mount": "/data", "claim": "churn-data", "read-only": True},
        {"mount": "/scratch", "empty-dir": "10GiB"},
        {"mount": "/dev/shm", "memory": "1GiB"},
        {"mount": "/etc/churn", "config-map": "churn"},
        {"mount": "/keys", "secret": "keys", "sub-path": "id"},
        {"mount": "/nfs", "source": {"nfs": {"server": "nfs.example", "path": "/"}}},
    ],
    "secrets": ["nbflow-store", "warehouse"],
    "env": {"OMP_NUM_THREADS": 1},
    "gpu-resource": "amd.com/gpu",
    "cpu": 0.5,
    "memory": "512MiB",
    "labels": {"team": "growth"},
    "annotations": {"example.com/cost": "growth"},
    "pod": {"priorityClassName": "batch", "securityContext": {"runAsUser": 1000}},
}


def spec_of(**more: Any) -> StepSpec:
    train = step("train model", outputs=("value",), **more) | {"code": "", "function": "train"}
    manifest = {"name": "churn", "package": "churn", "steps": [train]}
    return read_spec(manifest).step("train model")


def order(spec: StepSpec, *chunks: tuple[str, ...]) -> Order:
    return Order("churn-42-train-model-1abcdef", spec, "main", 1, chunks or (("0", "1"), ("2",)))


def place(table: dict[str, Any], owner: Owner | None = None) -> Place:
    return Place(RUN, read_settings(table), "postgresql://nbflow@db.example/runs", owner)


def test_a_plain_job() -> None:
    made = chunk_job(place({"image": "churn:1"}), order(spec_of()), 1)
    labels = {
        "app.kubernetes.io/managed-by": "nbflow",
        "nbflow/id": "0123456789ab",
        "nbflow/run": "churn-42",
        "nbflow/flow": "churn",
        "nbflow/role": "task",
        "nbflow/step": "train-model",
    }
    words = "step|train model|--run|churn/42|--order|churn-42-train-model-1abcdef|--index|1"
    assert made == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": "churn-42-train-model-1abcdef-1",
            "labels": labels,
            "annotations": {"nbflow/order": "churn-42-train-model-1abcdef", "nbflow/index": "1"},
        },
        "spec": {
            "backoffLimit": 0,
            "ttlSecondsAfterFinished": 600,
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "terminationGracePeriodSeconds": 15,
                    "containers": [
                        {
                            "name": "nbflow",
                            "image": "churn:1",
                            "command": ["python", "-m", "nbflow", *words.split("|")],
                            "env": [
                                {
                                    "name": "NBFLOW_STORE",
                                    "value": "postgresql://nbflow@db.example/runs",
                                }
                            ],
                            "terminationMessagePolicy": "FallbackToLogsOnError",
                        }
                    ],
                },
            },
        },
    }


def jobs() -> dict[str, dict[str, Any]]:
    asked = ResourceSpec(cpu=2, memory=16 << 30, gpu=1, disk=20 << 30)
    spec = replace(spec_of(timeout=90.0), resources=asked)
    owner = Owner("churn-42-driver-012345", "12345678-90ab-cdef-1234-567890abcdef")
    return {
        "plain": chunk_job(place({"image": "churn:1"}), order(spec_of()), 0),
        "full": chunk_job(place(TABLE, owner), order(spec), 0),
        "indexed": indexed_job(place(TABLE, owner), order(spec)),
        "driver": driver_job(place(TABLE), ["drive", "churn/42"], (1, 20)),
        "heeding driver": driver_job(place(TABLE), ["drive", "churn/42"], (1, 26)),
    }


@pytest.mark.parametrize("name", jobs())
def test_every_kubernetes_knows_every_field(name: str) -> None:
    # the ones with newer fields are sent only to servers that have these
    strictly_valid(jobs()[name], *([["1.30", "1.33", "1.37"]] if name == "indexed" else []))


@pytest.mark.parametrize("name", jobs())
def test_the_api_server_takes_it(kube: Any, name: str) -> None:
    accepted(kube.api(), kube.namespace, jobs()[name])


def test_what_a_profile_says_of_pods() -> None:
    spec = jobs()["full"]["spec"]["template"]["spec"]
    container = spec["containers"][0]
    amounts = {
        "cpu": "2",
        "memory": "17179869184",
        "ephemeral-storage": "21474836480",
        "amd.com/gpu": "1",
    }
    assert container["resources"] == {"requests": amounts, "limits": amounts}
    assert container["envFrom"] == [
        {"secretRef": {"name": "nbflow-store"}},
        {"secretRef": {"name": "warehouse"}},
    ]
    assert {"name": "OMP_NUM_THREADS", "value": "1"} in container["env"]
    assert [
        (one["mountPath"], one.get("readOnly", False)) for one in container["volumeMounts"]
    ] == [
        ("/data", True),
        ("/scratch", False),
        ("/dev/shm", False),
        ("/etc/churn", False),
        ("/keys", False),
        ("/nfs", False),
    ]
    assert spec["volumes"][0]["persistentVolumeClaim"] == {"claimName": "churn-data"}
    assert spec["volumes"][1]["emptyDir"] == {"sizeLimit": "10737418240"}
    assert spec["tolerations"] == TABLE["tolerations"]
    assert spec["nodeSelector"] == {"pool": "batch"}
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    assert spec["serviceAccountName"] == "tasks"
    assert spec["priorityClassName"] == "batch"
    assert spec["securityContext"] == {"runAsUser": 1000}
    # the pod of two tasks may live twice as long as one may take, and a while longer
    assert spec["activeDeadlineSeconds"] == 2 * 90 + 900


def test_the_driver_has_an_account_of_its_own_and_knows_its_job() -> None:
    made = jobs()["heeding driver"]
    spec = made["spec"]["template"]["spec"]
    assert spec["serviceAccountName"] == "nbflow-driver"
    assert spec["automountServiceAccountToken"] is True
    fields = [
        one["valueFrom"]["fieldRef"]["fieldPath"] for one in spec["containers"][0]["env"][-2:]
    ]
    assert fields == ["metadata.labels['job-name']", "metadata.labels['controller-uid']"]
    (rule,) = made["spec"]["podFailurePolicy"]["rules"]
    assert rule["onExitCodes"]["values"] == [1, 2]
    assert "podFailurePolicy" not in jobs()["driver"]["spec"]


def test_tasks_belong_to_the_driver() -> None:
    (owner,) = jobs()["indexed"]["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("Job", "churn-42-driver-012345")


def test_what_a_task_does_not_say_the_settings_do() -> None:
    settings = read_settings(TABLE)
    assert requests(settings, ResourceSpec()) == {"cpu": "500m", "memory": "536870912"}
    assert requests(settings, ResourceSpec(cpu=1.5, gpu=2)) == {
        "cpu": "1500m",
        "memory": "536870912",
        "amd.com/gpu": "2",
    }
    assert requests(read_settings({}), ResourceSpec()) == {}


def test_the_image_of_a_step() -> None:
    settings = read_settings({"image": "usual:1", "images": {"torch": "torch:1"}})
    assert step_image(settings, spec_of()) == "usual:1"
    assert step_image(settings, spec_of(env="torch")) == "torch:1"
    own = replace(spec_of(env="torch"), resources=ResourceSpec(image="own:1"))
    assert step_image(settings, own) == "own:1"
