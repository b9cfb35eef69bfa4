"""What a task costs: fan-outs of trivial tasks with everything kept, beside bare `client.map`.

Both on one cluster of this machine, in turns; prints ratios and writes the table. CPU seconds are
those of the driver, the scheduler, the workers and the processes that run the tasks.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbflow.engines.cluster import LocalCluster
from nbflow.engines.dask import DaskEngine
from nbflow.engines.machine_size import cores
from nbflow.runtime.listener import Listener
from nbflow.runtime.request import RunRequest
from nbflow.runtime.run import run_flow
from nbflow.store import open_store

TABLE = Path(__file__).parents[1] / "docs" / "benchmarks" / "fanout.md"
COUNTS = (200, 2_000, 20_000)
ROUNDS = 3
#: seconds that a longer body takes, without using a core
BODY = 0.002

NOTEBOOK = """\
# %%
%%parameters
n: int = 200
# %%
import time
# %%
%%step load
numbers = list(range(n))
# %%
%%step grow --foreach number in numbers
BODY
value = number * 2
"""

METAFLOW = """\
from metaflow import FlowSpec, step

class Fan(FlowSpec):
    @step
    def start(self):
        self.numbers = list(range(200))
        self.next(self.grow, foreach="numbers")

    @step
    def grow(self):
        self.value = self.input * 2
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    Fan()
"""


class Watch(Listener):
    """Times the fan-out: from when its tasks are known to when the last is published."""

    def __init__(self) -> None:
        self.begun = self.cpu = 0.0
        self.seconds = self.used = 0.0

    def expected(self, step: str, tasks: int) -> None:
        if step == "grow":
            self.begun, self.cpu = time.perf_counter(), cpu_seconds()

    def tasks(self, records: Sequence[Any]) -> None:
        if records[0].step == "grow" and records[0].part == "main":
            self.seconds = time.perf_counter() - self.begun

    def finished(self, run: Any) -> None:
        self.used = cpu_seconds() - self.cpu


def cpu_seconds() -> float:
    """Of this process and all below it, the ended ones that were waited for included."""
    import psutil  # type: ignore[import-untyped]

    me = psutil.Process()
    total = 0.0
    for process in [me, *me.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def bare(cluster: LocalCluster, count: int) -> tuple[float, float]:
    """Wall and CPU seconds of `client.map` item by item, results gathered."""
    client = cluster.client
    cpu, start = cpu_seconds(), time.perf_counter()
    futures = client.map(lambda number: number * 2, range(count), pure=False)
    client.gather(futures)  # type: ignore[no-untyped-call]
    return time.perf_counter() - start, cpu_seconds() - cpu


def flow(cluster: LocalCluster, count: int, body: str, folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds of a fan-out, in a store of its own."""
    place = Path(tempfile.mkdtemp(dir=folder))
    notebook = place / "fan.py"
    notebook.write_text(NOTEBOOK.replace("BODY", body))
    watch = Watch()
    run = run_flow(
        RunRequest(notebook, params={"n": count}, store=place), watch, DaskEngine(cluster=cluster)
    )
    assert run.status == "succeeded", run.error
    files = sum(1 for path in (place / ".nbflow").rglob("*") if path.is_file())
    assert files < 60, f"{files} files"
    return watch.seconds, watch.used


def efficiency(cluster: LocalCluster, count: int, folder: Path) -> float:
    """The time that bodies of 2 ms took, over the time that the workers had for them."""
    place = Path(tempfile.mkdtemp(dir=folder))
    notebook = place / "fan.py"
    body = f"begun = time.perf_counter()\ntime.sleep({BODY})\ntook = time.perf_counter() - begun"
    notebook.write_text(NOTEBOOK.replace("BODY", body))
    watch = Watch()
    request = RunRequest(notebook, params={"n": count}, store=place)
    run = run_flow(request, watch, DaskEngine(cluster=cluster))
    store = open_store(place)
    bodies = sum(task.artifacts["took"]["inline"] for task in store.tasks(run.id, "grow"))
    store.close()
    return float(bodies / (watch.seconds * cores()))


def metaflow(folder: Path) -> tuple[float, float] | None:
    """Wall and CPU seconds of Metaflow's local run of 200 tasks, start and join included."""
    script = folder / "fan_metaflow.py"
    script.write_text(METAFLOW)
    known = subprocess.run([sys.executable, "-c", "import metaflow"], capture_output=True)
    if known.returncode:
        return None
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, str(script), "run", "--max-workers", "2", "--max-num-splits", "200"]
    # it wants to know who runs it, and keeps everything below the current folder
    settings = {**os.environ, "USERNAME": "benchmark", "METAFLOW_HOME": str(folder)}
    subprocess.run(command, cwd=folder, env=settings, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, cpu


def main() -> None:
    """Measure, print, write."""
    folder = Path(tempfile.mkdtemp())
    cluster = LocalCluster()
    lines = [
        "| tasks | bare `client.map`, tasks/s | nbflow, tasks/s | times | CPU µs a task, bare "
        "| CPU µs a task, nbflow |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    cpu_200 = 0.0
    try:
        bare(cluster, 100)
        for count in COUNTS:
            plain = min(bare(cluster, count) for _ in range(ROUNDS))
            ours = min(flow(cluster, count, "", folder) for _ in range(ROUNDS))
            cpu_200 = cpu_200 or ours[1] / count
            lines.append(
                f"| {count:,} | {count / plain[0]:,.0f} | {count / ours[0]:,.0f} "
                f"| {plain[0] / ours[0]:.1f} | {plain[1] / count * 1e6:.0f} "
                f"| {ours[1] / count * 1e6:.0f} |"
            )
            print(lines[-1], flush=True)
        best = max(efficiency(cluster, 5_000, folder) for _ in range(ROUNDS))
        lines += ["", f"Bodies of 2 ms: {best:.2f} of the workers' time was theirs."]
    finally:
        cluster.close()
    theirs = metaflow(folder)
    if theirs is not None:
        ratio = theirs[1] / 200 / cpu_200
        lines += ["", f"Metaflow's local run of 200 tasks: {theirs[1] / 200:.2f} CPU seconds a "]
        lines[-1] += f"task, {ratio:.0f} times as many as nbflow."
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines += ["", f"Memory of the driver, the scheduler in it, at most: {memory:.0f} MB."]
    print("\n".join(lines[-5:]))
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text("# Fan-outs\n\n" + "\n".join(lines) + "\n")
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
