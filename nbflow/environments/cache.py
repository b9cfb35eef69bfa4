"""Cache: the folder of this machine where locks and built environments are kept."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path


def cache_folder() -> Path:
    """`NBFLOW_CACHE`, else nbflow's folder in the user's cache."""
    named = os.environ.get("NBFLOW_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "nbflow" / "environments"


def put_text(path: Path, text: str) -> None:
    """Write a file that is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = beside_of(path)
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def beside_of(path: Path) -> Path:
    """A name in the same folder that nobody else has."""
    return path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}")


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """One process of this machine at a time, per path; all at once where files have no locks."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
