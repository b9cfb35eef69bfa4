"""That wrong manifests are found out, by the schemas or by the API server."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from kubernetes.client import ApiException
from kubeschemas import VERSIONS, accepted, strictly_valid

CONTAINER = {"name": "main", "image": "image:1", "command": ["true"]}
POD = {"restartPolicy": "Never", "containers": [CONTAINER]}
JOB = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "try"},
    "spec": {"completions": 2, "completionMode": "Indexed", "template": {"spec": POD}},
}
CRON_JOB = {
    "apiVersion": "batch/v1",
    "kind": "CronJob",
    "metadata": {"name": "try"},
    "spec": {"schedule": "0 6 * * *", "timeZone": "Etc/UTC", "jobTemplate": {"spec": JOB["spec"]}},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The job with one field set."""
    job = copy.deepcopy(JOB)
    *places, last = path.split(".")
    at: Any = job
    for place in places:
        at = at[int(place) if place.isdigit() else place]
    at[last] = value
    return job


@pytest.mark.parametrize("manifest", [JOB, CRON_JOB], ids=lambda manifest: manifest["kind"])
def test_a_right_one_is_valid(manifest: dict[str, Any]) -> None:
    strictly_valid(manifest)


def test_a_field_that_no_version_knows_is_refused_by_all() -> None:
    with pytest.raises(AssertionError) as refused:
        strictly_valid(changed("spec.parallel", 3))
    heads = [line.split(": ")[0] for line in str(refused.value).splitlines()]
    assert heads == ["Job try", *VERSIONS]


def test_a_newer_field_is_refused_by_older_versions() -> None:
    with pytest.raises(AssertionError, match=r"1.27: spec: .*'managedBy' was unexpected"):
        strictly_valid(changed("spec.managedBy", "nbflow"), ["1.27", "1.33"])


@pytest.mark.parametrize("manifest", [JOB, CRON_JOB], ids=lambda manifest: manifest["kind"])
def test_a_right_one_is_accepted(kube: Any, manifest: dict[str, Any]) -> None:
    accepted(kube.api(), kube.namespace, manifest)


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("metadata.name", "No_Name", "metadata.name"),
        ("spec.template.spec.restartPolicy", "Always", "restartPolicy"),
        ("spec.template.spec.containers.0.resources", {"limits": {"cpu": "much"}}, "quantities"),
        (
            "spec.template.spec.containers.0.volumeMounts",
            [{"name": "none", "mountPath": "/data"}],
            "volumeMounts",
        ),
    ],
)
def test_what_the_schemas_let_through_the_server_refuses(
    kube: Any, path: str, value: Any, why: str
) -> None:
    strictly_valid(changed(path, value))
    with pytest.raises(ApiException) as refused:
        accepted(kube.api(), kube.namespace, changed(path, value))
    assert why in refused.value.body
