"""Drivers as processes of their own: killed, and interrupted as a terminal does it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from handmade import step, write_package

from nbflow.runtime.printed import running_task
from nbflow.runtime.request import RunRequest
from nbflow.runtime.run import run_flow
from nbflow.store import Store, open_store

SCRIPT = """
import sys
from nbflow.runtime.request import RunRequest
from nbflow.runtime.run import run_flow
if __name__ == "__main__":
    print(run_flow(RunRequest(sys.argv[1], store=sys.argv[1], on=sys.argv[2], max_workers=1)).status)
"""


def begin(folder: Path, on: str) -> subprocess.Popen[str]:
    """Start a run whose second step waits for a file."""
    body = f"""
    import os, time
    print('pid', os.getpid(), flush=True)
    while not os.path.exists({str(folder / "go")!r}): time.sleep(0.05)
    y = x
    """
    steps = [
        step("first", "x = 1", outputs=("x",)),
        step("second", body, {"x": "first"}, ("y",)),
    ]
    write_package(folder, steps)
    script = folder / "driver.py"
    script.write_text(SCRIPT)
    return subprocess.Popen(
        [sys.executable, str(script), str(folder), on],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def until(condition: Callable[[], bool], seconds: float = 40.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def running(store: Store) -> bool:
    runs = store.runs()
    task = store.task(runs[0].id, "second") if runs else None
    return task is not None and task.status == "running"


@pytest.mark.parametrize("on", ["dask", "inline"])
def test_ctrl_c_in_a_terminal(tmp_path: Path, on: str) -> None:
    driver = begin(tmp_path, on)
    store = open_store(tmp_path)

    def printed() -> bytes:
        runs = store.runs()
        task = running_task(store, runs[0].id, "second", "") if runs else None
        return task.read() if task is not None else b""

    until(lambda: printed().startswith(b"pid "))
    os.killpg(driver.pid, signal.SIGINT)
    out, err = driver.communicate(timeout=40)
    assert (out.strip(), err) == ("cancelled", "")
    run = store.runs()[0]
    assert run.status == "cancelled"
    task = store.task(run.id, "second")
    assert task is not None
    assert task.status == "cancelled"
    assert task.log is not None


def test_ctrl_c_while_the_workers_start(tmp_path: Path) -> None:
    driver = begin(tmp_path, "dask")
    store = open_store(tmp_path)
    until(lambda: [run.status for run in store.runs()] == ["running"])
    until(lambda: bool(psutil.Process(driver.pid).children()))
    os.killpg(driver.pid, signal.SIGINT)
    out, err = driver.communicate(timeout=60)
    assert (out.strip(), err) == ("cancelled", "")
    told = [(task.step, task.status, task.reason) for task in store.tasks(store.runs()[0].id)]
    assert told == [("first", "cancelled", "cancelled before it started")]


def test_ctrl_c_between_the_code_of_two_tasks(tmp_path: Path) -> None:
    """Most of the time of short tasks is nbflow's own: no record may be lost there."""
    load = step("load", "rows = list(range(5000))", outputs=("rows",))
    script = tmp_path / "driver.py"
    script.write_text(SCRIPT)
    store = open_store(tmp_path)
    for number in range(1, 5):
        code = f"y = n + {number}"  # another one each time: nothing is taken from the cache
        many = step("many", code, outputs=("y",), foreach="n in rows", items={"rows": "load"})
        write_package(tmp_path, [load, many])
        driver = subprocess.Popen(
            [sys.executable, str(script), str(tmp_path), "inline"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        until(lambda number=number: len(store.runs()) == number)  # type: ignore[misc]
        run = store.runs()[0]
        until(lambda run=run: len(store.tasks(run.id, "many", "succeeded", 1)) == 1)  # type: ignore[misc]
        os.killpg(driver.pid, signal.SIGINT)
        out, err = driver.communicate(timeout=40)
        assert (out.strip(), err) == ("cancelled", "")
        told = {task.reason for task in store.tasks(run.id, "many", "cancelled")}
        assert not [reason for reason in told if reason and "did not say" in reason]


def test_a_killed_driver_is_lost_and_its_run_can_be_resumed(tmp_path: Path) -> None:
    driver = begin(tmp_path, "dask")
    store = open_store(tmp_path)
    until(lambda: running(store))
    path = next((tmp_path / ".nbflow" / "live").glob("*/*.log"))
    pid = int(path.read_text().split()[-1])
    driver.kill()
    driver.communicate()
    until(lambda: store.runs()[0].status == "lost", 15)
    task = store.task(store.runs()[0].id, "second")
    assert task is not None
    assert task.status == "lost"
    until(lambda: not _alive(pid), 15)
    (tmp_path / "go").touch()
    again = run_flow(RunRequest(None, store=tmp_path, on="inline", resume_of=store.runs()[0].path))
    assert again.status == "succeeded", again.error
    assert [t.status for t in store.tasks(again.id)] == ["cached", "succeeded"]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
