"""Build: a lock as an environment on this machine, and how a host process starts in it."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import sys
from hashlib import blake2b
from pathlib import Path

import nbcompile
import nbflow
from nbflow.environments.cache import alone, beside_of, cache_folder
from nbflow.environments.locks import Lock
from nbflow.environments.uv import call_uv

#: what a Python in which nbflow is not installed runs as a host
_START = (
    "import sys; sys.path.append(sys.argv.pop(1)); from nbflow.engines.host import main; main()"
)


def host_command(lock: Lock | None) -> list[str]:
    """The command line of a host process; builds its environment where there is none yet.

    Raises a `UserError` where that cannot be done.
    """
    # -P: a file of the user beside the notebook must not stand in for one of ours
    if lock is None:
        return [sys.executable, "-P", "-m", "nbflow.engines.host"]
    return [str(build(lock)), "-P", "-c", _START, str(_runtime())]


def is_built(lock: Lock) -> bool:
    """Whether this machine has the environment."""
    return _python(_place(lock)).exists()


def build(lock: Lock) -> Path:
    """The Python of the environment, which is built first where there is none.

    What is half done is never seen: it becomes the environment by its name.
    """
    place = _place(lock)
    if _python(place).exists():
        return _python(place)
    with alone(place):
        if not _python(place).exists():
            beside = beside_of(place)
            try:
                _build(lock, beside)
                with contextlib.suppress(OSError):  # another one was quicker
                    beside.rename(place)
            finally:
                shutil.rmtree(beside, ignore_errors=True)
    return _python(place)


def _build(lock: Lock, folder: Path) -> None:
    what = f"The environment `{lock.name}` cannot be built"
    here = ".".join(platform.python_version_tuple()[:2])
    python = sys.executable if lock.python == here else lock.python
    call_uv(["venv", "--quiet", "--relocatable", "--python", python, str(folder)], what)
    words = [
        "pip",
        "sync",
        "--quiet",
        "--python",
        str(_python(folder)),
        "--allow-empty-requirements",
    ]
    call_uv([*words, "-"], what, lock.text)


def _place(lock: Lock) -> Path:
    return cache_folder() / f"{lock.name}-{lock.id}"


def _python(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _runtime() -> Path:
    """A folder that holds nothing but nbflow as it runs here, for another Python's search path."""
    rooms = [Path(room.__file__).parent for room in (nbflow, nbcompile) if room.__file__]
    word = blake2b("\n".join(map(str, rooms)).encode(), digest_size=6).hexdigest()
    folder = cache_folder() / f"runtime-{word}"
    if not folder.is_dir():
        beside = beside_of(folder)
        beside.mkdir(parents=True)
        for room in rooms:
            (beside / room.name).symlink_to(room, target_is_directory=True)
        try:
            beside.rename(folder)
        except OSError:  # another one was quicker
            shutil.rmtree(beside)
    return folder
