"""Runs on Dask workers in Kubernetes, which the real operator brings up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from kuberun import ROWS, Meanwhile, error_of, fan, objects_of, statuses, step, until

from nbflow.engines.load import load_engine
from nbflow.store import open_store

pytestmark = pytest.mark.usefixtures("operator")

GROUP = ("kubernetes.dask.org", "v1")


def go(kube: Any, folder: Path, steps: list[dict[str, Any]], workers: Any = 2, **more: Any) -> Any:
    """Run these steps on workers; the run and its store."""
    import kuberun

    settings = {"workers": workers, **more.pop("settings", {})}
    engine = load_engine("kubernetes", settings)
    return kuberun.go(kube, folder, steps, settings=settings, engine=engine, **more)


def clusters_of(kube: Any) -> list[str]:
    """The Dask clusters in the test's namespace."""
    api = client.CustomObjectsApi(kube.api())
    found = api.list_namespaced_custom_object(*GROUP, kube.namespace, "daskclusters")
    return [one["metadata"]["name"] for one in found["items"]]


def all_gone(kube: Any) -> None:
    """Wait until nothing of a run is left."""
    until("no Dask cluster", lambda: clusters_of(kube) == [], 30)
    until("no pods", lambda: objects_of(kube) == ([], []), 90)


def test_a_fan_out_on_workers_that_go_again(kube: Any, tmp_path: Path) -> None:
    run, store = go(kube, tmp_path, fan("value = i * i\nprint('at', i)"), n=40)
    assert (run.status, run.error) == ("succeeded", None)
    assert statuses(store, run) == ["succeeded"] * 40
    workers = {task.worker.split("-worker-")[0] for task in store.tasks(run.id, "grow")}
    assert len(workers) == 1
    all_gone(kube)


def test_each_kind_of_task_has_workers_of_its_own(kube: Any, tmp_path: Path) -> None:
    big = step("big", "size = len(rows)", {"rows": "load"}, ("size",))
    big["resources"] = {"memory": 600_000_000, "cpu": 0.3}
    run, store = go(kube, tmp_path, [*fan("value = i"), big], workers="1:3")
    assert (run.status, run.error) == ("succeeded", None)
    workers = {
        name: {task.worker.split("-worker-")[0].rpartition("-")[2] for task in tasks}
        for name in ("load", "grow", "big")
        if (tasks := store.tasks(run.id, name))
    }
    assert workers == {"load": {"default"}, "grow": {"default"}, "big": {"group1"}}


def test_what_a_task_raises_has_its_cell_and_line(kube: Any, tmp_path: Path) -> None:
    run, store = go(kube, tmp_path, fan("print('at', i)\nvalue = 6 // (i - 1)"))
    assert (run.status, statuses(store, run)) == ("failed", ["succeeded", "failed", "succeeded"])
    error = error_of(store.task(run.id, "grow", "1"))
    assert (error["type"], error["cell"], error["line"]) == ("ZeroDivisionError", 1, 2)


def test_an_image_that_is_not_there(kube: Any, tmp_path: Path) -> None:
    run, store = go(kube, tmp_path, [ROWS], settings={"image": "localhost/absent:1"})
    assert run.status == "failed"
    error = error_of(store.task(run.id, "load"))
    assert error["type"] == "NoWorkers"
    assert error["message"].startswith("The image localhost/absent:1 cannot be pulled: ")


def test_a_cancelled_run_leaves_nothing(kube: Any, tmp_path: Path) -> None:
    def cancel(run: Any) -> None:
        store = open_store(tmp_path)
        until("a task", lambda: any(t.status == "running" for t in store.tasks(run.id, "grow")))
        store.request_cancel(run.id)

    steps = fan("import time; time.sleep(60); value = i")
    run, store = go(kube, tmp_path, steps, listener=Meanwhile(cancel))
    assert (run.status, statuses(store, run)) == ("cancelled", ["cancelled"] * 3)
    all_gone(kube)
