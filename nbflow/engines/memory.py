"""Memory: what a container may use, and whether the kernel has ended a process for wanting more."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nbcompile.units import format_size

_GROUPS = Path("/sys/fs/cgroup")
#: what version 1 of control groups says where there is no limit is some huge number
_UNLIMITED = 1 << 60


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """The memory of this process's container so far; None where nobody counts it."""

    limit: int | None = None
    peak: int | None = None
    #: processes that were ended since there was not enough
    kills: int = 0


def memory_use(groups: Path = _GROUPS) -> MemoryUse:
    """The memory that the control group of this container has used, by either version."""
    if (groups / "memory.events").exists():
        return MemoryUse(
            _number(groups / "memory.max"),
            _number(groups / "memory.peak"),
            _counter(groups / "memory.events"),
        )
    first = groups / "memory"
    limit = _number(first / "memory.limit_in_bytes")
    return MemoryUse(
        limit if limit is not None and limit < _UNLIMITED else None,
        _number(first / "memory.max_usage_in_bytes"),
        _counter(first / "memory.oom_control"),
    )


def out_of_memory(limit: int | None, peak: int | None = None) -> str:
    """The sentence about a task that wanted more memory than it may have."""
    if limit is None:
        return "The task was out of memory. Ask for more: `--memory SIZE`."
    used = f" and had {_rounded(peak)} at its peak" if peak else ""
    return (
        f"The task was out of memory: it may have {_rounded(limit)}{used}. "
        f"Ask for more: `--memory {_rounded(2 * limit)}`."
    )


def _rounded(size: int) -> str:
    """A size to three digits: a limit of 100MB is less by what does not fill a page."""
    if size % (1 << 20) == 0:
        return format_size(size)
    step = 10 ** max(0, len(str(size)) - 3)
    return format_size(round(size / step) * step)


def _number(path: Path) -> int | None:
    text = _read(path).strip()
    return int(text) if text.isdecimal() else None


def _counter(path: Path) -> int:
    for line in _read(path).splitlines():
        name, _, value = line.partition(" ")
        if name == "oom_kill" and value.isdecimal():
            return int(value)
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""
