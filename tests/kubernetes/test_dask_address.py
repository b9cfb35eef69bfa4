"""Runs on a Dask cluster that is there already, by the address of its scheduler's Service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from kuberun import ended, until
from test_kube_detached import start, write

from nbflow.cli.group import call
from nbflow.config import find_store
from nbflow.kubernetes.access import connect
from nbflow.kubernetes.forward import Forward
from nbflow.kubernetes.settings import Settings

NAME = "dask"


@pytest.fixture
def scheduler(kube: Any, real_node: None, tmp_path: Path) -> str:
    """A scheduler and a worker, as somebody else has brought them up; the scheduler's pod."""
    core = client.CoreV1Api(kube.api())
    port = [{"name": "comm", "port": 8786}]
    service = {"selector": {"app": NAME}, "ports": port}
    core.create_namespaced_service(kube.namespace, {"metadata": {"name": NAME}, "spec": service})
    dask = ["python", "-m", "dask"]
    pod = _pod(kube, tmp_path, NAME, [*dask, "scheduler", "--no-dashboard"])
    listens = {"tcpSocket": {"port": 8786}, "periodSeconds": 1}
    pod["spec"]["containers"][0]["readinessProbe"] = listens
    core.create_namespaced_pod(kube.namespace, pod)
    words = [*dask, "worker", f"tcp://{NAME}:8786", "--nthreads", "2", "--no-dashboard"]
    core.create_namespaced_pod(kube.namespace, _pod(kube, tmp_path, "worker", words))
    return NAME


def _pod(kube: Any, folder: Path, name: str, command: list[str]) -> dict[str, Any]:
    mount = [{"name": "store", "mountPath": str(folder)}]
    container = {"name": name, "image": kube.image, "command": command, "volumeMounts": mount}
    volumes = [{"name": "store", "hostPath": {"path": str(folder)}}]
    return {
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [container], "volumes": volumes},
    }


def _ran_there(folder: Path) -> None:
    store = find_store(folder)
    run = ended(store)
    assert (run.status, run.error, run.metrics) == ("succeeded", None, {"best": 4})
    tasks = store.tasks(run.id)
    assert {str(task.worker).partition("-")[0] for task in tasks} == {"worker"}


def test_by_cluster_dns_from_a_driver_in_the_cluster(
    kube: Any,
    scheduler: str,
    account: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = write(kube, tmp_path)
    monkeypatch.chdir(tmp_path)
    start(path, capfd, "--workers", f"tcp://{NAME}.{kube.namespace}:8786")
    _ran_there(tmp_path)


# the image's packages are not those of this Python: Dask says so, and rightly
@pytest.mark.filterwarnings("ignore::distributed.versions.VersionMismatchWarning")
def test_by_a_forwarded_port_from_elsewhere(
    kube: Any,
    scheduler: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = write(kube, tmp_path)
    monkeypatch.chdir(tmp_path)
    core = client.CoreV1Api(kube.api())

    def ready() -> bool:
        status = core.read_namespaced_pod(scheduler, kube.namespace).status
        return any(one.ready for one in status.container_statuses or ())

    until("the scheduler", ready)
    # what `kubectl port-forward` does
    forward = Forward(connect(Settings()), scheduler, 8786)
    try:
        assert call(["run", str(path), "--on", f"tcp://127.0.0.1:{forward.port}", "--json"]) == 0
    finally:
        forward.close()
    assert json.loads(capfd.readouterr().out)["status"] == "succeeded"
    _ran_there(tmp_path)
