"""dask-kubernetes' operator on the test cluster: its own definitions, its controller in a pod."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client

NAMESPACE = NAME = "dask-operator"
_COMMAND = ["kopf", "run", "--standalone", "--all-namespaces"]
_COMMAND += ["-m", "dask_kubernetes.operator.controller"]


def install_operator(api: Any, image: str) -> None:
    """Install it where it is not; returns when its kinds are known and its pod runs."""
    kinds = client.ApiextensionsV1Api(api)
    known = {one.metadata.name for one in kinds.list_custom_resource_definition().items}
    for definition in _definitions():
        if definition["metadata"]["name"] not in known:
            kinds.create_custom_resource_definition(definition)
    core, apps = client.CoreV1Api(api), client.AppsV1Api(api)
    if NAMESPACE not in {one.metadata.name for one in core.list_namespace().items}:
        core.create_namespace({"metadata": {"name": NAMESPACE}})
        core.create_namespaced_service_account(NAMESPACE, {"metadata": {"name": NAME}})
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole"}
        subject = {"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}
        binding = {
            "metadata": {"name": NAME},
            "roleRef": {**role, "name": "cluster-admin"},
            "subjects": [subject],
        }
        client.RbacAuthorizationV1Api(api).create_cluster_role_binding(binding)
        apps.create_namespaced_deployment(NAMESPACE, _deployment(image))
    end = time.monotonic() + 90
    while time.monotonic() < end:
        if apps.read_namespaced_deployment(NAME, NAMESPACE).status.ready_replicas:
            return
        time.sleep(0.2)
    raise TimeoutError(core.list_namespaced_pod(NAMESPACE).items)


def _definitions() -> list[dict[str, Any]]:
    """The kinds, as the operator's chart has them."""
    found = importlib.util.find_spec("dask_kubernetes")
    assert found is not None
    assert found.submodule_search_locations is not None
    package = Path(found.submodule_search_locations[0])
    folder = package / "operator/deployment/helm/dask-kubernetes-operator/crds"
    return [yaml.safe_load(path.read_text()) for path in sorted(folder.glob("*.yaml"))]


def _deployment(image: str) -> dict[str, Any]:
    alive = "http://0.0.0.0:8080/healthz"
    container = {
        "name": "operator",
        "image": image,
        "command": [*_COMMAND, f"--liveness={alive}"],
        "readinessProbe": {"httpGet": {"port": 8080, "path": "/healthz"}, "periodSeconds": 1},
    }
    spec = {"serviceAccountName": NAME, "containers": [container]}
    labels = {"app": NAME}
    return {
        "metadata": {"name": NAME, "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }
