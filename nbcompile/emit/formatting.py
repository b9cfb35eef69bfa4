"""Formatting: all files of a package through ruff, in one process."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

#: what emitted packages are formatted and checked with; their pyproject.toml says the same
LINE_LENGTH = 100

#: a statement that stands between two files while they are formatted as one
_BOUNDARY = "nbflow_boundary_between_files"
#: comments by which users switch the formatter off: they must not reach into another file
_SWITCHES = ("fmt:", "yapf:")


def format_files(files: Mapping[str, str]) -> dict[str, str]:
    """The Python files formatted; RuntimeError where one does not parse, which is our mistake."""
    alone = [name for name, text in files.items() if any(s in text for s in _SWITCHES)]
    groups = [[name for name in files if name not in alone], *([name] for name in alone)]
    formatted: dict[str, str] = {}
    for group in groups:
        texts = _format([files[name] for name in group]) if group else []
        formatted.update(zip(group, texts, strict=True))
    return {name: formatted[name] for name in files}


def ruff() -> str:
    """The path of ruff's program, which is installed with nbflow."""
    beside = Path(sys.executable).with_name("ruff")
    found = str(beside) if beside.exists() else shutil.which("ruff")
    if found is None:
        raise RuntimeError("ruff is not installed, though nbflow depends on it")
    return found


def _format(texts: Iterable[str]) -> list[str]:
    """Format several files as one text: a process and a temporary file for each take long."""
    joined = f"\n{_BOUNDARY}\n".join(texts)
    command = [ruff(), "format", "--isolated", "--no-cache", "--quiet"]
    command += ["--line-length", str(LINE_LENGTH), "--target-version", "py311"]
    command += ["--stdin-filename", "package.py", "-"]
    done = subprocess.run(command, input=joined, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        raise RuntimeError(f"the emitted code cannot be formatted: {done.stderr.strip()}")
    return [f"{part.strip()}\n" for part in done.stdout.split(f"\n{_BOUNDARY}\n")]
