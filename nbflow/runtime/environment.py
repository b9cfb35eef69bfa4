"""Environment: what a run records of where it ran, and the part of it that results depend on."""

from __future__ import annotations

import getpass
import json
import platform
import socket
import subprocess
import tomllib
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any


def describe_environment() -> dict[str, Any]:
    """Python, the machine, and every installed distribution with its version."""
    from importlib.metadata import distributions

    packages: dict[str, str] = {}
    for one in distributions():
        name = one.metadata["Name"]
        if name and name not in packages:
            packages[name] = one.version
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())),
    }


def identity_of(
    manifest: Mapping[str, Any], files: Mapping[str, str], python: str | None = None
) -> str:
    """What of the environment results depend on: Python, and what the flow imports, as pinned."""
    pinned = manifest.get("dependencies")
    if pinned is None:
        project = tomllib.loads(files.get("pyproject.toml", "")).get("project", {})
        pinned = project.get("dependencies", [])
    version = python or platform.python_version()
    content = json.dumps([version, sorted(pinned)])
    return blake2b(content.encode(), digest_size=8).hexdigest()


def user() -> str:
    """Who runs it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no name for this user id, in a container say
        return "unknown"


def host() -> str:
    """The name of this machine."""
    return socket.gethostname()


def git_state(folder: Path) -> tuple[str | None, bool]:
    """The commit of the folder's repository and whether anything differs from it."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None, False
    return commit, bool(_git(folder, "status", "--porcelain", "--untracked-files=no"))


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
