"""A run's page while its 20,000 tasks run: what share of the browser's main thread it takes.

A process writes to the store as a driver does, some hundred tasks a second; a real JupyterLab shows
the run in Chromium, which counts the seconds that its main thread was busy. Prints and writes the
table. Needs Node.js and Chromium; `CHROMIUM` names another than `/usr/bin/chromium`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests/labextension"))

from labserver import CHROMIUM, TOKEN, serving  # noqa: E402

from nbflow.store import Store, open_store  # noqa: E402
from nbflow.store.records import TaskRecord  # noqa: E402

TABLE = ROOT / "docs/benchmarks/live_page.md"
TASKS = 20_000
#: tasks that end in a second, and how many times a second the driver writes
RATE = 200
WRITES = 4
#: seconds that are measured of each view
SECONDS = 15
RUNNING = 64


def begin(store: Store) -> int:
    """A run with a fan-out of very many tasks, none of which has ended."""
    steps: list[dict[str, Any]] = [
        {"name": name, "function": f"wide.steps.{name}:{name}", "cells": [at], "code": "x"}
        for at, name in enumerate("ab")
    ]
    steps[1] |= {
        "depends": ["a"],
        "targets": ["i"],
        "foreach": {"function": "wide.steps.b:b_items", "source": "i in items"},
    }
    manifest = {"schema": 1, "name": "wide", "package": "wide", "version": "w", "steps": steps}
    store.add_version("w", manifest | {"parameters": []}, {}, b"")
    run = store.create_run("wide", "w", engine="dask")
    store.update_run(run.id, status="running", started=time.time())
    store.publish(
        run.id,
        [
            TaskRecord("a", "", "succeeded", started=time.time(), finished=time.time()),
            TaskRecord("b", "", "succeeded", part="items", count=TASKS),
        ],
    )
    return run.id


def drive(folder: Path, run: int, stop: threading.Event) -> None:
    """End so many tasks a second, until told to stop or none is left."""
    store = open_store(folder)
    began, at = time.monotonic(), 0
    while at < TASKS and not stop.wait(1 / WRITES):
        until = min(TASKS, int((time.monotonic() - began) * RATE))
        now = time.time()
        store.publish(
            run,
            [
                TaskRecord(
                    "b",
                    str(number),
                    "failed" if number % 1000 == 7 else "succeeded",
                    started=now - RUNNING / RATE,
                    finished=now,
                    item=number,
                    worker=f"tcp://10.0.0.{number % RUNNING}",
                )
                for number in range(at, until)
            ],
        )
        store.heartbeat(run)
        at = until
    store.close()


def main() -> None:
    """Print and save the table."""
    with tempfile.TemporaryDirectory(prefix="nbflow-live-") as place:
        folder, home = Path(place) / "runs", Path(place) / "home"
        folder.mkdir()
        home.mkdir()
        store = open_store(folder)
        run = begin(store)
        store.close()
        stop = threading.Event()
        with serving(home / "jupyter", folder) as lab:
            driver = threading.Thread(target=drive, args=(folder, run, stop))
            driver.start()
            load = os.getloadavg()[0]
            try:
                said = subprocess.run(
                    ["node", str(Path(__file__).with_suffix(".mjs")), lab.url, TOKEN, str(SECONDS)],
                    stdout=subprocess.PIPE,
                    text=True,
                    check=True,
                    timeout=400,
                    env=os.environ | {"CHROMIUM": CHROMIUM},
                ).stdout
            finally:
                stop.set()
                driver.join()
    found = json.loads(said)
    rows = [
        f"| {one['view']} | {one['busy']:.1%} | {one['script']:.1%} | {one['style']:.1%} |"
        f" {one['longest']:.0f} |"
        for one in found
    ]
    lines = [
        "# The page of a run that goes on",
        "",
        f"`python benchmarks/live_page.py`: a fan-out of {TASKS:,} tasks of which {RATE} end in a"
        f" second, in JupyterLab in headless Chromium; {SECONDS} seconds of each view. What the main"
        " thread is busy with, as a share of the time, and its longest task."
        f" The load of the machine, which has {os.cpu_count()} cores, was {load:.1f}.",
        "",
        "| shown | busy | scripts | style and layout | longest task, ms |",
        "| --- | --- | --- | --- | --- |",
        *rows,
    ]
    print("\n".join(lines[2:]))
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
