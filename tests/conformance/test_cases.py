"""The cases of the notebook language, each through the real command line on two engines."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cases import PATHS, Nbflow, check_case, read_case

pytestmark = pytest.mark.xdist_group("cases")


@pytest.fixture
def nbflow(tmp_path: Path) -> Nbflow:
    """The command line as a process of its own, in an empty folder."""

    def call(*arguments: object) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "nbflow", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "CI": "true"},
            capture_output=True,
            text=True,
            timeout=100,
        )
        sys.stderr.write(done.stderr)
        return done.returncode, done.stdout

    return call


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
@pytest.mark.parametrize("engine", ["inline", "dask"])
def test_case(
    path: Path, engine: str, nbflow: Nbflow, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    address = engine if engine == "inline" else request.getfixturevalue("cluster")
    notebook = Path(shutil.copy(path, tmp_path))
    check_case(read_case(path), notebook, address, nbflow)
