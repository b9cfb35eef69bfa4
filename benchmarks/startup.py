"""Start-up: of the command line, and from `nbflow run` to the start of the first task.

Each in a fresh process, best of some; prints seconds and writes the table.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from nbflow.store import open_store

TABLE = Path(__file__).parents[1] / "docs" / "benchmarks" / "startup.md"
ROUNDS = 5
COMMAND = [sys.executable, "-m", "nbflow"]
NOTEBOOK = """\
# %%
%%step first
x = 1
"""


def cpu(command: list[str]) -> float:
    """CPU seconds of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def first_task(on: str) -> tuple[float, float]:
    """Wall seconds from the command to the start of its first task, and to its own end."""
    folder = Path(tempfile.mkdtemp())
    notebook = folder / "first.py"
    notebook.write_text(NOTEBOOK)
    begun, start = time.time(), time.perf_counter()
    command = [*COMMAND, "run", str(notebook), "--on", on]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    whole = time.perf_counter() - start
    store = open_store(folder)
    task = store.task(store.runs()[0].id, "first")
    assert task is not None
    assert task.started is not None
    store.close()
    shutil.rmtree(folder, ignore_errors=True)
    return task.started - begun, whole


def main() -> None:
    """Measure, print, write."""
    python = min(cpu([sys.executable, "-c", "pass"]) for _ in range(ROUNDS))
    lines = ["| what | seconds |", "| --- | --- |", f"| `python -c pass`, CPU | {python:.3f} |"]
    for words in (["--help"], ["run", "--help"]):
        used = min(cpu([*COMMAND, *words]) for _ in range(ROUNDS))
        lines.append(f"| `nbflow {' '.join(words)}`, CPU | {used:.3f} |")
    for on in ("inline", "dask"):
        first, whole = min(first_task(on) for _ in range(ROUNDS))
        lines.append(
            f"| `nbflow run --on {on}` to the start of the first task, wall | {first:.2f} |"
        )
        lines.append(f"| `nbflow run --on {on}` of one trivial step, wall | {whole:.2f} |")
    print("\n".join(lines))
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text("# Start-up\n\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
