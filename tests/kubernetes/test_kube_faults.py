"""Runs in a cluster where something is lost on the way: a pod, the API server, the node, the driver."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from kuberun import (
    ROWS,
    Meanwhile,
    begun_task,
    driving,
    fan,
    go,
    made,
    nothing_left,
    objects_of,
    statuses,
    step,
    task_pods,
    until,
    write_settings,
)

from nbflow.engines.kubernetes import KubernetesEngine
from nbflow.errors import UserError
from nbflow.kubernetes.states import quantity
from nbflow.runtime.takeover import take_over
from nbflow.store import Store, open_store
from nbflow.store.records import RunRecord


def marking(folder: Path, then: str, seconds: float = 0.0) -> str:
    """A body that notes in a file of its own how often it has begun."""
    mark = f"open({str(folder)!r} + f'/mark-{{i}}', 'a').write('x')"
    return f"import time\n{mark}\ntime.sleep({seconds})\n{then}"


def begun(folder: Path) -> dict[str, int]:
    """How often each task has begun."""
    return {path.name[5:]: path.stat().st_size for path in sorted(folder.glob("mark-*"))}


def test_a_deleted_pod_runs_again_and_does_not_count(kube: Any, tmp_path: Path) -> None:
    def delete(run: RunRecord) -> None:
        until("its task", lambda: begun(tmp_path))
        pod = begun_task(kube, open_store(tmp_path), run.id, "grow")
        deleted.append(pod.metadata.name)
        client.CoreV1Api(kube.api()).delete_namespaced_pod(pod.metadata.name, kube.namespace)

    deleted: list[str] = []
    body = marking(tmp_path, "if not tries: time.sleep(60)\nvalue = i")
    tries = f"import os\ntries = os.path.exists({str(tmp_path)!r} + f'/mark-{{i}}')\n"
    steps = fan(tries + body)
    run, store = go(kube, tmp_path, steps, Meanwhile(delete), n=1)
    assert (run.status, run.error) == ("succeeded", None)
    (task,) = store.tasks(run.id, "grow")
    assert (task.status, task.attempt, begun(tmp_path)) == ("succeeded", 1, {"0": 2})
    assert task.worker is not None
    assert not task.worker.startswith(deleted[0])
    assert task.reason == "its pod was deleted: it ran again"
    assert store.attempts(run.id, "grow", "0") == []
    nothing_left(kube)


def test_a_preempted_pod_runs_again_and_says_why(kube: Any, tmp_path: Path) -> None:
    def preempt(run: RunRecord) -> None:
        until("its task", lambda: begun(tmp_path))
        begun_task(kube, open_store(tmp_path), run.id, "grow")
        store = open_store(tmp_path)
        urgent = {"metadata": {"name": kube.namespace}, "value": 1000, "description": "urgent"}
        with made(priorities.create_priority_class, priorities.delete_priority_class, urgent):
            core.create_namespaced_pod(kube.namespace, pod)
            try:
                until("the word", lambda: reason(store, run).startswith(waits))
            finally:
                core.delete_namespaced_pod("urgent", kube.namespace, grace_period_seconds=0)

    def reason(store: Store, run: RunRecord) -> str:
        task = store.task(run.id, "grow", "0")
        return (task and task.reason) or ""

    how = "its pod was preempted by a pod of higher priority"
    waits = f"{how}: waiting for a node: insufficient cpu"
    core, priorities = client.CoreV1Api(kube.api()), client.SchedulingV1Api(kube.api())
    # of two such pods, a node has room for one
    most = max(float(quantity(node.status.allocatable["cpu"])) for node in core.list_node().items)
    cores = round(most * 0.6, 1)
    container = {"name": "urgent", "image": kube.image, "command": ["sleep", "100"]}
    container["resources"] = {"requests": {"cpu": f"{cores}"}}
    pod = {
        "metadata": {"name": "urgent"},
        "spec": {"priorityClassName": kube.namespace, "containers": [container]},
    }
    tries = f"import os\ntries = os.path.exists({str(tmp_path)!r} + f'/mark-{{i}}')\n"
    body = tries + marking(tmp_path, "if not tries: time.sleep(60)\nvalue = i")
    steps = fan(body, resources={"cpu": cores})
    run, store = go(kube, tmp_path, steps, Meanwhile(preempt), n=1)
    assert (run.status, run.error) == ("succeeded", None)
    (task,) = store.tasks(run.id, "grow")
    assert (task.status, task.attempt, begun(tmp_path)) == ("succeeded", 1, {"0": 2})
    assert task.reason == f"{how}: it ran again"
    assert store.attempts(run.id, "grow", "0") == []
    nothing_left(kube)


def test_a_deleted_job_is_made_again(kube: Any, tmp_path: Path) -> None:
    def delete(run: RunRecord) -> None:
        until("its task", lambda: begun(tmp_path))
        ((name, *_), _) = objects_of(kube)
        options = {"propagation_policy": "Background"}
        client.BatchV1Api(kube.api()).delete_namespaced_job(name, kube.namespace, **options)

    body = f"import os\ntries = os.path.exists({str(tmp_path)!r} + '/mark-0')\ni = 0\n"
    body += marking(tmp_path, "if not tries: time.sleep(60)\nvalue = i")
    run, store = go(kube, tmp_path, [step("grow", body, outputs=("value",))], Meanwhile(delete))
    assert (run.status, run.error) == ("succeeded", None)
    assert [task.attempt for task in store.tasks(run.id)] == [1]
    assert begun(tmp_path) == {"0": 2}


def test_the_api_server_restarts(breakable: Any, tmp_path: Path) -> None:
    def restart(run: RunRecord) -> None:
        until("its tasks", lambda: len(begun(tmp_path)) > 1)
        breakable.do("restart", "kube-apiserver", "4")

    kube = breakable.kube
    steps = fan(marking(tmp_path, "value = i", 1.5))
    settings = {"max-pods": 2, "batch": 1}
    run, store = go(kube, tmp_path, steps, Meanwhile(restart), n=8, settings=settings)
    assert (run.status, run.error) == ("succeeded", None)
    assert statuses(store, run) == ["succeeded"] * 8
    assert begun(tmp_path) == {str(n): 1 for n in range(8)}
    nothing_left(kube)


def test_the_database_restarts(kube: Any, shared: Any, store_servers: Any, tmp_path: Path) -> None:
    def restart(run: RunRecord) -> None:
        until("its tasks", lambda: begun(tmp_path))
        store_servers.postgres.stop()
        time.sleep(4)
        store_servers.postgres.start()

    one = step("one", marking(tmp_path, "a = i", 2).replace("{i}", "one"), outputs=("a",))
    two = step("two", "b = 2", outputs=("b",))
    both = step("both", "c = a + b", {"a": "one", "b": "two"}, ("c",))
    one["body"] = "i = 1\n" + one["body"]
    run, store = go(
        kube,
        tmp_path,
        [one, two, both],
        Meanwhile(restart),
        settings=shared.settings,
        store=shared.url,
    )
    assert (run.status, run.error, run.metrics["c"]) == ("succeeded", None, 3)
    assert {task.attempt for task in store.tasks(run.id)} == {1}
    assert begun(tmp_path) == {"one": 1}


def test_a_node_that_is_gone(breakable: Any, tmp_path: Path) -> None:
    def silence(run: RunRecord) -> None:
        store = open_store(tmp_path)

        def became(status: str, why: str) -> bool:
            task = store.task(run.id, "grow", "0")
            return task is not None and (task.status, task.attempt, why in str(task.reason)) == (
                status,
                1,
                True,
            )

        until("its task", lambda: begun(tmp_path))
        until("that it runs", lambda: became("running", ""))
        breakable.do("silence")
        # there is no other node: it is sent again, as the same attempt, and waits for one
        until("that it does not", lambda: became("pending", "waiting for a node: "))
        store.request_cancel(run.id)

    steps = fan(marking(tmp_path, "value = i", 120))
    run, store = go(breakable.kube, tmp_path, steps, Meanwhile(silence), n=1)
    assert run.status == "cancelled"
    assert store.attempts(run.id, "grow", "0") == []
    assert begun(tmp_path) == {"0": 1}


@contextmanager
def driver(kube: Any, folder: Path, steps: list[dict[str, Any]]) -> Iterator[subprocess.Popen[str]]:
    """A driver in a process of its own, once both its pods have begun with tasks of `grow`."""
    write_settings(kube, folder, "max-pods = 2\nbatch = 2")
    with driving(folder, steps, lambda: {"0", "2"} <= begun(folder).keys()) as process:
        yield process


def test_another_driver_goes_on_with_the_pods_of_one_that_was_killed(
    kube: Any, tmp_path: Path
) -> None:
    join = step("join", "total = sum(grow.value)", {"grow": "grow"}, ("total",), fanouts=("grow",))
    steps = [*fan(marking(tmp_path, "value = i", 6.0)), join]
    with driver(kube, tmp_path, steps) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = {pod.metadata.name for pod in task_pods(kube, "grow")}
    run = take_over(open_store(tmp_path), "churn/1", engine=KubernetesEngine())
    assert (run.status, run.error, run.metrics["total"]) == ("succeeded", None, 6)
    # its pods were taken over: nothing was done twice
    assert begun(tmp_path) == {str(n): 1 for n in range(4)}
    tasks = open_store(tmp_path).tasks(run.id, "grow")
    assert {(task.status, task.attempt) for task in tasks} == {("succeeded", 1)}
    assert {str(task.worker).rpartition("-")[0] for task in tasks} <= before
    nothing_left(kube)


def test_only_one_of_two_drivers_drives(kube: Any, tmp_path: Path) -> None:
    with driver(kube, tmp_path, fan(marking(tmp_path, "value = i", 3.0))) as process:
        with pytest.raises(UserError, match=r"is driven by .* sign of life"):
            take_over(open_store(tmp_path), "churn/1", engine=KubernetesEngine())
        # one that was thought dead, and comes back when another has taken over
        process.send_signal(signal.SIGSTOP)
        ended: list[RunRecord] = []
        second = threading.Thread(
            target=lambda: ended.append(
                take_over(open_store(tmp_path), "churn/1", engine=KubernetesEngine())
            )
        )
        first = open_store(tmp_path).driver(1)
        second.start()
        until("another driver", lambda: open_store(tmp_path).driver(1) != first)
        process.send_signal(signal.SIGCONT)
        assert process.stdout is not None
        said = process.stdout.read()
        process.wait(60)
        second.join(150)
    assert "this process has stopped, and changes nothing more of it" in said, said
    assert [run.status for run in ended] == ["succeeded"]
    store = open_store(tmp_path)
    assert statuses(store, ended[0]) == ["succeeded"] * 4
    assert begun(tmp_path) == {str(n): 1 for n in range(4)}
    nothing_left(kube)


def test_a_cancelled_run_of_a_dead_driver_leaves_nothing(kube: Any, tmp_path: Path) -> None:
    with driver(kube, tmp_path, fan(marking(tmp_path, "value = i", 60.0))) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    store = open_store(tmp_path)
    assert store.request_cancel(1)
    run = take_over(store, "churn/1", engine=KubernetesEngine())
    assert run.status == "cancelled"
    assert statuses(open_store(tmp_path), run) == ["cancelled"] * 4
    nothing_left(kube)


def test_what_a_dead_driver_has_left_goes_by_itself(kube: Any, tmp_path: Path) -> None:
    steps = [step("load", "rows = 1", outputs=("rows",)), ROWS]
    run, _ = go(kube, tmp_path, steps[:1], settings={"ttl": "3s"})
    assert run.status == "succeeded"
    jobs = client.BatchV1Api(kube.api()).list_namespaced_job(kube.namespace).items
    assert [job.spec.ttl_seconds_after_finished for job in jobs] == [3] * len(jobs)
    nothing_left(kube)
