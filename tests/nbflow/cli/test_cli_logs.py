"""What a task printed, and what was printed beside it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nbflow.cli.logs import split_aside


@pytest.mark.parametrize(
    ("data", "at", "ranges", "parts"),
    [
        (b"abc", 0, [], [(b"abc", False)]),
        (b"abcdef", 0, [(1, 3)], [(b"a", False), (b"bc", True), (b"def", False)]),
        (b"cdef", 2, [(1, 3), (5, 6)], [(b"c", True), (b"de", False), (b"f", True)]),
        (b"ab", 0, [(0, 2)], [(b"ab", True)]),
    ],
)
def test_parts_that_stand_aside(
    data: bytes, at: int, ranges: list[tuple[int, int]], parts: list[tuple[bytes, bool]]
) -> None:
    assert split_aside(data, at, ranges) == parts


@pytest.mark.parametrize("engine", ["inline", "dask"])
def test_child_processes_and_errors_go_to_standard_error(engine: str, tmp_path: Path) -> None:
    (tmp_path / "talk.py").write_text(
        "# %%\n%%step say\nimport sys\nprint('one')\n!echo two\nprint('three', file=sys.stderr)\n"
        "print('four')\n"
    )

    def nbflow(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "nbflow", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)

    assert nbflow("run", "talk.py", "--on", engine).returncode == 0
    logs = nbflow("logs", "talk/1/say")
    assert (logs.stdout, logs.stderr) == ("one\nfour\n", "two\nthree\n")
