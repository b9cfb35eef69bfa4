"""Runs on Dask workers in Kubernetes, which the real operator brings up, or nbflow itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from kuberights import kubeconfig_with
from kubernetes import client
from kuberun import (
    ROWS,
    Meanwhile,
    driving,
    error_of,
    fan,
    nothing_left,
    statuses,
    step,
    until,
    write_settings,
)

from nbflow.engines.load import load_engine
from nbflow.kubernetes import checks
from nbflow.kubernetes.forward import FORWARD
from nbflow.runtime.takeover import take_over
from nbflow.store import open_store

_GROUPS = re.compile(r"-(default|group[0-9]+)-")
GROUP = ("kubernetes.dask.org", "v1")
#: for workers that nbflow makes itself: what runs in pods take, and the way to the scheduler
RIGHTS = (*checks.RIGHTS, *FORWARD)


@pytest.fixture
def jobs(kube: Any, real_node: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Workers that nbflow makes itself, for one who may not use the operator."""
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig_with(kube, RIGHTS, tmp_path)))
    return "jobs"


@pytest.fixture(params=["operator", "jobs"])
def keeper(request: pytest.FixtureRequest) -> str:
    """Who makes the workers."""
    request.getfixturevalue(request.param)
    return str(request.param)


def go(kube: Any, folder: Path, steps: list[dict[str, Any]], workers: Any = 2, **more: Any) -> Any:
    """Run these steps on workers; the run and its store."""
    import kuberun

    settings = {"workers": workers, **more.pop("settings", {})}
    engine = load_engine("kubernetes", settings)
    return kuberun.go(kube, folder, steps, settings=settings, engine=engine, **more)


def clusters_of(kube: Any) -> list[str]:
    """The Dask clusters of the operator's in the test's namespace."""
    api = client.CustomObjectsApi(kube.api())
    found = api.list_namespaced_custom_object(*GROUP, kube.namespace, "daskclusters")
    return [one["metadata"]["name"] for one in found["items"]]


def all_gone(kube: Any, keeper: str) -> None:
    """Wait until nothing of a run is left."""
    if keeper == "operator":
        until("no Dask cluster", lambda: clusters_of(kube) == [])
    nothing_left(kube)


def test_each_kind_of_task_has_workers_that_go_again(
    kube: Any, keeper: str, tmp_path: Path
) -> None:
    big = step("big", "size = len(rows)", {"rows": "load"}, ("size",))
    big["resources"] = {"memory": 600_000_000, "cpu": 0.3}
    steps = [*fan("value = i * i\nprint('at', i)"), big]
    run, store = go(kube, tmp_path, steps, workers="1:3", n=40)
    assert (run.status, run.error) == ("succeeded", None)
    assert statuses(store, run) == ["succeeded"] * 40
    workers = {
        name: {
            group for task in store.tasks(run.id, name) for group in _GROUPS.findall(task.worker)
        }
        for name in ("load", "grow", "big")
    }
    assert workers == {"load": {"default"}, "grow": {"default"}, "big": {"group1"}}
    all_gone(kube, keeper)


def test_what_a_task_raises_has_its_cell_and_line(kube: Any, jobs: str, tmp_path: Path) -> None:
    run, store = go(kube, tmp_path, fan("print('at', i)\nvalue = 6 // (i - 1)"))
    assert (run.status, statuses(store, run)) == ("failed", ["succeeded", "failed", "succeeded"])
    error = error_of(store.task(run.id, "grow", "1"))
    assert (error["type"], error["cell"], error["line"]) == ("ZeroDivisionError", 1, 2)


def test_an_image_that_is_not_there(kube: Any, jobs: str, tmp_path: Path) -> None:
    run, store = go(kube, tmp_path, [ROWS], settings={"image": "localhost/absent:1"})
    assert run.status == "failed"
    error = error_of(store.task(run.id, "load"))
    assert error["type"] == "NoWorkers"
    assert error["message"].startswith("The image localhost/absent:1 cannot be pulled: ")


def test_a_cancelled_run_leaves_nothing(kube: Any, jobs: str, tmp_path: Path) -> None:
    def cancel(run: Any) -> None:
        store = open_store(tmp_path)
        until("a task", lambda: "running" in statuses(store, run))
        store.request_cancel(run.id)

    steps = fan("import time; time.sleep(60); value = i")
    run, store = go(kube, tmp_path, steps, listener=Meanwhile(cancel))
    assert (run.status, statuses(store, run)) == ("cancelled", ["cancelled"] * 3)
    all_gone(kube, jobs)


@pytest.mark.parametrize("moment", ["dask-scheduler", "dask-worker"])
def test_a_driver_that_dies_while_workers_come_is_followed_by_another(
    kube: Any, jobs: str, tmp_path: Path, moment: str
) -> None:
    def coming() -> list[Any]:
        listed: list[Any] = core.list_namespaced_pod(
            kube.namespace, label_selector=f"nbflow/role={moment}"
        ).items
        return listed

    core = client.CoreV1Api(kube.api())
    write_settings(kube, tmp_path, "workers = 2")
    with driving(tmp_path, fan("value = i"), coming) as process:
        process.kill()
        process.wait()
    run = take_over(open_store(tmp_path), "churn/1")
    assert (run.status, run.error) == ("succeeded", None)
    assert statuses(open_store(tmp_path), run) == ["succeeded"] * 4
    all_gone(kube, jobs)
