"""What users get wrong about a cluster: said before a run begins, or at once, with the way out."""

from __future__ import annotations

import base64
import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, utils
from kuberun import ROWS, error_of, fan, go, nothing_left, statuses, step, until

from nbflow.engines.kubernetes import KubernetesEngine
from nbflow.errors import UserError
from nbflow.kubernetes.checks import RIGHTS
from nbflow.store import open_store

MANIFEST = Path(__file__).parents[2] / "docs" / "kubernetes-rbac.yaml"


def refused(kube: Any, folder: Path, steps: list[dict[str, Any]], **settings: Any) -> str:
    """Why the run did not begin; no trace of it is left."""
    with pytest.raises(UserError) as refusal:
        go(kube, folder, steps, settings=settings)
    assert open_store(folder).runs() == []
    return str(refusal.value)


def changed(kube: Any, monkeypatch: pytest.MonkeyPatch, folder: Path, **parts: Any) -> None:
    """Have `KUBECONFIG` be another: with another server, user or context."""
    value = json.loads(Path(kube.kubeconfig).read_text())
    value["clusters"][0]["cluster"] |= parts.get("cluster", {})
    value["users"][0]["user"] = parts.get("user", value["users"][0]["user"])
    value["contexts"][0]["context"] |= parts.get("context", {})
    path = folder / "changed"
    path.write_text(json.dumps(value))
    monkeypatch.setenv("KUBECONFIG", str(path))


def test_no_cluster_is_configured(
    kube: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert refused(kube, tmp_path, [ROWS]) == (
        f"No Kubernetes cluster is configured: there is no {tmp_path}/none. Set KUBECONFIG, or "
        "`context` in [tool.nbflow.kubernetes]; `kubectl get pods` should work."
    )


def test_a_context_that_there_is_not(kube: Any, tmp_path: Path) -> None:
    said = refused(kube, tmp_path, [ROWS], context="prod")
    assert said.startswith(f"The context 'prod' of {kube.kubeconfig} cannot be used: ")
    assert said.endswith("`kubectl config get-contexts` lists those there are.")


def test_a_cluster_that_does_not_answer(
    kube: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(kube, monkeypatch, tmp_path, cluster={"server": "https://127.0.0.1:1"})
    said = refused(kube, tmp_path, [ROWS])
    assert said.startswith("The cluster at https://127.0.0.1:1 does not answer: ")
    assert "Connection refused" in said
    assert "object at" not in said
    assert said.endswith(
        "Check that it runs and can be reached from here; `kubectl version` should work."
    )


def test_a_cluster_that_does_not_know_you(
    kube: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(kube, monkeypatch, tmp_path, user={"token": "expired"})
    said = refused(kube, tmp_path, [ROWS])
    assert "does not know you: Unauthorized" in said
    assert "Log in again" in said


def test_a_namespace_that_there_is_not(kube: Any, tmp_path: Path) -> None:
    said = refused(kube, tmp_path, [ROWS], namespace="dta")
    assert "has no namespace 'dta'. Make it (`kubectl create namespace dta`)" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"cpu": 500.0},
            "The kubernetes engine cannot honour `--cpu` of `big`: the largest node has",
        ),
        ({"memory": 1 << 50}, "cannot honour `--memory` of `big`: the largest node has"),
        (
            {"gpu": 1},
            "cannot honour `--gpu` of `big`: no node of the cluster offers nvidia.com/gpu.",
        ),
        ({"disk": 1 << 60}, "cannot honour `--disk` of `big`: the largest node has"),
    ],
)
def test_a_request_that_no_node_can_ever_satisfy(
    kube: Any, tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    big = step("big", "value = 1", outputs=("value",), resources=options)
    told = refused(kube, tmp_path, [ROWS, big])
    assert said in told
    assert "Where nodes are added as they are needed, set `autoscale = true`." in told


def test_labels_that_no_node_has(kube: Any, tmp_path: Path) -> None:
    said = refused(kube, tmp_path, [ROWS], **{"node-selector": {"disk": "ssd"}})
    assert said == (
        "No node of the cluster has the labels disk=ssd. Check `node-selector` in "
        "[tool.nbflow.kubernetes]; `kubectl get nodes --show-labels` lists them."
    )


def test_a_claim_and_an_account_that_there_are_not(kube: Any, tmp_path: Path) -> None:
    volumes = [
        {"mount": str(tmp_path), "host-path": str(tmp_path)},
        {"mount": "/data", "claim": "dta"},
    ]
    assert "has no volume claim 'dta'" in refused(kube, tmp_path, [ROWS], volumes=volumes)
    said = refused(kube, tmp_path, [ROWS], **{"service-account": "nobody"})
    assert "has no service account 'nobody'" in said


def test_what_only_the_server_knows_to_be_wrong(kube: Any, tmp_path: Path) -> None:
    said = refused(kube, tmp_path, [ROWS], tolerations=[{"key": "gpu", "operator": "Sometimes"}])
    assert said.startswith("Kubernetes refuses the Job of `load`: ")
    assert 'Unsupported value: "Sometimes"' in said


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"volumes": []}, "is a folder of this machine"),
        (
            {"store": "postgresql://nbflow@localhost/runs"},
            "Pods cannot reach the store at postgresql://nbflow@localhost/runs: that is their own "
            "machine.",
        ),
    ],
)
def test_a_store_that_pods_cannot_reach(
    kube: Any, tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    assert said in refused(kube, tmp_path, [ROWS], **settings)


def test_a_store_that_turns_out_to_be_out_of_reach(kube: Any, tmp_path: Path) -> None:
    # nothing listens there, as only the first pod finds out
    away = f"postgresql://nbflow@{kube.host if kube.tier == 'node' else '192.0.2.1'}:9/runs"
    run, _ = go(kube, tmp_path, [ROWS], settings={"store": away})
    error = error_of(run)
    assert (run.status, error["type"]) == ("failed", "PodFailed")
    assert away in error["message"]


def test_a_quota_that_is_too_small_for_one_task(kube: Any, tmp_path: Path) -> None:
    quota = {"metadata": {"name": "small"}, "spec": {"hard": {"requests.memory": "100Mi"}}}
    client.CoreV1Api(kube.api()).create_namespaced_resource_quota(kube.namespace, quota)
    big = step("big", "value = 1", outputs=("value",), resources={"memory": 200 << 20})
    said = refused(kube, tmp_path, [big])
    assert "cannot honour `--memory` of `big`: the namespace's quota small allows 100Mi" in said


@pytest.fixture
def least(kube: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """As somebody who has the documented rights and no others; the Role, which may be changed."""
    core = client.CoreV1Api(kube.api())
    for one in yaml.safe_load_all(MANIFEST.read_text()):
        utils.create_from_dict(kube.api(), one, namespace=kube.namespace)
    secret = {
        "metadata": {
            "name": "token",
            "annotations": {"kubernetes.io/service-account.name": "nbflow-driver"},
        },
        "type": "kubernetes.io/service-account-token",
    }
    core.create_namespaced_secret(kube.namespace, secret)
    data = until(
        "a token", lambda: core.read_namespaced_secret("token", kube.namespace).data or None
    )
    token = base64.b64decode(data["token"]).decode()
    changed(kube, monkeypatch, tmp_path, user={"token": token})
    rights = client.RbacAuthorizationV1Api(kube.api())
    return lambda rules: rights.patch_namespaced_role("nbflow", kube.namespace, {"rules": rules})


def test_the_documented_rights_suffice(kube: Any, tmp_path: Path, least: Any) -> None:
    body = "import os\nprint('at', i, flush=True)\nif i == 1: os._exit(3)\nvalue = i"
    run, store = go(kube, tmp_path, fan(body))
    assert statuses(store, run) == ["succeeded", "failed", "succeeded"]
    nothing_left(kube)


def test_every_right_is_needed(kube: Any, tmp_path: Path, least: Any) -> None:
    objects = yaml.safe_load_all(MANIFEST.read_text())
    named = {(one["kind"], one["metadata"]["name"]): one for one in objects}
    rules = named["Role", "nbflow"]["rules"]
    found: dict[tuple[str, str, str], str] = {}
    for group, resource, verb in RIGHTS:
        fewer = copy.deepcopy(rules)
        for rule in fewer:
            if rule["apiGroups"] == [group] and resource in rule["resources"]:
                rule["verbs"].remove(verb)
        least([rule for rule in fewer if rule["verbs"]])
        found[group, resource, verb] = _refusal(kube, tmp_path, f": {verb} {resource}.")
    assert found == {
        (group, resource, verb): "You may not do all that a run needs in the namespace "
        f"{kube.namespace} of {kube.api().configuration.host}: {verb} {resource}. Choose another "
        "`namespace`, or have the Role of docs/kubernetes.md given to you there."
        for group, resource, verb in RIGHTS
    }


def _refusal(kube: Any, folder: Path, word: str) -> str:
    """Why no run begins; tried until the API server has heard which right was taken away."""
    said = "nothing"
    for _ in range(40):
        try:
            go(kube, folder, [ROWS], engine=_Opens())
        except _BeganError:
            said = "the run began"
        except UserError as error:
            said = str(error)
            if word in said:
                break
    return said


class _BeganError(Exception):
    """The cluster was found fit."""


class _Opens(KubernetesEngine):
    """Only looks at the cluster."""

    def begin(self, run: int) -> None:
        raise _BeganError
