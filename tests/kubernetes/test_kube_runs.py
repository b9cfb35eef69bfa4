"""Runs on Kubernetes: what goes well, and every way in which a task may end badly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kuberun import (
    ROWS,
    Meanwhile,
    begun_task,
    error_of,
    fan,
    go,
    nothing_left,
    objects_of,
    printed,
    statuses,
    step,
    task_pods,
    until,
)

from nbflow.runtime import pulse
from nbflow.runtime.printed import running_task
from nbflow.store import open_store
from nbflow.store.records import RunRecord


def test_a_fan_out_with_its_join(kube: Any, tmp_path: Path) -> None:
    pick = step(
        "pick",
        "best = max(grow.value); items = [b.item for b in grow]; print('best', best)",
        {"grow": "grow"},
        ("best", "items"),
        fanouts=("grow",),
    )
    run, store = go(kube, tmp_path, [*fan("value = i * i\nprint('at', i)"), pick], n=4)
    assert (run.status, run.error, run.metrics["best"]) == ("succeeded", None, 9)
    assert statuses(store, run) == ["succeeded"] * 4
    task = store.task(run.id, "grow", "2")
    assert task is not None
    assert (task.item, printed(store, task)) == (2, "at 2\n")
    assert task.worker is not None
    assert task.worker.startswith("churn-1-grow-")
    picked = store.task(run.id, "pick")
    assert picked is not None
    assert store.get(picked.ref("items")) == [0, 1, 2, 3]
    nothing_left(kube)


def test_an_exception_has_its_cell_and_line(kube: Any, tmp_path: Path) -> None:
    run, store = go(kube, tmp_path, fan("print('at', i)\nvalue = 6 // (i - 1)"))
    assert run.status == "failed"
    assert statuses(store, run) == ["succeeded", "failed", "succeeded"]
    error = error_of(store.task(run.id, "grow", "1"))
    assert (error["type"], error["cell"], error["line"]) == ("ZeroDivisionError", 1, 2)
    assert run.error == error
    assert printed(store, store.task(run.id, "grow", "1")) == "at 1\n"


@pytest.mark.parametrize(
    ("death", "kind", "message"),
    [
        ("os._exit(3)", "ProcessExit", "exit status 3"),
        ("os.kill(os.getpid(), 11)", "ProcessDied", "SIGSEGV"),
    ],
)
def test_a_task_that_dies_is_named(
    kube: Any, tmp_path: Path, death: str, kind: str, message: str
) -> None:
    body = f"import os\nprint('before', i, flush=True)\nif i == 1: {death}\nvalue = i"
    run, store = go(kube, tmp_path, fan(body), settings={"batch": 3})
    assert statuses(store, run) == ["succeeded", "failed", "succeeded"]
    error = error_of(run)
    assert (error["type"], message in error["message"]) == (kind, True)
    assert "before 1" in printed(store, store.task(run.id, "grow", "1"))


def test_a_task_without_enough_memory(kube: Any, tmp_path: Path, real_node: None) -> None:
    body = "print('big', i, flush=True)\nif i == 1: x = bytearray(400_000_000)\nvalue = i"
    steps = fan(body, resources={"memory": 128 << 20})
    run, store = go(kube, tmp_path, steps)
    assert statuses(store, run) == ["succeeded", "failed", "succeeded"]
    error = error_of(run)
    assert error["type"] == "OutOfMemory"
    assert error["message"].startswith("The task was out of memory: it may have 128MiB and had 1")
    assert error["message"].endswith("Ask for more: `--memory 256MiB`.")
    assert "big 1" in printed(store, store.task(run.id, "grow", "1"))


def test_a_timeout_ends_the_task(kube: Any, tmp_path: Path) -> None:
    body = "import time\nprint('slow', i, flush=True)\nif i == 1: time.sleep(60)\nvalue = i"
    run, store = go(kube, tmp_path, fan(body, timeout=3.0), settings={"batch": 3})
    assert statuses(store, run) == ["succeeded", "failed", "succeeded"]
    assert error_of(run)["type"] == "TimeoutError"
    assert "3 seconds" in error_of(run)["message"]
    assert printed(store, store.task(run.id, "grow", "1")) == "slow 1\n"


def test_retries_and_attempts(kube: Any, tmp_path: Path) -> None:
    body = f"""
    import os
    mark = {str(tmp_path)!r} + f'/{{i}}'
    tries = len(open(mark).read()) if os.path.exists(mark) else 0
    open(mark, 'a').write('x')
    print('try', tries)
    if tries < 1: 1 / 0
    value = tries
    """
    run, store = go(kube, tmp_path, fan(body, retry=2, retry_delay=0.1), n=2)
    assert run.status == "succeeded", run.error
    assert [task.attempt for task in store.tasks(run.id, "grow")] == [2, 2]
    (attempt,) = store.attempts(run.id, "grow", "0")
    assert (attempt.attempt, attempt.status) == (1, "failed")
    assert error_of(attempt)["type"] == "ZeroDivisionError"


def test_a_caught_failure_and_a_condition(kube: Any, tmp_path: Path) -> None:
    pick = step(
        "pick",
        "good = [b.value for b in grow if b.error is None]; bad = [str(b.error) for b in grow"
        " if b.error is not None]",
        {"grow": "grow"},
        ("good", "bad"),
        fanouts=("grow",),
    )
    never = step("never", "x = 1", {"good": "pick"}, ("x",), when="len(good) > 9")
    run, store = go(kube, tmp_path, [*fan("value = 6 // i", catch=True), pick, never])
    assert run.status == "succeeded", run.error
    picked = store.task(run.id, "pick")
    assert picked is not None
    assert store.get(picked.ref("good")) == [6, 3]
    assert store.get(picked.ref("bad")) == ["integer division or modulo by zero"]
    assert statuses(store, run, "never") == ["skipped"]


def test_500_tasks_in_batches(kube: Any, tmp_path: Path) -> None:
    join = step("join", "total = sum(grow.value)", {"grow": "grow"}, ("total",), fanouts=("grow",))
    pods: set[str] = set()
    steps = [*fan("value = i"), join]
    run, store = go(kube, tmp_path, steps, n=500, settings={"max-pods": 4})
    assert (run.status, run.metrics["total"]) == ("succeeded", sum(range(500)))
    tasks = store.tasks(run.id, "grow")
    assert [task.status for task in tasks] == ["succeeded"] * 500
    pods = {str(task.worker).rpartition("-")[0] for task in tasks}
    assert 4 < len(pods) < 60
    nothing_left(kube)


def test_cancel_deletes_what_was_started(kube: Any, tmp_path: Path) -> None:
    def cancel(run: RunRecord) -> None:
        seen = open_store(tmp_path)
        begun_task(kube, seen, run.id, "grow")
        until("its output", lambda: running_task(seen, run.id, "grow", "0").read() == b"begun\n")
        until("its record", lambda: seen.task(run.id, "grow", "0"))
        seen.request_cancel(run.id)

    body = "import time\nprint('begun', flush=True)\ntime.sleep(120)\nvalue = 1"
    settings = {"max-pods": 2}
    run, store = go(kube, tmp_path, fan(body), Meanwhile(cancel), n=8, settings=settings)
    assert run.status == "cancelled"
    assert statuses(store, run) == ["cancelled"] * 8
    task = store.task(run.id, "grow", "0")
    assert printed(store, task) == "begun\n"
    nothing_left(kube)


def test_a_pod_that_reads_of_the_cancel_first_is_not_replaced(
    kube: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancel(run: RunRecord) -> None:
        store = open_store(tmp_path)
        until("a pod", lambda: task_pods(kube, "load"))
        store.request_cancel(run.id)

        def over() -> bool:
            pods.update(pod.metadata.name for pod in task_pods(kube, "load"))
            return statuses(store, run, "load") == ["cancelled"]

        until("the end of its task", over)

    pods: set[str] = set()
    # the driver hears of it long after
    monkeypatch.setattr(pulse, "_BEAT", 12.0)
    run, store = go(kube, tmp_path, [ROWS], Meanwhile(cancel))
    assert (run.status, run.error) == ("cancelled", None)
    assert statuses(store, run, "load") == ["cancelled"]
    assert len(pods) == 1
    nothing_left(kube)


def test_a_pod_that_waits_says_for_what(kube: Any, tmp_path: Path) -> None:
    def cancel(run: RunRecord) -> None:
        store = open_store(tmp_path)

        def waits() -> bool:
            (task,) = store.tasks(run.id) or (None,)
            why = "waiting for a node: insufficient nvidia.com/gpu"
            return task is not None and (task.status, task.reason) == ("pending", why)

        until("its reason", waits)
        store.request_cancel(run.id)

    train = step("train", "value = 1", outputs=("value",), resources={"gpu": 1})
    settings = {"autoscale": True}
    run, _ = go(kube, tmp_path, [train], Meanwhile(cancel), settings=settings)
    assert run.status == "cancelled"
    nothing_left(kube)


def test_an_image_that_is_not_there(kube: Any, tmp_path: Path, real_node: None) -> None:
    settings = {"image": "localhost/nonesuch:1", "pull-policy": "Never"}
    run, _ = go(kube, tmp_path, [ROWS], settings=settings)
    error = error_of(run)
    assert (run.status, error["type"]) == ("failed", "ImageNotFound")
    assert error["message"].startswith("The image localhost/nonesuch:1 cannot be pulled: ")
    jobs, _ = objects_of(kube)
    assert jobs == []  # its pod takes half a minute to go


def test_a_module_that_the_image_lacks(kube: Any, tmp_path: Path) -> None:
    load = step("load", "import nonesuch_package\nrows = 1", outputs=("rows",))
    run, _ = go(kube, tmp_path, [load])
    error = error_of(run)
    assert (error["type"], error["cell"], error["line"]) == ("ModuleNotFoundError", 1, 1)
    assert error["message"] == (
        f"No module named 'nonesuch_package': the image {kube.image} that `load` runs in lacks it. "
        "Add it where the image is made: RUN pip install nonesuch-package; or have "
        "`nbflow export NOTEBOOK --to image` write all that the notebook imports."
    )


def test_a_secret_that_is_not_there(kube: Any, tmp_path: Path, real_node: None) -> None:
    run, _ = go(kube, tmp_path, [ROWS], settings={"secrets": ["nope"]})
    error = error_of(run)
    assert error["type"] == "PodConfigError"
    assert 'secret "nope" not found' in error["message"]
