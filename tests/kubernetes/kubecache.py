"""What is built once for a machine and lies outside the checkout: the binaries and the images."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
BUILD = HERE / "build_kube.sh"
PROGRAM = HERE / "kube_all.go"
#: what the control plane consists of, and what a real node needs besides
CONTROL = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
NODE = ("kubelet", "kube-proxy")

#: seconds that a build may take, with all that it starts
_LONGEST = "2400"

#: of each kind, how many of the newest are kept
_KEPT = {
    "layer-debian-*": 2,
    "layer-packages-*": 2,
    "image-base-*": 2,
    "layer-code-*": 3,
    "image-code-*": 3,
    "kube-*": 2,
    "*.half": 0,
}
#: seconds since its last use for which another process may still want a file
_IN_USE = 3600.0

_HOME = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def cache() -> Path:
    """The folder of all that is built: below the user's cache folder."""
    return _HOME / "nbflow-tests"


def binaries() -> Path:
    """Where the Kubernetes binaries are, or would be once built by the script as it stands."""
    text = BUILD.read_bytes() + PROGRAM.read_bytes() + platform.machine().encode()
    return cache() / f"kube-{hashlib.sha256(text).hexdigest()[:12]}"


def built() -> bool:
    """Whether all binaries are there."""
    return all((binaries() / name).is_file() for name in CONTROL + NODE)


@contextmanager
def locked(name: str, wait: bool = True) -> Iterator[bool]:
    """Hold the lock of this name on this machine; False where another holds it and we don't wait.

    It goes with the process that holds it, however that ends.
    """
    cache().mkdir(parents=True, exist_ok=True)
    with open(cache() / f"{name}.lock", "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True


def build() -> None:
    """Build the binaries where they are missing; one build at a time on a machine."""
    with locked("build"):
        if built():
            return
        place = binaries()
        half = place.with_name(place.name + ".half")
        shutil.rmtree(half, ignore_errors=True)
        command = ["timeout", "--kill-after=10", _LONGEST, "bash", str(BUILD), str(half)]
        subprocess.run([*command, *CONTROL, *NODE], check=True)
        half.rename(place)


def prune() -> None:
    """Delete what was not used for long, but for the newest few of each kind."""
    if binaries().is_dir():
        os.utime(binaries())
    for pattern, number in _KEPT.items():
        used = {path: path.stat().st_mtime for path in cache().glob(pattern)}
        for path in sorted(used, key=lambda one: used[one], reverse=True)[number:]:
            if time.time() - used[path] > _IN_USE:
                _delete(path)


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def building() -> bool:
    """Whether somebody on this machine builds the binaries just now."""
    with locked("build", wait=False) as free:
        return not free


if __name__ == "__main__":
    build()
