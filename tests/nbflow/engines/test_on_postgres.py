"""Runs whose records are in PostgreSQL: on a cluster, cancelled, lost, and with the server away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from handmade import step, write_package
from pgserver import PostgresServer

from nbflow.engines.cluster import LocalCluster
from nbflow.engines.dask import DaskEngine
from nbflow.runtime.request import RunRequest
from nbflow.runtime.run import run_flow
from nbflow.store import Store, open_store
from nbflow.store.records import RunRecord

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

LOAD = step("load", "rows = list(range(n))", parameters=("n",), outputs=("rows",))


def grow(body: str = "value = i * 2", **more: Any) -> dict[str, Any]:
    return step("grow", body, {}, ("value",), foreach="i in rows", items={"rows": "load"}, **more)


PICK = step("pick", "best = sum(grow.value)", {"grow": "grow"}, ("best",), fanouts=("grow",))


def go(folder: Path, database: str, engine: DaskEngine | None, **request: Any) -> RunRecord:
    return run_flow(RunRequest(folder, store=database, **request), engine=engine)


def until(condition: Callable[[], bool], seconds: float = 40.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def command(*words: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "nbflow", *words],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def alone(store: Store) -> Any:
    """The one task of the step `grow` that there is so far."""
    runs = store.runs()
    return store.task(runs[0].id, "grow", "0") if runs else None


def test_a_fan_out_on_a_cluster(tmp_path: Path, database: str, cluster: LocalCluster) -> None:
    write_package(tmp_path, [LOAD, grow(), PICK], parameters={"n": 200})
    first = go(tmp_path, database, DaskEngine(cluster=cluster))
    assert (first.status, first.metrics) == ("succeeded", {"best": 199 * 200})
    store = open_store(database)
    assert [task.key for task in store.tasks(first.id, "grow")] == [str(i) for i in range(200)]
    again = go(tmp_path, database, DaskEngine(cluster=cluster))
    assert {task.status for task in store.tasks(again.id)} == {"cached"}
    # nothing of the run is left beside the notebook
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [
        "caches",
        "churn",
        "values",
    ]
    store.close()


@pytest.mark.parametrize("on", ["dask", "inline"])
def test_a_run_outlasts_a_server_that_restarts(
    tmp_path: Path, database: str, postgres: PostgresServer, cluster: LocalCluster, on: str
) -> None:
    body = "import time; time.sleep(0.02); value = i"
    write_package(tmp_path, [LOAD, grow(body), PICK], parameters={"n": 150})
    store = open_store(database)

    def restart() -> None:
        until(lambda: any(t.status == "succeeded" for t in store.tasks(store.runs()[0].id, "grow")))
        postgres.stop()
        time.sleep(0.5)
        postgres.start()

    run = threading.Thread(target=restart)
    began = threading.Timer(0, lambda: (until(lambda: bool(store.runs())), run.start()))
    began.start()
    record = go(tmp_path, database, DaskEngine(cluster=cluster) if on == "dask" else None, on=on)
    began.join()
    run.join()
    assert (record.status, record.metrics) == ("succeeded", {"best": 149 * 150 // 2})
    statuses = [(task.status, task.attempt) for task in store.tasks(record.id, "grow")]
    assert statuses == [("succeeded", 1)] * 150
    store.close()


SCRIPT = """
import sys
from nbflow.runtime.request import RunRequest
from nbflow.runtime.run import run_flow
if __name__ == "__main__":
    print(run_flow(RunRequest(sys.argv[1], store=sys.argv[2], on=sys.argv[3], max_workers=1)).status)
"""


def begin(folder: Path, database: str, on: str = "inline") -> subprocess.Popen[str]:
    """Start a run whose fan-out waits for a file."""
    body = f"import os, time\nwhile not os.path.exists({str(folder / 'go')!r}): time.sleep(0.05)\nvalue = i"
    write_package(folder, [LOAD, grow(body), PICK], parameters={"n": 2})
    (folder / "driver.py").write_text(SCRIPT)
    return subprocess.Popen(
        [sys.executable, str(folder / "driver.py"), str(folder), database, on],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_run_is_cancelled_from_elsewhere(tmp_path: Path, database: str) -> None:
    driver = begin(tmp_path, database)
    store = open_store(database)
    until(lambda: bool(store.runs()) and store.split(store.runs()[0].id, "grow") is not None)
    done = command("cancel", store.runs()[0].path, "--store", database)
    assert done.returncode == 0, done.stderr
    out, err = driver.communicate(timeout=40)
    assert (out.strip(), err) == ("cancelled", "")
    assert store.runs()[0].status == "cancelled"
    store.close()


def test_a_killed_driver_is_lost_and_its_run_resumed(tmp_path: Path, database: str) -> None:
    driver = begin(tmp_path, database)
    store = open_store(database)
    until(lambda: bool(store.runs()) and store.split(store.runs()[0].id, "grow") is not None)
    driver.kill()
    driver.communicate()
    until(lambda: store.runs()[0].status == "lost", 15)
    (tmp_path / "go").touch()
    again = run_flow(RunRequest(None, store=database, on="inline", resume_of=store.runs()[0].path))
    assert (again.status, again.metrics) == ("succeeded", {"best": 1})
    store.close()


def test_two_drivers_at_once_have_a_number_each(tmp_path: Path, database: str) -> None:
    (tmp_path / "go").touch()
    open_store(database).close()
    drivers = [begin(tmp_path, database) for _ in range(2)]
    for driver in drivers:
        assert driver.communicate(timeout=60) == ("succeeded\n", "")
    store = open_store(database)
    assert sorted(run.path for run in store.runs()) == ["churn/1", "churn/2"]
    store.close()


def test_the_command_line_reads_what_lies_in_a_database(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_package(tmp_path, [LOAD, grow("print('at', i)\nvalue = i"), PICK], parameters={"n": 3})
    # a folder and a process that know nothing but the address
    monkeypatch.chdir("/")
    run = command("run", str(tmp_path), "--on", "inline", "--store", database)
    assert run.returncode == 0, run.stderr
    assert f"nbflow show churn/1 --store {database}" in run.stdout
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    assert "churn/1" in command("runs", "--store", database).stdout
    assert command("get", "churn/1/pick/best", "--json", "--store", database).stdout == "3\n"
    assert command("logs", "churn/1/grow/2", "--store", database).stdout == "at 2\n"
    assert "churn/1" in command("show", "churn/1", "--store", database).stdout
    monkeypatch.setenv("NBFLOW_STORE", database)
    found = json.loads(command("doctor", "--json").stdout)
    (store,) = [one for one in found["findings"] if one["what"] == "store"]
    assert store["ok"], store
    assert database in store["said"]
    kept = list((tmp_path / "values").rglob("*-*"))
    for path in kept:
        os.utime(path, (1.0, 1.0))
    gone = command("gc", "--keep-last", "0")
    assert gone.returncode == 0, gone.stderr
    assert command("runs").stdout.count("churn") == 0
    assert not any(path.exists() for path in kept)
