"""Fill in what IPython prints: run the patterns' cells top to bottom in a fresh shell each.

    python tests/conformance/expected.py tests/cases/more_patterns.json

rewrites the file's `expected`, the text that the last cell of each pattern prints to stdout.
A pattern whose cells raise is reported and left as it is.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SHELL = """
import contextlib, io, json, os, sys, tempfile
os.environ["IPYTHONDIR"] = tempfile.mkdtemp()
os.environ["NO_COLOR"] = "1"
from IPython.core.interactiveshell import InteractiveShell

answer = open(sys.argv[1], "w")
cells = json.load(sys.stdin)
dumps = json.dumps
shell = InteractiveShell.instance(colors="nocolor", history_load_length=0)
shell.separate_in = shell.separate_out = shell.separate_out2 = ""
for cell in cells:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        outcome = shell.run_cell(cell, store_history=True)
    if not outcome.success:
        sys.exit(f"{type(outcome.error_in_exec or outcome.error_before_exec).__name__}")
answer.write(dumps(printed.getvalue()))
answer.close()
os._exit(0)
"""


def printed(cells: list[str]) -> str:
    """What the last of the cells prints in a fresh IPython; RuntimeError where one raises."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "answer.json")
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", SHELL, str(answer)],
            input=json.dumps(cells),
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])
        return str(json.loads(answer.read_text()))


def fill(path: Path) -> int:
    """Rewrite the file; the number of patterns that raised."""
    patterns = json.loads(path.read_text())
    failed = 0

    def ask(pattern: dict[str, object]) -> str | RuntimeError:
        try:
            return printed(pattern["cells"])  # type: ignore[arg-type]
        except RuntimeError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        for pattern, answer in zip(patterns, pool.map(ask, patterns), strict=True):
            if isinstance(answer, RuntimeError):
                failed += 1
                sys.stdout.write(f"{pattern['id']}: {answer}\n")
            else:
                pattern["expected"] = answer
    path.write_text(json.dumps(patterns, indent=1, ensure_ascii=False) + "\n")
    return failed


if __name__ == "__main__":
    sys.exit(min(1, sum(fill(Path(name)) for name in sys.argv[1:])))
