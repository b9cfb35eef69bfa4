"""The files of the repository: short modules, no traces of one machine, links that lead somewhere."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("nbcompile", "nbflow", "kernel_magics/nbflow_magics")
MODULES = sorted(path for room in PACKAGES for path in (ROOT / room).rglob("*.py"))
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/README.md")])

#: brackets keep the pattern from finding itself
MACHINE = re.compile(r"/(wor[k]|roo[t]|hom[e]/\w+)/|https?://[\w.]*(pypi|npmj[s]|debia[n])\.")
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")


def tracked() -> list[Path]:
    """The files under version control; all text files where this is not a clone."""
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git clone")
    return [ROOT / name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_are_short_and_say_what_they_are(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") < 400, "split it: one idea a module"
    assert not text.strip() or ast.get_docstring(ast.parse(text)), "its first line says its idea"


def test_nothing_names_one_machine() -> None:
    found = []
    for path in tracked():
        try:
            lines = path.read_text().splitlines()
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.relative_to(ROOT)}:{n}" for n, x in enumerate(lines, 1) if MACHINE.search(x)
        ]
    assert not found


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    targets = [match[1] for match in LINK.finditer(text) if "://" not in match[1]]
    assert [name for name in targets if not (page.parent / name).exists()] == []
