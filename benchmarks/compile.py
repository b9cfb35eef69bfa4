"""How compiling grows with the notebook: 10, 100 and 1,000 cells.

Each notebook is made of the same mix of cells: imports and functions without a tag, steps that make
frames, change them in place, redefine names, call functions that read other steps' variables, fan
out and join. Prints CPU seconds of reading, inferring and emitting, and writes the table.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nbcompile import emit_package, infer_flow, read_notebook

TABLE = Path(__file__).parents[1] / "docs" / "benchmarks" / "compile.md"
SIZES = (10, 100, 1000)

GROUP = (
    "import pandas as pd\n\ndef scale{n}(frame, by):\n    return frame.assign(v=frame.v * by * weight{n})",
    "%%step load{n}\nframe = pd.DataFrame({{'v': range({n} + 5)}})\nweight{n} = {n}\nrows = [len(frame)]",
    "%%step clean{n}\nframe = frame[frame.v > 1]\nframe['w'] = frame.v * 2  # changed in place\nrows.append(len(frame))",
    "# looking at it\nframe.head()",
    "%%step model{n} --foreach part in range(3)\n%%resources --cpu 1\nscaled = scale{n}(frame, part)\nscore = float(scaled.v.sum())",
    "%%step choose{n}\nbest = max(model{n}, key=lambda branch: branch.score)\ntotal = sum(rows) + best.score",
    "%%step report{n} --after clean{n}\nfor at, row in enumerate(rows):\n    print(f'{{at}}: {{row}}')\nlast = at",
    "def describe{n}(value):\n    '''What it is.'''\n    return f'{{value:.1f}} of {{last}}'",
    "%%step say{n}\ntext = describe{n}(total)\nprint(text)\ntext",
    "%%step keep{n} --keep summary\nsummary = {{'text': text, 'rows': list(rows)}}\nsummary.update(n={n})",
)


def notebook(cells: int) -> str:
    """The text of a notebook with that many cells."""
    sources = [GROUP[n % len(GROUP)].format(n=n // len(GROUP)) for n in range(cells)]
    made = [
        {
            "cell_type": "code",
            "id": f"cell-{n}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for n, source in enumerate(sources)
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """What the work gives, its CPU seconds (those of its children too) and its wall seconds."""
    before, wall = cpu_seconds(), time.perf_counter()
    result = work()
    return result, cpu_seconds() - before, time.perf_counter() - wall


def cpu_seconds() -> float:
    """CPU seconds of this process and of its children that have ended."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def measure(cells: int) -> tuple[float, ...]:
    """CPU seconds of read, infer and emit, of formatting, and wall seconds of it all."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bench.ipynb")
        path.write_text(notebook(cells))
        read, reading, wall = timed(lambda: read_notebook(path))
        flow, inferring, more = timed(lambda: infer_flow(read))
        wall += more
        errors = [d for d in flow.diagnostics if d.severity == "error"]
        if errors:
            sys.exit(f"the benchmark's notebook does not compile: {errors[0]}")
        _, emitting, more = timed(lambda: emit_package(flow, format=False))
        wall += more
        _, formatted, whole = timed(lambda: emit_package(flow))
        return reading, inferring, emitting, formatted - emitting, wall - more + whole


def main() -> None:
    """Measure every size three times and keep the best."""
    measure(SIZES[0])  # imports, and ruff's first start
    rows = {cells: min((measure(cells) for _ in range(3)), key=sum) for cells in SIZES}
    lines = [
        "| cells | read | infer | emit | format (ruff) | wall, all of it | ms a cell |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for cells, (*cpu, wall) in rows.items():
        seconds = " | ".join(f"{value:.3f} s" for value in cpu)
        lines.append(f"| {cells} | {seconds} | {wall:.2f} s | {1000 * wall / cells:.2f} |")
    growth = (rows[1000][-1] / rows[100][-1]) / 10
    lines += [
        "",
        f"From 100 to 1,000 cells the time per cell grows {growth:.2f}-fold (1 is linear).",
    ]
    table = "\n".join(lines)
    print(table)
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text(
        "# Compiling\n\nCPU seconds (children included); `make bench` writes this table.\n\n"
        + table
        + "\n"
    )


if __name__ == "__main__":
    main()
