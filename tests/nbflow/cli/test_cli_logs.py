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


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Call the command line there."""
    command = [sys.executable, "-m", "nbflow", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("engine", ["inline", "dask"])
def test_child_processes_and_errors_go_to_standard_error(engine: str, tmp_path: Path) -> None:
    (tmp_path / "talk.py").write_text(
        "# %%\n%%step say\nimport sys\nprint('one')\n!echo two\nprint('three', file=sys.stderr)\n"
        "print('four')\n"
    )
    assert run(tmp_path, "run", "talk.py", "--on", engine).returncode == 0
    logs = run(tmp_path, "logs", "talk/1/say")
    assert (logs.stdout, logs.stderr) == ("one\nfour\n", "two\nthree\n")


@pytest.mark.parametrize("engine", ["inline", "dask"])
def test_warnings_name_cell_and_line(engine: str, tmp_path: Path) -> None:
    (tmp_path / "talk.py").write_text(
        "# %%\n%%step doubt\nimport warnings\nwarnings.warn('of the step')\n"
        "warnings.warn_explicit('of a library', UserWarning, 'library.py', 7)\nx = 1\n"
    )
    assert run(tmp_path, "run", "talk.py", "--on", engine).returncode == 0
    assert run(tmp_path, "logs", "talk/1/doubt").stderr == (
        'Cell 0, line 3: UserWarning: of the step\n  warnings.warn("of the step")\n'
        "library.py:7: UserWarning: of a library\n"
    )


def test_following_waits_for_a_task_that_is_to_come(tmp_path: Path) -> None:
    (tmp_path / "talk.py").write_text(
        "# %%\n%%step wait\nimport pathlib, time\n"
        "while not pathlib.Path('go').exists(): time.sleep(0.05)\n"
        "items = [1, 2]\n"
        "# %%\n%%step say --foreach item in items\nprint('item', item)\n"
    )

    def nbflow(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "nbflow", *words]
        output = subprocess.PIPE
        return subprocess.Popen(command, cwd=tmp_path, stdout=output, stderr=output, text=True)

    with nbflow("run", "talk.py", "--on", "inline", "--detach") as run:
        assert run.communicate(timeout=60)[0] == "talk/1\n"
    with (
        nbflow("logs", "talk/1/say/1", "-f") as coming,
        nbflow("logs", "talk/1/say/7", "-f") as never,
        nbflow("logs", "talk/1/sey/1", "-f") as wrong,
    ):
        assert "has no step 'sey'" in wrong.communicate(timeout=60)[1]
        assert (coming.poll(), never.poll()) == (None, None)
        (tmp_path / "go").touch()
        assert coming.communicate(timeout=60) == ("item 2\n", "")
        assert "talk/1/say has no task '7'" in never.communicate(timeout=60)[1]
