"""Deployed flows: CronJobs as Kubernetes wants them, put there, run by their pods, taken out."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, utils
from kuberun import until, write_settings
from kubeschemas import VERSIONS, accepted, strictly_valid

from nbflow.cli.group import call
from nbflow.kubernetes.access import connect
from nbflow.kubernetes.cron import Deployed, cron_job
from nbflow.kubernetes.cronjobs import CronJobs
from nbflow.kubernetes.deploy import look
from nbflow.kubernetes.settings import read_settings
from nbflow.runtime.start import find_deployment, start_deployed
from nbflow.store import open_store

ROLES = Path(__file__).parents[2] / "docs" / "kubernetes-rbac.yaml"
NEVER = "0 0 31 2 *"
NOTEBOOK = """
# %%
# nbflow: flow shop --schedule "{schedule}"

# %%
# nbflow: parameters
n: int = 3

# %%
# nbflow: step load
rows = list(range(n))

# %%
# nbflow: step add
total = sum(rows)
"""
FULL: dict[str, Any] = {
    "image": "registry.example/shop:1",
    "driver-account": "nbflow-driver",
    "cpu": 0.5,
    "memory": "1GiB",
    "volumes": [{"mount": "/data", "claim": "data"}],
    "secrets": ["store"],
    "node-selector": {"disk": "ssd"},
    "labels": {"team": "growth"},
    "annotations": {"owner": "ann@example.org"},
}


@pytest.mark.parametrize("table", [FULL, {"image": "shop:1"}], ids=["full", "least"])
@pytest.mark.parametrize(
    ("server", "versions"), [((1, 37), VERSIONS), ((1, 27), VERSIONS), ((1, 21), VERSIONS)]
)
def test_the_cron_job_is_valid(
    table: dict[str, Any], server: tuple[int, int], versions: tuple[str, ...]
) -> None:
    zone = "Europe/Helsinki" if server > (1, 25) else None
    deployed = Deployed("shop", "main", "0+1a", "w", "0 6 * * *", zone)
    notes = {"nbflow/notebook": "shop.ipynb"}
    store = "postgresql://db/nbflow"
    manifest = cron_job(deployed, read_settings(table), store, server, notes)
    strictly_valid(manifest, versions)
    assert ("podFailurePolicy" in manifest["spec"]["jobTemplate"]["spec"]) == (server > (1, 25))


def test_the_api_server_takes_it(kube: Any) -> None:
    deployed = Deployed("shop", "main", "0+1a", "w", "0 6 * * *", None)
    store = "postgresql://db/nbflow"
    manifest = cron_job(deployed, read_settings(FULL), store, (1, 21), {})
    accepted(kube.api(), kube.namespace, manifest)


def test_names_are_of_the_branch_and_the_store() -> None:
    def name(flow: str, branch: str, word: str = "w") -> str:
        return Deployed(flow, branch, "0+1a", word, "0 6 * * *", None).name

    names = [name("shop", "main"), name("shop", "b"), name("shop", "main", "other"), name("s", "x")]
    names += [name("Ä" * 60, "x/y"), name("shop_" * 20, "main"), name("shop_" * 20, "b")]
    assert len(set(names)) == len(names)
    assert names[0].startswith("flow-shop-main-")
    # the names of Jobs are made of it, and may have 63 letters
    assert all(len(one) <= 45 and one.replace("-", "").isalnum() for one in names)
    assert Deployed("shop", "main", "0+2", "z", "@daily", None, "flow-as-it-was").name == (
        "flow-as-it-was"
    )


@pytest.fixture
def shop(kube: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes a notebook, beside the settings for a cluster whose drivers have their rights."""
    for one in yaml.safe_load_all(ROLES.read_text()):
        utils.create_from_dict(kube.api(), one, namespace=kube.namespace)
    write_settings(kube, tmp_path, 'driver-account = "nbflow-driver"\ncpu = 0.1')
    monkeypatch.setenv("NBFLOW_STORE", str(tmp_path / ".nbflow"))
    monkeypatch.chdir(tmp_path)

    def write(text: str = NOTEBOOK, schedule: str = NEVER) -> Path:
        notebook = tmp_path / "shop.py"
        notebook.write_text(text.format(schedule=schedule))
        return notebook

    return write


def nbflow(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    status = call([str(word) for word in words])
    said = capsys.readouterr()
    return status, said.out, said.err


def cron_jobs(kube: Any) -> dict[str, dict[str, Any]]:
    api = client.CustomObjectsApi(kube.api())
    items = api.list_namespaced_custom_object("batch", "v1beta1", kube.namespace, "cronjobs")
    return {one["metadata"]["name"]: one for one in items["items"]}


def test_deploy_change_and_undeploy(
    kube: Any, shop: Callable[..., Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    notebook = shop()
    status, out, err = nbflow(capsys, "deploy", notebook, "-p", "n", "4")
    assert (status, out.partition(":")[0]) == (0, "shop@main is deployed"), err
    store = open_store(tmp_path / ".nbflow")
    (record,) = store.deployments()
    name = record.place["name"]
    made = cron_jobs(kube)
    assert made.keys() == {name}
    assert made[name]["spec"]["schedule"] == NEVER
    assert look(record).state == "scheduled"

    # a second branch lives beside it, and a new version replaces the first
    assert nbflow(capsys, "deploy", notebook, "--branch", "b", "--schedule", "@daily")[0] == 0
    shop(NOTEBOOK.replace("sum(rows)", "sum(rows) + 1"), "5 5 31 2 *")
    assert nbflow(capsys, "deploy", notebook, "-p", "n", "5")[0] == 0
    b, main = store.deployments()
    assert (b.branch, b.version, b.request["params"]) == ("b", record.version, {})
    assert (main.place["name"], main.version == record.version) == (name, False)
    made = cron_jobs(kube)
    schedules = {one["spec"]["schedule"] for one in made.values()}
    assert (len(made), schedules) == (2, {"@daily", "5 5 31 2 *"})
    assert made[name]["metadata"]["annotations"]["nbflow/version"] == main.version

    status, out, err = nbflow(capsys, "deployments", "--json")
    listed = {one["deployment"]: (one["state"], one["params"]) for one in json.loads(out)}
    assert listed == {"shop@b": ("scheduled", {}), "shop@main": ("scheduled", {"n": 5})}
    assert nbflow(capsys, "undeploy", "shop")[2].startswith("error[NBF407]: shop is deployed on se")
    assert nbflow(capsys, "undeploy", "shop@b")[0] == 0
    CronJobs(connect(read_settings({}))).delete(name)
    status, out, err = nbflow(capsys, "deployments")
    assert "missing" in out
    assert f"the cluster has no CronJob {name} any more" in err
    assert "The cluster had it no more." in nbflow(capsys, "undeploy", "shop")[1]
    assert (cron_jobs(kube), store.deployments()) == ({}, [])


def test_a_pod_drives_the_runs_with_least_rights(
    kube: Any,
    shop: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    real_node: None,
) -> None:
    assert nbflow(capsys, "deploy", shop(), "-p", "n", "4", "--tag", "nightly")[0] == 0
    store = open_store(tmp_path / ".nbflow")
    (cron,) = cron_jobs(kube).values()
    # what the schedule would make
    job = {**cron["spec"]["jobTemplate"], "metadata": {"name": "now"}}
    client.BatchV1Api(kube.api()).create_namespaced_job(kube.namespace, job)
    # what the run makes is to go with its driver
    made = until("the Job of a task", lambda: [n for n in owners_of_jobs(kube).items() if n[1]])
    assert {owner for _, owner in made} == {"now"}
    run = until("a run that has ended", lambda: [r for r in store.runs() if r.finished])[0]
    assert (run.status, run.error, run.metrics["total"]) == ("succeeded", None, 6)
    asked = (run.branch, run.tags, run.params, run.engine, run.notebook)
    assert asked == ("main", ("nightly",), {"n": 4}, "kubernetes", "shop.py")


def owners_of_jobs(kube: Any) -> dict[str, str | None]:
    """The Jobs in the namespace, and the Job that each belongs to."""
    jobs = client.BatchV1Api(kube.api()).list_namespaced_job(kube.namespace).items
    return {
        one.metadata.name: next((o.name for o in one.metadata.owner_references or ()), None)
        for one in jobs
    }


def test_a_driver_that_starts_again_goes_on_with_its_run(
    kube: Any, shop: Callable[..., Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert nbflow(capsys, "deploy", shop())[0] == 0

    def start(mark: str | None) -> str:
        store = open_store(tmp_path / ".nbflow")
        return start_deployed(store, find_deployment(store, "shop", None), mark=mark).path

    assert [start("a"), start("a"), start("b"), start(None)] == [
        "shop/1",
        "shop/1",
        "shop/2",
        "shop/3",
    ]
    store = open_store(tmp_path / ".nbflow")
    # what lies outside may have changed: nothing is taken from the cache
    assert {task.status for task in store.tasks(store.run("shop/3").id)} == {"succeeded"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--schedule", "0 6 * *"), "Kubernetes refuses the CronJob: CronJob.batch "),
        (("--timezone", "Europe/Helsinky"), "There is no time zone 'Europe/Helsinky'."),
        (("--timezone", "Europe/Helsinki"), "This cluster is Kubernetes 1.20, which knows no time"),
        (("-p", "n", "x"), "The value of the parameter `n` is wrong"),
        (("--schedule", " "), "Nothing says when the flow is to run."),
    ],
)
def test_what_would_not_work_is_said_and_changes_nothing(
    kube: Any,
    shop: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: tuple[str, ...],
    said: str,
) -> None:
    status, out, err = nbflow(capsys, "deploy", shop(), *words)
    assert (status, out, said in err) == (2, "", True), err
    assert (cron_jobs(kube), open_store(tmp_path / ".nbflow").deployments()) == ({}, [])


def test_a_branch_is_deployed_to_one_place(
    kube: Any, shop: Callable[..., Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    notebook = shop()
    assert nbflow(capsys, "deploy", notebook)[0] == 0
    store = open_store(tmp_path / ".nbflow")
    (record,) = store.deployments()
    store.put_deployment(replace(record, place={**record.place, "namespace": "other"}))
    status, _, err = nbflow(capsys, "deploy", notebook)
    assert (status, "is deployed to the namespace other of https://" in err) == (2, True), err
    assert "nbflow undeploy shop@main" in err
    # a cluster that is not the one that kubectl means just now
    store.put_deployment(replace(record, place={**record.place, "host": "https://far.example"}))
    status, _, err = nbflow(capsys, "undeploy", "shop")
    assert (status, "shop@main is deployed to https://far.example, and" in err) == (2, True), err
    status, out, err = nbflow(capsys, "deployments")
    assert (status, "unknown" in out, "is deployed to https://far.example" in err) == (
        0,
        True,
        True,
    )
    assert len(cron_jobs(kube)) == 1


def test_who_deploys_needs_few_rights(
    kube: Any,
    shop: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    notebook = shop()
    config = json.loads(kube.kubeconfig.read_text())
    core = client.CoreV1Api(kube.api())
    found = core.list_namespaced_secret(kube.namespace).items
    tokens = {
        (one.metadata.annotations or {}).get("kubernetes.io/service-account.name"): one.data
        for one in found
    }
    config["users"][0]["user"] = {"token": base64.b64decode(tokens["default"]["token"]).decode()}
    path = tmp_path / "deployer"
    path.write_text(json.dumps(config))
    with monkeypatch.context() as patch:
        patch.setenv("KUBECONFIG", str(path))
        status, _, err = nbflow(capsys, "deploy", notebook)
        assert (status, "You may not deploy to the namespace" in err) == (2, True), err
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "nbflow-deployer"}
    whom = [{"kind": "ServiceAccount", "name": "default", "namespace": kube.namespace}]
    binding = {"metadata": {"name": "deployer"}, "roleRef": role, "subjects": whom}
    client.RbacAuthorizationV1Api(kube.api()).create_namespaced_role_binding(
        kube.namespace, binding
    )
    monkeypatch.setenv("KUBECONFIG", str(path))
    until("the right to deploy", lambda: nbflow(capsys, "deploy", notebook)[0] == 0)
    assert nbflow(capsys, "deploy", notebook, "-p", "n", "7")[0] == 0
    ((state, params),) = [
        (one["state"], one["params"])
        for one in json.loads(nbflow(capsys, "deployments", "--json")[1])
    ]
    assert (state, params) == ("scheduled", {"n": 7})
    # it is seen that a driver would lack rights, though one has none of these oneself
    write_settings(kube, tmp_path)
    assert "'default', under which the run would be driven" in nbflow(capsys, "deploy", notebook)[2]
    assert nbflow(capsys, "undeploy", "shop")[0] == 0


def test_an_account_that_may_not_drive(
    kube: Any, shop: Callable[..., Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    notebook = shop()
    write_settings(kube, tmp_path)
    status, _, err = nbflow(capsys, "deploy", notebook)
    assert status == 2
    assert "The service account 'default', under which the run would be driven, may not" in err
    write_settings(kube, tmp_path, 'driver-account = "nobody"')
    assert "has no service account 'nobody'" in nbflow(capsys, "deploy", notebook)[2]
    assert cron_jobs(kube) == {}
