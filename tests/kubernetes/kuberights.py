"""A user of the test cluster who has some rights in the test's namespace, and no others."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client
from kuberun import until

#: of which kind of resource (its group first), and what is done with it
Right = tuple[str, str, str]


def kubeconfig_with(kube: Any, rights: Sequence[Right], folder: Path, name: str = "some") -> Path:
    """A kubeconfig of a user with just these rights."""
    api = kube.api()
    core, where = client.CoreV1Api(api), kube.namespace
    core.create_namespaced_service_account(where, {"metadata": {"name": name}})
    give(kube, rights, name)
    own = {"kubernetes.io/service-account.name": name}
    secret = {"metadata": {"name": f"{name}-word", "annotations": own}}
    secret["type"] = "kubernetes.io/service-account-token"
    core.create_namespaced_secret(where, secret)
    data = until("a token", lambda: core.read_namespaced_secret(f"{name}-word", where).data)
    config = yaml.safe_load(Path(kube.kubeconfig).read_text())
    token = base64.b64decode(data["token"]).decode()
    config["users"] = [{"name": name, "user": {"token": token}}]
    for context in config["contexts"]:
        context["context"] |= {"user": name, "namespace": where}
    path = folder / f"{name}.kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


def give(kube: Any, rights: Sequence[Right], account: str) -> None:
    """A Role with just these rights, for an account of the test's namespace."""
    api = client.RbacAuthorizationV1Api(kube.api())
    rules = [
        {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
        for group, resource, verb in rights
    ]
    api.create_namespaced_role(kube.namespace, {"metadata": {"name": account}, "rules": rules})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": account}
    subject = {"kind": "ServiceAccount", "name": account, "namespace": kube.namespace}
    binding = {"metadata": {"name": account}, "roleRef": role, "subjects": [subject]}
    api.create_namespaced_role_binding(kube.namespace, binding)
