"""The cases of the notebook language, each through the real command line on two engines."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cases import PATHS, Nbflow, check_case, command_line, read_case


@pytest.fixture
def nbflow(tmp_path: Path) -> Nbflow:
    """The command line as a process of its own, in an empty folder."""
    return command_line(tmp_path)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
@pytest.mark.parametrize("engine", ["inline", "dask"])
def test_case(
    path: Path, engine: str, nbflow: Nbflow, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    address = engine if engine == "inline" else request.getfixturevalue("cluster")
    notebook = Path(shutil.copy(path, tmp_path))
    check_case(read_case(path), notebook, address, nbflow)
