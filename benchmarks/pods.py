"""What a task costs on Kubernetes: in pods, and on Dask workers. Prints, and writes the table.

Run by hand, beside a test cluster (`python tests/kubernetes/kube_up.py` in another shell):

    eval "$(.venv/bin/python tests/kubernetes/kube_up.py --env)"
    .venv/bin/python benchmarks/pods.py
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbflow.runtime.listener import Listener
from nbflow.runtime.request import RunRequest
from nbflow.runtime.run import run_flow

TABLE = Path(__file__).parents[1] / "docs" / "benchmarks" / "pods.md"
#: pods at once, and workers
WIDTH = 2

NOTEBOOK = """\
# %%
%%parameters
n: int = 1
# %%
%%step load
numbers = list(range(n))
# %%
%%step grow --foreach number in numbers
value = number * 2
"""


class Watch(Listener):
    """Times a fan-out: from when its tasks are known to the end of the last."""

    def __init__(self) -> None:
        self.known = self.fan = 0.0

    def expected(self, step: str, tasks: int) -> None:
        if step == "grow":
            self.known = time.perf_counter()

    def tasks(self, records: Sequence[Any]) -> None:
        if records[0].step == "grow" and records[0].part == "main":
            self.fan = time.perf_counter() - self.known


def measured(count: int, **settings: Any) -> Watch:
    """Run a fan-out of so many trivial tasks, in a store of its own that pods mount."""
    with tempfile.TemporaryDirectory() as folder:
        notebook = Path(folder) / "fan.py"
        notebook.write_text(NOTEBOOK)
        table = {
            "image": os.environ["NBFLOW_TEST_IMAGE"],
            "volumes": [{"mount": folder, "host-path": folder}],
            "max-pods": WIDTH,
            **settings,
        }
        watch = Watch()
        run = run_flow(
            RunRequest(
                notebook, params={"n": count}, store=Path(folder), on="kubernetes", settings=table
            ),
            watch,
        )
        assert run.status == "succeeded", run.error
        return watch


def main() -> None:
    """Measure, print, write."""
    if "NBFLOW_TEST_IMAGE" not in os.environ:
        sys.exit("No test cluster: the first lines of this file say how to have one.")
    cases: list[tuple[str, int, dict[str, Any]]] = [
        ("a pod for each task", 10, {"batch": 1}),
        ("a pod for each batch", 200, {}),
        ("Dask workers", 200, {"workers": WIDTH}),
        ("Dask workers", 2000, {"workers": WIDTH}),
    ]
    lines = [
        "| tasks run in | tasks | ms a task of the fan-out | times |",
        "| --- | --- | --- | --- |",
    ]
    print("\n".join(lines), flush=True)
    whole = 0.0
    for name, count, settings in cases:
        watch = measured(count, **settings)
        each = watch.fan / count
        whole = whole or each
        lines.append(f"| {name} | {count:,} | {each * 1000:,.0f} | {whole / each:,.0f} |")
        print(lines[-1], flush=True)
    where = f"{os.cpu_count()} cores, on which node, control plane and driver run together"
    told = (
        f"Trivial tasks, {WIDTH} pods or workers at once, the store a folder that all mount; "
        f"Kubernetes 1.20 and Python {platform.python_version()} on {where}. "
        "Batches and what Dask workers take are as nbflow chooses them."
    )
    TABLE.write_text("# Tasks on Kubernetes\n\n" + "\n".join(lines) + f"\n\n{told}\n")


if __name__ == "__main__":
    main()
