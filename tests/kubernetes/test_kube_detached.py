"""Runs that are driven by a pod, under an account with no more rights than the documented ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from kuberun import begun_task, ended, nothing_left, printed, until

from nbflow.cli.group import call
from nbflow.config import find_store
from nbflow.kubernetes.manifests import DRIVER_UID
from nbflow.store import Store

NOTEBOOK = """\
# %% tags=["parameters"]
seconds: float = 0.0
# %% tags=["step:load"]
rows = list(range(3))
# %%
# nbflow: step grow --foreach i in rows
import time
print("at", i, flush=True)
time.sleep(seconds)
print("still at", i)
value = i * i
# %%
# nbflow: step pick
best = max(grow.value)
"""


def write(kube: Any, folder: Path, more: Sequence[str] = (), shared: Any = None) -> Path:
    """The notebook, and what pyproject.toml says; the store is in the folder, or a shared one."""
    place = json.dumps(str(folder))
    lines = [
        *([] if shared is None else ["[tool.nbflow]", f'store = "{shared.url}"']),
        "[tool.nbflow.kubernetes]",
        *([] if shared is None else [f"secrets = {json.dumps(shared.settings['secrets'])}"]),
        f"volumes = [{{ mount = {place}, host-path = {place} }}]",
    ]
    usual = {"image": json.dumps(kube.image), "driver-account": '"nbflow-driver"'}
    given = dict(line.split(" = ", 1) for line in more)
    lines += [f"{name} = {value}" for name, value in (usual | given).items()]
    (folder / "pyproject.toml").write_text("\n".join(lines))
    path = folder / "churn.py"
    path.write_text(NOTEBOOK)
    return path


def start(path: Path, capfd: pytest.CaptureFixture[str], *words: str) -> Store:
    """Start the run `churn/1`, which is driven in the cluster when this returns; its store."""
    assert call(["run", str(path), "--on", "kubernetes", "--detach", *words]) == 0
    told = capfd.readouterr()
    assert told.out == "churn/1\n"
    assert "It is driven in the cluster: this machine may go." in told.err
    return find_store(path.parent)


def drivers(kube: Any) -> list[Any]:
    """The pods of drivers."""
    core = client.CoreV1Api(kube.api())
    labels = "nbflow/role=driver"
    found: list[Any] = core.list_namespaced_pod(kube.namespace, label_selector=labels).items
    return found


def test_a_detached_run_is_followed_through_the_store(
    kube: Any,
    shared: Any,
    account: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = write(kube, tmp_path, ['ttl = "5s"', "batch = 1"], shared)
    monkeypatch.chdir(tmp_path)
    store = start(path, capfd, "-p", "seconds", "2")
    run = store.run("churn/1")
    assert store.driver(run.id) is not None
    assert call(["logs", "churn/1", "-f"]) == 0
    said = capfd.readouterr().out
    assert sorted(line for line in said.splitlines() if not line.startswith("==")) == [
        *(f"at {i}" for i in range(3)),
        *(f"still at {i}" for i in range(3)),
    ]
    run = ended(store)
    assert (run.status, run.metrics) == ("succeeded", {"best": 4})
    assert printed(store, store.task(run.id, "grow", "2")) == "at 2\nstill at 2\n"
    # what belongs to it goes with the driver's Job, which ends by itself
    nothing_left(kube)


def test_a_detached_run_is_cancelled_from_anywhere(
    kube: Any,
    account: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = write(kube, tmp_path, ["batch = 1", 'ttl = "1s"'])
    monkeypatch.chdir(tmp_path)
    store = start(path, capfd, "-p", "seconds", "100")
    begun_task(kube, store, 1, "grow")
    assert call(["cancel", "churn/1"]) == 0
    until("its end", lambda: store.run("churn/1").status == "cancelled")
    assert {task.status for task in store.tasks(1, "grow")} == {"cancelled"}
    nothing_left(kube)


def test_a_driver_whose_pod_is_deleted_is_followed_by_another(
    kube: Any,
    account: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = write(kube, tmp_path, ["batch = 1"])
    monkeypatch.chdir(tmp_path)
    store = start(path, capfd, "-p", "seconds", "12")
    begun_task(kube, store, 1, "grow")
    (first,) = drivers(kube)
    client.CoreV1Api(kube.api()).delete_namespaced_pod(first.metadata.name, kube.namespace)
    run = ended(store)
    assert (run.status, run.error, run.metrics) == ("succeeded", None, {"best": 4})
    # the tasks of the first were taken over
    assert {task.attempt for task in store.tasks(run.id, "grow")} == {1}
    assert store.all_attempts(run.id) == []


def test_a_detached_run_has_workers_of_its_own(
    kube: Any,
    account: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = write(kube, tmp_path, ['ttl = "5s"'])
    monkeypatch.chdir(tmp_path)
    store = start(path, capfd, "--workers", "2")
    run = ended(store)
    assert (run.status, run.error, run.metrics) == ("succeeded", None, {"best": 4})
    if kube.tier == "node":  # else pods are called as this machine
        workers = {str(task.worker) for task in store.tasks(run.id, "grow")}
        assert all("-default-" in worker for worker in workers), workers
    nothing_left(kube)


def test_a_pod_made_in_the_place_of_one_that_is_done_does_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "churn.py"
    path.write_text(NOTEBOOK)
    assert call(["run", str(path), "--on", "inline"]) == 0
    capfd.readouterr()
    words = ["drive", "churn/1", "--store", str(tmp_path)]
    assert call(words) == 2
    assert "The run churn/1 is over" in capfd.readouterr().err
    monkeypatch.setenv(DRIVER_UID, "the Job's")
    assert call(words) == 0
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (['driver-account = "nobody"'], "has no service account 'nobody'"),
        (['driver-account = "default"'], "account 'default', under which the run would be driven"),
        (
            ['image = "localhost/nonesuch:1"', 'pull-policy = "Never"'],
            "could not: The image localhost/nonesuch:1 cannot be pulled",
        ),
        (['env = { PGPASSWORD = "wrong" }'], "could not: "),
    ],
)
def test_no_driver(
    kube: Any,
    shared: Any,
    account: str,
    real_node: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    more: list[str],
    said: str,
) -> None:
    path = write(kube, tmp_path, more, shared if "env" in more[0] else None)
    monkeypatch.chdir(tmp_path)
    assert call(["run", str(path), "--on", "kubernetes", "--detach"]) == 2
    told = capfd.readouterr().err
    assert said in told, told
    # no run is left that nobody drives
    assert [run.status for run in find_store(tmp_path).runs()] in ([], ["failed"])
