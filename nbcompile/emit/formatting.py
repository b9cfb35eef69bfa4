"""Formatting: all files of a package through ruff, in one process."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

#: what emitted packages are formatted and checked with; their pyproject.toml says the same
LINE_LENGTH = 100


def format_files(files: Mapping[str, str]) -> dict[str, str]:
    """The Python files formatted; RuntimeError where one does not parse, which is our mistake."""
    with tempfile.TemporaryDirectory(prefix="nbflow-") as folder:
        paths = {name: Path(folder, f"{number}.py") for number, name in enumerate(files)}
        for name, path in paths.items():
            path.write_text(files[name], encoding="utf-8", newline="\n")
        command = [ruff(), "format", "--isolated", "--no-cache", "--quiet"]
        command += ["--line-length", str(LINE_LENGTH), "--target-version", "py311", folder]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            named = {str(path): name for name, path in paths.items()}
            message = done.stderr.strip()
            for path_text, name in named.items():
                message = message.replace(path_text, name)
            raise RuntimeError(f"the emitted code cannot be formatted: {message}")
        return {name: path.read_text(encoding="utf-8") for name, path in paths.items()}


def ruff() -> str:
    """The path of ruff's program, which is installed with nbflow."""
    beside = Path(sys.executable).with_name("ruff")
    found = str(beside) if beside.exists() else shutil.which("ruff")
    if found is None:
        raise RuntimeError("ruff is not installed, though nbflow depends on it")
    return found
