"""The server extension: what its pages ask for, of 100,000 runs and of a run of 20,000 tasks.

Prints the milliseconds of each request over HTTP, best of some, and writes the table.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from run_table import fill

from nbflow.store import Store, open_store
from nbflow.store.records import TaskRecord

TABLE = Path(__file__).parents[1] / "docs" / "benchmarks" / "server.md"
DIGITS = Path(__file__).parents[1] / "examples" / "digits.ipynb"
CONFIG = Path(__file__).parents[1] / "jupyter_ext/jupyter-config/server-config/nbflow_jupyter.json"
RUNS = 100_000
TASKS = 20_000
ROUNDS = 7
TOKEN = "benchmark"

WIDE = "runs/wide/1"
QUESTIONS = {
    "first page of 50 runs": "runs",
    "first page of a flow": "runs?flow=flow3",
    "first page of failed runs": "runs?status=failed",
    "first page of a tag": "runs?tag=tag4",
    "first page of a branch": "runs?branch=main",
    "a page in the middle": f"runs?cursor={RUNS // 2}",
    "search, some found": "runs?search=eve+flow1",
    "search, none found": "runs?search=nowhere",
    "what to filter by": "facets",
    "a run": WIDE,
    "its graph with states": f"{WIDE}/graph",
    "its states": f"{WIDE}/steps",
    "its strip of tasks": f"{WIDE}/strip?step=b",
    "100 of its tasks": f"{WIDE}/tasks",
    "100 of its tasks, the longest": f"{WIDE}/tasks?sort=seconds&order=desc",
    "its failed tasks": f"{WIDE}/tasks?status=failed",
    "one task": f"{WIDE}/task?step=b&key=77",
}


def widen(store: Store) -> None:
    """A run with a step of very many tasks."""
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
    writer = store.writer("w")
    kept = {"y": writer.put(2.5, "y").to_json(), "z": writer.put("text", "z").to_json()}
    log = writer.put_bytes(b"printed\n").to_json()
    writer.close()
    error = {"type": "ValueError", "message": "bad", "traceback": "…" * 500}
    records = [TaskRecord("b", "", "succeeded", part="items", count=TASKS)]
    for at in range(TASKS):
        status: Any = "failed" if at % 1000 == 7 else "succeeded"
        records.append(
            TaskRecord(
                "b",
                str(at),
                status,
                started=at * 0.01,
                finished=at * 0.01 + at % 7,
                artifacts=kept,
                item=at,
                log=log,
                error=error if status == "failed" else None,
                worker="tcp://127.0.0.1:4000",
                reason="no earlier result",
            )
        )
    store.publish(run.id, records)
    store.update_run(run.id, status="succeeded", started=0.0, finished=200.0)


class Server:
    """A Jupyter server on a folder, in a process of its own."""

    def __init__(self, root: Path, home: Path) -> None:
        enabled = home / "jupyter_server_config.d"
        enabled.mkdir()
        (enabled / CONFIG.name).write_text(CONFIG.read_text())
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        options = [
            f"--ServerApp.port={self.port}",
            f"--IdentityProvider.token={TOKEN}",
            f"--ServerApp.root_dir={root}",
            "--allow-root",
            "--no-browser",
        ]
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "jupyter_server", *options],
            env=os.environ | {"JUPYTER_CONFIG_DIR": str(home), "JUPYTER_RUNTIME_DIR": str(home)},
            stderr=subprocess.DEVNULL,
        )
        self.connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        while True:
            try:
                self.ask("info")
                return
            except OSError:
                self.connection.close()
                time.sleep(0.2)

    def ask(self, path: str, body: Any = None) -> bytes:
        """The answer to a request."""
        data = None if body is None else json.dumps(body)
        headers = {"Authorization": f"token {TOKEN}"}
        method = "GET" if body is None else "POST"
        self.connection.request(method, f"/nbflow/api/{path}", data, headers)
        response = self.connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"{path}: {response.status} {answer[:200]!r}")
        return answer

    def milliseconds(self, path: str) -> tuple[float, int]:
        """The best of some rounds, and the bytes of the answer."""
        best, size = float("inf"), 0
        for _ in range(ROUNDS):
            start = time.perf_counter()
            size = len(self.ask(path))
            best = min(best, time.perf_counter() - start)
        return best * 1000, size

    def compile(self, code: bool) -> tuple[float, int]:
        """The same for compiling the digits example, another edit in each round."""
        held = json.loads(DIGITS.read_text(encoding="utf-8"))["cells"]
        cells = [
            {
                "source": "".join(cell["source"]),
                "kind": cell["cell_type"],
                "tags": cell["metadata"].get("tags", []),
            }
            for cell in held
        ]
        best, size = float("inf"), 0
        for number in range(ROUNDS):
            cells[-1]["source"] += f"\n# edit {number}"
            start = time.perf_counter()
            size = len(self.ask("compile", {"path": "d.ipynb", "cells": cells, "code": code}))
            best = min(best, time.perf_counter() - start)
        return best * 1000, size


def main() -> None:
    """Print and save the table."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as home:
        store = open_store(folder)
        fill(store, RUNS)
        widen(store)
        store.close()
        server = Server(Path(folder), Path(home))
        try:
            found = {name: server.milliseconds(path) for name, path in QUESTIONS.items()}
            found["compile the digits example"] = server.compile(code=False)
            found["the same with its code"] = server.compile(code=True)
        finally:
            server.process.kill()
            server.process.wait()
    rows = [f"| {name} | {ms:.1f} | {size / 1000:.1f} |" for name, (ms, size) in found.items()]
    lines = [
        "# The server extension",
        "",
        f"`python benchmarks/server.py`: {RUNS:,} runs, and a run of {TASKS:,} tasks; over HTTP,"
        f" best of {ROUNDS}.",
        "",
        "| request | milliseconds | kB |",
        "| --- | --- | --- |",
        *rows,
    ]
    print("\n".join(lines[4:]))
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
