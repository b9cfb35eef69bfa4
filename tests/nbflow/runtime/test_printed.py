"""What running tasks print, read on another machine: two caches of one store in PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from nbflow_jupyter.logs import chunk, open_log
from nbflow_jupyter.tasks import find

import nbflow as client
from nbflow.runtime.printed import running_task
from nbflow.store import open_store
from nbflow.store.records import LiveTask

# psycopg and Dask leave sockets for the collector
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

NOTEBOOK = """\
# %%
import os, sys, time
# %%
%%step train
print("epoch 1: größer", flush=True)
print("warning", file=sys.stderr, flush=True)
while not os.path.exists("go"):
    time.sleep(0.05)
print("epoch 2")
"""


def until(condition: Callable[[], bool], seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def begin(folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "nbflow", *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("on", ["inline", "dask"])
def test_it_is_followed_from_another_machine(
    database: str, on: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "churn.py").write_text(NOTEBOOK)
    monkeypatch.setenv("NBFLOW_STORE", database)
    open_store().close()
    driver = begin(tmp_path, "run", "churn.py", "--on", on, "--max-workers", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))
    store = open_store()
    first = "epoch 1: größer\nwarning\n"
    size = len(first.encode())
    until(lambda: bool(store.runs()) and running_task(store, 1, "train", "") is not None)
    live = running_task(store, 1, "train", "")
    assert live is not None
    assert live.file is None
    until(lambda: live.size() == size)
    assert live.read() == first.encode()
    assert live.read(9) == first.encode()[9:]
    run = store.run(1)
    log = open_log(store, run, "train", "", "main", None)
    # a character that is cut is left for the next range
    assert chunk(log, 0, 12)["text"] == "epoch 1: gr"
    assert chunk(log, 11, 100) == {
        "start": 11,
        "end": size,
        "size": size,
        "complete": False,
        "text": first.encode()[11:].decode(),
    }
    assert find(store, run, "train", "", "main").status == "running"
    if on == "dask":  # inline, a task has no record before it has ended
        until(lambda: store.task(1, "train") is not None)
        assert client.Run("churn/1")["train"][0].log == first
        follow = begin(tmp_path, "logs", "-f", "churn/1/train")
        assert follow.stdout is not None
        assert follow.stdout.readline() + follow.stdout.readline() == first
        (tmp_path / "go").touch()
        assert follow.communicate(timeout=60) == ("epoch 2\n", "")
    (tmp_path / "go").touch()
    said, told = driver.communicate(timeout=60)
    assert driver.returncode == 0, said + told
    assert running_task(store, 1, "train", "") is None
    for table in ("live_tasks", "live_output"):
        assert store.db.query(f"SELECT * FROM {table}") == []
    assert client.Run("churn/1")["train"][0].printed(size) == b"epoch 2\n"
    store.close()


def test_a_run_that_is_over_has_no_running_tasks(database: str) -> None:
    store = open_store(database)
    run = store.create_run("churn", "v1")
    task = LiveTask("train", "main", "", 1, "pod", 5.0)
    store.live_write(run.id, task, 0, b"early")
    live = running_task(store, run.id, "train", "")
    assert live is not None
    assert (live.size(), live.read(2)) == (5, b"rly")
    again = LiveTask("train", "main", "", 2, "pod", 6.0)
    store.live_write(run.id, again, 0, b"again")
    newest = running_task(store, run.id, "train", "")
    assert newest is not None
    assert newest.read() == b"again"
    store.update_run(run.id, status="succeeded")
    store.clear_live(run.id)
    store.live_write(run.id, task, 5, b"late")
    assert running_task(store, run.id, "train", "") is None
    store.close()
