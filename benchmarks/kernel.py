"""What a tag costs in the kernel: the same cells with and without `%%step`, in one shell each.

Takes turns between the two, and prints the median milliseconds of a cell, their difference and
their ratio; writes the table. Time is what the kernel's own thread spends, so that waiting for
other processes does not count; the thread that writes the history has its own.
"""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

TABLE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks" / "kernel.md"
ROUNDS = 200

BODIES = {
    "1 line": "total = 1",
    "20 lines": "\n".join(
        ["rows = list(range(10))", "def scale(x, by=2):", "    return x * by"]
        + [f"v{n} = [scale(r) + {n} for r in rows if r > {n}]" for n in range(17)]
    ),
    "100 lines": "\n".join(
        f"data{n} = {{'a': {n}, 'b': [1, 2, 3]}}\n"
        f"data{n}['c'] = data{n}['a'] + len(data{n}['b'])\n"
        f"if data{n}['c'] > 4:\n"
        f"    label{n} = 'large'.upper() + str({n})\n"
        f"    # a comment, as people write them"
        for n in range(20)
    ),
}


def shell(loaded: bool) -> Any:
    """An IPython shell of its own, with nbflow or without."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    made = InteractiveShell(config=config)
    if loaded:
        made.run_line_magic("load_ext", "nbflow")
    return made


def seconds(of: Any, cell: str) -> float:
    """How long a cell takes."""
    start = time.thread_time()
    of.run_cell(cell, store_history=True).raise_error()
    return time.thread_time() - start


def compare(body: str, read: str = "") -> tuple[float, float]:
    """Median seconds without and with the tag; ``read`` is a step whose values the body reads."""
    plain, tagged = shell(False), shell(True)
    if read:
        plain.run_cell(read)
        tagged.run_cell(f"%%step before\n{read}")
    without, with_tag = [], []
    for n in range(ROUNDS):
        without.append(seconds(plain, f"# plain {n}\n{body}"))
        with_tag.append(seconds(tagged, f"%%step s{n % 50} --cpu 1\n{body}"))
    return statistics.median(without), statistics.median(with_tag)


def main() -> None:
    """Measure each kind of cell, in a folder of its own for the history of cells."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        _measure(TABLE)


def _measure(path: Path) -> None:
    frame = "import pandas as pd\nframe = pd.DataFrame({'x': range(10**5), 't': ['text'] * 10**5})"
    many = (
        "import numpy as np\n"
        "frames = [pd.DataFrame(np.random.rand(10**5, 20)) for _ in range(3)]\n"
        + "\n".join(f"array{n} = np.random.rand(10**6)" for n in range(20))
        + "\n"
        + "\n".join(f"rows{n} = [{{'a': k}} for k in range(10**4)]" for n in range(20))
    )
    cells = {
        **dict.fromkeys(BODIES, ""),
        "reads a frame": frame,
        "beside 500 MB in 43 values": f"{frame}\n{many}",
    }
    rows = [
        "| cell | plain, ms | tagged, ms | overhead, ms | ratio |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, read in cells.items():
        plain, tagged = compare(BODIES.get(name, "size = len(frame)"), read)
        rows.append(
            f"| {name} | {plain * 1e3:.2f} | {tagged * 1e3:.2f} "
            f"| {(tagged - plain) * 1e3:.2f} | {tagged / plain:.2f} |"
        )
    table = "\n".join(rows)
    print(table)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"# A tagged cell in the kernel\n\n{__doc__}\n{table}\n")


if __name__ == "__main__":
    main()
