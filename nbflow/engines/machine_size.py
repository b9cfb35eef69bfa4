"""Machine size: what this machine has to share out among tasks."""

from __future__ import annotations

import os
import shutil
import subprocess
from itertools import takewhile

_NAMED = ("GPU-", "MIG-")


def machine_size() -> dict[str, float]:
    """Cores, bytes of memory and of free disk, and GPUs, by the names that resources have."""
    return {
        "cpu": float(cores()),
        "memory": float(_memory()),
        "gpu": float(len(gpus())),
        "disk": float(shutil.disk_usage(".").free),
    }


def cores() -> int:
    """The cores that this process may use: those of its container, not of the hardware."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = _quota()
    return max(1, min(allowed or 1, quota or allowed or 1))


def gpus() -> tuple[str, ...]:
    """The GPUs that may be used, by number, or by name as `GPU-…` and `MIG-…`."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        names = [name.strip() for name in visible.split(",")]
        # as CUDA has it: what follows a name that is none is not looked at
        return tuple(takewhile(lambda name: name.isdecimal() or name[:4] in _NAMED, names))
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    try:
        listed = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = [line for line in listed.stdout.splitlines() if line.startswith("GPU ")]
    return tuple(map(str, range(len(found))))


def _memory() -> int:
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _read("/sys/fs/cgroup/memory.max")
    return min(whole, int(limit)) if limit and limit.isdecimal() else whole


def _quota() -> int | None:
    """Whole cores that the container's quota allows."""
    text = _read("/sys/fs/cgroup/cpu.max")
    if not text or text.startswith("max"):
        return None
    quota, period = text.split()
    return max(1, int(quota) // int(period))


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return None
