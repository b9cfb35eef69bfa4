"""The modules `params` and `__main__` of a package: typed fields, and options for them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nbcompile.compile import compile_cells
from nbcompile.export.python import export_python
from nbcompile.notebook import parse_notebook

CELLS = """# %%
%%parameters
from datetime import date
from pathlib import Path
alpha_rate: float = 1e-3  # 100% strong
names: list[str] = ["a",
    "b"]  # whose
limit: int | None = None
day = date(2026, 1, 31)
home: Path = Path("a/b")
deep = [(1, date(2026, 1, 1))]
mode: Literal["fast", "exact"] = "fast"
loud: bool = False
top: float = float("inf")
# %%
%%step a
said = repr([alpha_rate, names, limit, day, home, deep, mode, loud, top])
"""
DEFAULTS = (
    "[0.001, ['a', 'b'], None, datetime.date(2026, 1, 31), PosixPath('a/b'), "
    "[(1, datetime.date(2026, 1, 1))], 'fast', False, inf]"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiled = compile_cells(parse_notebook(CELLS, "sample", ".py"))
    assert compiled.package is not None, compiled.diagnostics
    return export_python(compiled.package, tmp_path_factory.mktemp("out"))


def said(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "sample", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_defaults_are_the_notebooks_values(folder: Path) -> None:
    assert said(folder) == f"a/said = {DEFAULTS!r}\n"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--alpha-rate", "2"], "[2.0,"),
        (["--alpha_rate", "2"], "[2.0,"),
        (["--names", '["c"]'], "['c']"),
        (["--limit", "3"], "3, datetime"),
        (["--day", "2025-02-03"], "datetime.date(2025, 2, 3)"),
        (["--home", "x"], "PosixPath('x')"),
        (["--mode", "exact"], "'exact'"),
        (["--loud"], "True"),
    ],
)
def test_options(folder: Path, arguments: list[str], part: str) -> None:
    assert part in said(folder, *arguments).replace('\\"', '"').replace("\\'", "'")


def test_help_and_wrong_values(folder: Path) -> None:
    assert "100% strong (default: 0.001)" in said(folder, "--help")
    command = [sys.executable, "-m", "sample", "--mode", "slow"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 2


def test_fields_are_as_a_person_writes_them(folder: Path) -> None:
    text = (folder / "sample" / "params.py").read_text()
    assert "    alpha_rate: float = 1e-3  # 100% strong\n" in text
    assert "    day: date = date(2026, 1, 31)\n" in text
    assert "    home: Path = Path('a/b')\n" in text.replace('"', "'")
    assert "# whose\n" in text
