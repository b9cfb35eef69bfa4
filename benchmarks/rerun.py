"""Running again what has not changed: 20,000 cached tasks, beside running them.

Prints seconds and ratios, and writes the table.
"""

from __future__ import annotations

import resource
import shutil
import tempfile
import time
from pathlib import Path

from nbflow.runtime.request import RunRequest
from nbflow.runtime.run import run_flow

TABLE = Path(__file__).parents[1] / "docs" / "benchmarks" / "rerun.md"
COUNTS = (2_000, 20_000)
ROUNDS = 3
NOTEBOOK = """\
# %%
%%parameters
n: int = 200
# %%
%%step load
numbers = list(range(n))
# %%
%%step grow --foreach number in numbers
value = number * 2
# %%
%%step pick
best = max(grow.value)
"""


def seconds(request: RunRequest, status: str = "succeeded") -> tuple[float, float]:
    """Wall seconds and CPU seconds of a whole run, compilation included."""
    start, cpu = time.perf_counter(), time.process_time()
    run = run_flow(request)
    assert run.status == status, run.error
    return time.perf_counter() - start, time.process_time() - cpu


def main() -> None:
    """Measure, print, write."""
    lines = [
        "| tasks | first run, s | again, s | times | again, CPU s | one parameter changed, s |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for count in COUNTS:
        folder = Path(tempfile.mkdtemp())
        notebook = folder / "again.py"
        notebook.write_text(NOTEBOOK)
        first = seconds(RunRequest(notebook, params={"n": count}, store=folder))
        again = min(
            seconds(RunRequest(notebook, params={"n": count}, store=folder)) for _ in range(ROUNDS)
        )
        more = seconds(RunRequest(notebook, params={"n": count + 1}, store=folder))
        lines.append(
            f"| {count:,} | {first[0]:.2f} | {again[0]:.2f} | {first[0] / again[0]:.1f} "
            f"| {again[1]:.2f} | {more[0]:.2f} |"
        )
        print(lines[-1], flush=True)
        shutil.rmtree(folder, ignore_errors=True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines += ["", f"Memory of the driver at most: {memory:.0f} MB."]
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text("# Running again\n\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
