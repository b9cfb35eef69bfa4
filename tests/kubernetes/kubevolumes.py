"""What a pod of the stand-in node is given: its volumes as folders, and its environment."""

from __future__ import annotations

import base64
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubeplane import NODE_NAME
from kubernetes import client

if TYPE_CHECKING:
    from kubepod import ProcessPod

#: what a wrong specification raises
FAILURES = (client.ApiException, KeyError, ValueError)


def expand(text: str, variables: dict[str, str]) -> str:
    """`$(NAME)` replaced as in a container's command."""

    def value(match: re.Match[str]) -> str:
        return "$" if match[0] == "$$" else variables.get(match[1], match[0])

    return re.sub(r"\$\$|\$\(([A-Za-z_.-][\w.-]*)\)", value, text)


def environment(pod: ProcessPod, container: dict[str, Any]) -> dict[str, str]:
    """The variables of a container: the tests' own commands first on its PATH."""
    system = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
    variables = {
        "PATH": f"{Path(sys.executable).parent}:{system}",
        "HOME": "/root" if os.getuid() == 0 else os.environ.get("HOME", "/"),
        "HOSTNAME": pod.name,
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": str(pod.node.plane.port),
    }
    for source in container.get("envFrom", []):
        kind = "configMapRef" if "configMapRef" in source else "secretRef"
        found = _data(pod, kind, source[kind]["name"], source[kind].get("optional", False))
        prefix = source.get("prefix", "")
        variables |= {prefix + name: value for name, value in found.items()}
    for one in container.get("env", []):
        value = _value(pod, container, one, variables)
        if value is not None:
            variables[one["name"]] = value
    return variables


def make_volumes(pod: ProcessPod) -> dict[str, Path]:
    """The volumes of a pod, by name."""
    folders: dict[str, Path] = {}
    for volume in pod.spec.get("volumes", []):
        folder = pod.folder / "volumes" / volume["name"]
        folder.mkdir(parents=True)
        if "emptyDir" in volume:
            folder.chmod(0o777)
        elif "hostPath" in volume:
            folder = Path(volume["hostPath"]["path"])
            if volume["hostPath"].get("type") == "DirectoryOrCreate":
                folder.mkdir(parents=True, exist_ok=True)
        elif "persistentVolumeClaim" in volume:
            folder = _claimed(pod, volume["persistentVolumeClaim"]["claimName"])
        elif "downwardAPI" in volume:
            for item in volume["downwardAPI"]["items"]:
                (folder / item["path"]).write_text(_field(pod, item["fieldRef"]["fieldPath"]))
        elif "configMap" in volume:
            source = volume["configMap"]
            _put(folder, _data(pod, "configMap", source["name"], source.get("optional")), source)
        elif "secret" in volume:
            source = volume["secret"]
            _put(folder, _data(pod, "secret", source["secretName"], source.get("optional")), source)
        else:
            kinds = ", ".join(sorted(set(volume) - {"name"}))
            raise ValueError(f"volume {volume['name']}: no {kinds} on a process node")
        folders[volume["name"]] = folder
    return folders


def _put(folder: Path, data: dict[str, str], source: dict[str, Any]) -> None:
    items = source.get("items") or [{"key": key, "path": key} for key in data]
    for item in items:
        path = folder / item["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(data[item["key"]])


def _data(pod: ProcessPod, kind: str, name: str, optional: bool | None) -> dict[str, str]:
    core = pod.node.core
    try:
        if kind.startswith("configMap"):
            return dict(core.read_namespaced_config_map(name, pod.namespace).data or {})
        found = core.read_namespaced_secret(name, pod.namespace).data or {}
    except client.ApiException:
        if optional:
            return {}
        raise
    return {key: base64.b64decode(value).decode() for key, value in found.items()}


def _claimed(pod: ProcessPod, name: str) -> Path:
    claim = pod.node.core.read_namespaced_persistent_volume_claim(name, pod.namespace)
    volume = pod.node.core.read_persistent_volume(claim.spec.volume_name)
    return Path(volume.spec.host_path.path)


def _value(
    pod: ProcessPod, container: dict[str, Any], one: dict[str, Any], variables: dict[str, str]
) -> str | None:
    source = one.get("valueFrom")
    if not source:
        return expand(one.get("value", ""), variables)
    if "fieldRef" in source:
        return _field(pod, source["fieldRef"]["fieldPath"])
    if "resourceFieldRef" in source:
        side, _, name = source["resourceFieldRef"]["resource"].partition(".")
        return str(container.get("resources", {}).get(side, {}).get(name, ""))
    kind = "configMapKeyRef" if "configMapKeyRef" in source else "secretKeyRef"
    asked = source[kind]
    found = _data(pod, kind, asked["name"], asked.get("optional"))
    return found.get(asked["key"]) if asked.get("optional") else found[asked["key"]]


def _field(pod: ProcessPod, path: str) -> str:
    about = pod.raw["metadata"]
    named = re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path)
    if named:
        return str(about.get(named[1], {}).get(named[2], ""))
    return {
        "metadata.name": pod.name,
        "metadata.namespace": pod.namespace,
        "metadata.uid": pod.uid,
        "spec.nodeName": NODE_NAME,
        "spec.serviceAccountName": pod.spec.get("serviceAccountName", ""),
        "status.podIP": pod.address,
        "status.hostIP": "127.0.0.1",
    }[path]
