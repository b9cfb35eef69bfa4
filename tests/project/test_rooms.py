"""The rooms: who may import whom, and that a cheap import stays cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {"IPython", "dask", "distributed", "nbformat", "numpy", "pandas", "pyarrow", "rich"}

#: What the compiler may import beyond the standard library: it must not need an engine or a kernel.
COMPILER_MAY = {"IPython", "nbcompile", "yaml"}


def imported(path: Path) -> set[str]:
    """The top-level names of every module that the file imports anywhere."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_import_directions() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


#: the templates are text of emitted packages
COMPILER = sorted(
    path for path in (ROOT / "nbcompile").rglob("*.py") if path.parent.name != "templates"
)


@pytest.mark.parametrize("path", COMPILER, ids=lambda p: p.stem)
def test_the_compiler_is_pure(path: Path) -> None:
    assert imported(path) - set(sys.stdlib_module_names) <= COMPILER_MAY


@pytest.mark.parametrize("module", ["nbflow", "nbflow.cli", "nbcompile"])
def test_imports_stay_cheap(module: str) -> None:
    code = f"import {module}, sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())
