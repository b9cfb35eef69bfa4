"""Runs on the test cluster: packages written by hand, with a store in a folder that pods see."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kubernetes import client

sys.path.insert(0, str(Path(__file__).parents[1] / "nbflow" / "runtime"))

from handmade import step, write_package

from nbflow.engines.base import Engine
from nbflow.engines.kubernetes import KubernetesEngine
from nbflow.runtime.listener import Listener
from nbflow.runtime.printed import running_task
from nbflow.runtime.request import RunRequest
from nbflow.runtime.run import run_flow
from nbflow.store import Store, open_store
from nbflow.store.records import FINAL, RunRecord, TaskRecord
from nbflow.values.ref import Ref

ROWS = step("load", "rows = list(range(n))", parameters=("n",), outputs=("rows",))


def settings_of(kube: Any, folder: Path, **more: Any) -> dict[str, Any]:
    """What pyproject.toml would say: the image, and the folder as a volume."""
    volumes = [{"mount": str(folder), "host-path": str(folder)}]
    return {"image": kube.image, "volumes": volumes, **more}


def write_settings(kube: Any, folder: Path, more: str = "") -> None:
    """The same as a file."""
    place = json.dumps(str(folder))
    (folder / "pyproject.toml").write_text(
        "[tool.nbflow.kubernetes]\n"
        f'image = "{kube.image}"\n'
        f"volumes = [{{ mount = {place}, host-path = {place} }}]\n{more}\n"
    )


def go(
    kube: Any,
    folder: Path,
    steps: list[dict[str, Any]],
    listener: Listener | None = None,
    *,
    n: int = 3,
    settings: dict[str, Any] | None = None,
    engine: Engine | None = None,
    store: str | Path | None = None,
    **request: Any,
) -> tuple[RunRecord, Store]:
    """Run these steps, with the store in the folder unless another is named; the run and its store."""
    write_package(folder, steps, parameters={"n": n})
    table = settings_of(kube, folder, **(settings or {}))
    place = store or folder
    asked = RunRequest(folder, store=place, on="kubernetes", settings=table, **request)
    run = run_flow(asked, listener, engine or KubernetesEngine())
    return run, open_store(place)


@contextmanager
def driving(
    folder: Path, steps: list[dict[str, Any]], ready: Callable[[], Any]
) -> Iterator[subprocess.Popen[str]]:
    """A driver of the run `churn/1` in a process of its own, once something is so."""
    package = folder / "package"
    write_package(package, steps, parameters={"n": 4})
    words = ["run", str(package), "--on", "kubernetes", "--store", str(folder)]
    process = subprocess.Popen(
        [sys.executable, "-m", "nbflow", *words],
        cwd=folder,
        env={**os.environ, "CI": "true"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        until("what it waits for", lambda: ready() or process.poll() is not None)
        assert process.poll() is None, process.communicate()[0]
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def fan(body: str, **more: Any) -> list[dict[str, Any]]:
    """A step that loads, and one that fans out over what it has loaded."""
    grow = step("grow", body, {"rows": "load"}, ("value",), foreach="i in rows", **more)
    return [ROWS, grow]


def ended(store: Store, path: str = "churn/1") -> RunRecord:
    """The run, once it is over."""

    def look() -> RunRecord | None:
        run = store.run(path)
        return run if run.status in FINAL else None

    run: RunRecord = until(f"the end of {path}", look)
    return run


def statuses(store: Store, run: RunRecord, name: str = "grow") -> list[str]:
    """How the tasks of a step have ended."""
    return [task.status for task in store.tasks(run.id, name)]


def error_of(task: TaskRecord | RunRecord | None) -> dict[str, Any]:
    """The error that there has to be."""
    assert task is not None
    assert task.error is not None
    return task.error


def printed(store: Store, task: TaskRecord | None) -> str:
    """What a task has printed."""
    assert task is not None
    return store.get_bytes(Ref.from_json(task.log)).decode() if task.log else ""


def objects_of(kube: Any) -> tuple[list[str], list[str]]:
    """The names of all Jobs and pods in the test's namespace."""
    jobs = client.BatchV1Api(kube.api()).list_namespaced_job(kube.namespace).items
    pods = client.CoreV1Api(kube.api()).list_namespaced_pod(kube.namespace).items
    return [one.metadata.name for one in jobs], [one.metadata.name for one in pods]


def nothing_left(kube: Any) -> None:
    """Wait until no Jobs are there, and no pods but such as are deleted and do not run any more.

    A node may take a minute to clear away what was deleted while its container was being made.
    """
    core = client.CoreV1Api(kube.api())

    def look() -> bool:
        pods = core.list_namespaced_pod(kube.namespace).items
        return objects_of(kube)[0] == [] and not any(map(_lives, pods))

    until(f"nothing in {kube.namespace}", look)


def _lives(pod: Any) -> bool:
    states = [one.state for one in pod.status.container_statuses or ()]
    return pod.metadata.deletion_timestamp is None or any(one.running for one in states)


def until(what: str, true: Callable[[], Any], seconds: float = 150) -> Any:
    """Wait for something; what it then is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = true()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"there never was {what}")


class Meanwhile(Listener):
    """Does something in a thread of its own as soon as the run has its number."""

    def __init__(self, act: Callable[[RunRecord], None]) -> None:
        self._act = act
        self._thread: threading.Thread | None = None
        self.seen: list[TaskRecord] = []
        self.trouble: BaseException | None = None

    def started(self, run: RunRecord, spec: Any) -> None:
        self._thread = threading.Thread(target=self._do, args=(run,))
        self._thread.start()

    def tasks(self, records: Sequence[TaskRecord]) -> None:
        self.seen += records

    def finished(self, run: RunRecord) -> None:
        assert self._thread is not None
        self._thread.join(150)
        assert self.trouble is None, repr(self.trouble)

    def _do(self, run: RunRecord) -> None:
        try:
            self._act(run)
        except BaseException as error:
            self.trouble = error


def task_pods(kube: Any, step: str) -> list[Any]:
    """The pods of a step that are there."""
    core = client.CoreV1Api(kube.api())
    labels = f"app.kubernetes.io/managed-by=nbflow,nbflow/step={step}"
    found: list[Any] = core.list_namespaced_pod(kube.namespace, label_selector=labels).items
    return found


def begun_task(kube: Any, store: Store, run: int, step: str) -> Any:
    """The pod of the first task of a fan-out, once the task's code runs.

    The pod that has found the items before may be told to run for a while after its end: it is
    the task's own word that is waited for, and of the pods that run the newest is the task's.
    """
    until(f"a task of {step}", lambda: running_task(store, run, step, "0"))

    def find() -> Any:
        pods = task_pods(kube, step)
        newest = max(pods, key=lambda pod: pod.metadata.creation_timestamp, default=None)
        return newest if newest is not None and newest.status.phase == "Running" else None

    return until(f"a pod of {step} that runs", find)


@contextmanager
def made(
    call: Callable[..., Any], delete: Callable[..., Any], body: dict[str, Any]
) -> Iterator[str]:
    """An object of the whole cluster, for as long as it is needed."""
    call(body)
    try:
        yield body["metadata"]["name"]
    finally:
        delete(body["metadata"]["name"])
