"""Golden files: whole notebooks and the packages that come of them.

After a change that is meant, `UPDATE_GOLDEN=1 pytest tests/nbcompile/test_golden.py` writes the
packages anew; the diff shows what the change does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nbcompile import compile_notebook
from nbcompile.diagnostics import has_errors
from nbcompile.emit.formatting import ruff
from nbcompile.export.python import export_python

GOLDEN = Path(__file__).parent / "golden"
NOTEBOOKS = sorted((GOLDEN / "notebooks").glob("*.py"))
NAMES = [path.stem for path in NOTEBOOKS]


def written(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_package_is_as_recorded(path: Path) -> None:
    compiled = compile_notebook(path)
    assert not has_errors(compiled.diagnostics)
    assert compiled.package is not None
    recorded = GOLDEN / "packages" / path.stem
    if os.environ.get("UPDATE_GOLDEN"):
        shutil.rmtree(recorded, ignore_errors=True)
        export_python(compiled.package, recorded)
    assert compiled.package.files == written(recorded)


@pytest.mark.parametrize("name", NAMES)
def test_recorded_package_passes_ruff(name: str) -> None:
    folder = GOLDEN / "packages" / name
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [ruff(), *command, "--no-cache", "--config", "pyproject.toml", "."],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_recorded_package_runs_without_nbflow(name: str, tmp_path: Path) -> None:
    folder = GOLDEN / "packages" / name
    package = next(path.parent.name for path in folder.glob("*/flow.json"))
    # -I leaves out everything but the standard library and what is installed; nbflow is blocked
    program = (
        "import sys, runpy; sys.dont_write_bytecode = True\n"
        "sys.modules['nbflow'] = sys.modules['nbcompile'] = None\n"
        f"sys.path.insert(0, {str(folder)!r}); sys.argv = [{package!r}]\n"
        f"runpy.run_module({package!r}, run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (GOLDEN / "printed" / f"{name}.txt").read_text(encoding="utf-8")
