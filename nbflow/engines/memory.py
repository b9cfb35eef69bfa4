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
    used = f" and had {format_size(_round(peak))} at its peak" if peak else ""
    more = format_size(2 * limit)
    return (
        f"The task was out of memory: it may have {format_size(limit)}{used}. "
        f"Ask for more: `--memory {more}`."
    )


def _round(size: int) -> int:
    """To three digits or so: nobody counts the bytes of a peak."""
    unit = 1 << max(0, (size.bit_length() - 1) // 10 * 10)
    return max(1, round(size / unit)) * unit


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
