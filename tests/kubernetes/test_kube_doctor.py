"""`nbflow doctor --on kubernetes`: a line for each thing, and the fix where one is wrong."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, utils
from kuberun import nothing_left, write_settings
from kubeschemas import accepted, strictly_valid

from nbflow.cli.group import call
from nbflow.kubernetes.probe import Answer, probe_job, read, report
from nbflow.kubernetes.settings import read_settings
from nbflow.store import open_store

ROLES = Path(__file__).parents[2] / "docs" / "kubernetes-rbac.yaml"
Look = Callable[..., dict[str, dict[str, Any]]]


@pytest.fixture
def doctor(
    kube: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Look:
    """Runs it in a folder with a store that pods see; the findings by what they are of."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NBFLOW_STORE", str(tmp_path / ".nbflow"))
    open_store(tmp_path / ".nbflow").close()
    write_settings(kube, tmp_path, "cpu = 0.1")

    def look(status: int) -> dict[str, dict[str, Any]]:
        assert call(["doctor", "--on", "kubernetes", "--json"]) == status
        found = json.loads(capsys.readouterr().out)["findings"]
        return {one.pop("what"): one for one in found}

    return look


def test_all_is_well(kube: Any, doctor: Look, tmp_path: Path) -> None:
    for one in yaml.safe_load_all(ROLES.read_text()):
        utils.create_from_dict(kube.api(), one, namespace=kube.namespace)
    write_settings(kube, tmp_path, 'cpu = 0.1\ndriver-account = "nbflow-driver"')
    found = doctor(0)
    names = ["python", "packages", "cluster", "namespace", "rights", "driver", "nodes", "gpu"]
    assert list(found) == [*names, "quota", "workers", "image", "store"]
    assert found["cluster"]["said"].startswith("Kubernetes 1.20 at https://")
    assert found["driver"]["said"] == "the service account nbflow-driver may drive runs"
    assert found["nodes"]["said"].startswith("1 node; a task may have up to ")
    assert found["image"]["said"].startswith(f"{kube.image}: Python 3.11, nbflow 0.1")
    assert found["store"]["said"].startswith(f"pods can use {tmp_path}/.nbflow (in ")
    nothing_left(kube)


def test_what_a_run_would_lack_is_said(kube: Any, doctor: Look, tmp_path: Path) -> None:
    more = 'cpu = 0.1\ndriver-account = "nobody"\ngpu-resource = "amd.com/gpu"'
    write_settings(kube, tmp_path, more)
    core = client.CoreV1Api(kube.api())
    quota = {"metadata": {"name": "small"}, "spec": {"hard": {"pods": "0", "services": "3"}}}
    core.create_namespaced_resource_quota(kube.namespace, quota)
    found = doctor(1)
    assert found["driver"]["said"] == (
        "there is no service account nobody, so `--detach` and `nbflow deploy` would not work"
    )
    assert found["gpu"]["said"] == "no node offers amd.com/gpu: steps with `--gpu` cannot run"
    assert (found["quota"]["ok"], found["quota"]["said"]) == (False, "used up: 0 of 0 pods")
    # no pod could be made to look further
    assert "image" not in found


def test_a_pod_that_may_not_be_made(kube: Any, doctor: Look, tmp_path: Path) -> None:
    limits = [{"type": "Container", "max": {"cpu": "10m"}}]
    body = {"metadata": {"name": "tiny"}, "spec": {"limits": limits}}
    client.CoreV1Api(kube.api()).create_namespaced_limit_range(kube.namespace, body)
    found = doctor(1)
    assert "maximum cpu usage per Container is 10m" in found["image"]["said"]


def test_a_store_that_pods_do_not_have(kube: Any, doctor: Look, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.nbflow.kubernetes]\nimage = "{kube.image}"\ncpu = 0.1\n'
    )
    found = doctor(1)
    assert found["store"]["said"].startswith(
        f"Pods cannot reach the store: {tmp_path}/.nbflow is a"
    )
    # an address is all right as far as one can see from here
    settings = f'[tool.nbflow.kubernetes]\nimage = "{kube.image}"\ncpu = 0.1\n'
    (tmp_path / "pyproject.toml").write_text(
        settings + 'store = "postgresql://nobody@store.invalid/none"\n'
    )
    found = doctor(1)
    assert found["image"]["ok"]
    assert found["store"]["said"].startswith("from a pod: ")
    assert found["store"]["fix"].startswith("Check that the address is right for pods")


def test_a_store_over_the_network(
    kube: Any, shared: Any, doctor: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NBFLOW_STORE", shared.url)
    open_store(shared.url).close()
    table = f'[tool.nbflow.kubernetes]\nimage = "{kube.image}"\ncpu = 0.1\n'
    (tmp_path / "pyproject.toml").write_text(table + 'secrets = ["nbflow-store"]\n')
    found = doctor(0)
    assert found["store"]["said"].startswith(f"pods can use {shared.url} (in ")
    # without the Secret the pod may not log in
    (tmp_path / "pyproject.toml").write_text(table)
    found = doctor(1)
    assert found["store"]["said"].startswith("from a pod: ")
    assert "password" in found["store"]["said"]


def test_an_image_that_cannot_be_had(
    kube: Any, doctor: Look, tmp_path: Path, real_node: None
) -> None:
    settings = (tmp_path / "pyproject.toml").read_text()
    more = 'images = { old = "localhost:9/no/such:1" }\n'
    (tmp_path / "pyproject.toml").write_text(settings + more)
    found = doctor(1)
    assert (found["image"]["ok"], found["store"]["ok"]) == (True, True)
    old = found["image of old"]
    assert old["said"].startswith("localhost:9/no/such:1: The image localhost:9/no/such:1 cannot")
    nothing_left(kube)


def test_who_may_do_nothing_is_told_so(
    kube: Any, doctor: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = json.loads(kube.kubeconfig.read_text())
    secrets = client.CoreV1Api(kube.api()).list_namespaced_secret(kube.namespace).items
    (token,) = [one.data["token"] for one in secrets if one.data and "token" in one.data]
    config["users"][0]["user"] = {"token": base64.b64decode(token).decode()}
    path = tmp_path / "nobody"
    path.write_text(json.dumps(config))
    monkeypatch.setenv("KUBECONFIG", str(path))
    found = doctor(1)
    assert found["rights"]["said"].startswith(
        f"You may not do all that a run needs in the namespace {kube.namespace} of https://"
    )
    assert found["nodes"]["said"].startswith("you may not list them")
    assert found["gpu"]["said"] == "not known: you may not list the nodes that offer nvidia.com/gpu"
    asked = "you may not ask what the service account default may do"
    assert found["driver"]["said"] == asked
    assert "image" not in found


def test_without_a_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert call(["doctor", "--on", "kubernetes"]) == 1
    last, fix = capsys.readouterr().out.splitlines()[-2:]
    assert last.startswith("✗ cluster    No Kubernetes cluster is configured: there is no ")
    assert fix.strip().startswith("Set KUBECONFIG, or `context`")


def test_what_a_pod_finds(tmp_path: Path) -> None:
    missing = read(f"a warning\n{report(str(tmp_path / 'no' / 'store'))}\n")
    assert missing is not None
    assert missing.store == f"there is no {tmp_path}/no/store"
    unmade = read(report(str(tmp_path / ".nbflow")))
    assert unmade is not None
    assert (unmade.store, unmade.failed) == (None, None)
    open_store(tmp_path / ".nbflow").close()
    there = read(report(str(tmp_path / ".nbflow")))
    assert there is not None
    assert there.store is None
    assert read("Traceback: no module named nbflow") is None
    assert Answer(failed="x").store is None


def test_the_job_that_asks_is_valid(kube: Any) -> None:
    labels = {"nbflow/probe": "0a1b2c3d"}
    table = {"memory": "1GiB", "labels": {"team": "growth"}, "annotations": {"a": "b"}}
    job = probe_job(read_settings(table), "shop:1", "postgresql://db/nbflow", labels)
    strictly_valid(job)
    accepted(kube.api(), kube.namespace, job)
