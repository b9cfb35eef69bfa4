"""Text: durations, times, sizes, values and tables in the few words a person reads."""

from __future__ import annotations

import json
import re
import textwrap
import time
from collections.abc import Iterable, Sequence
from typing import Any

#: what stands where there is nothing to say
NOTHING = "-"


def duration(seconds: float | None) -> str:
    """`0.04 s`, `3.2 s`, `1m 05s`, `2h 03m`."""
    if seconds is None:
        return NOTHING
    seconds = max(seconds, 0.0)
    if seconds < 0.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m {rest:02d}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02d}m"


def when(moment: float | None) -> str:
    """A time of day on this machine: `2026-11-21 03:15:02`."""
    if moment is None:
        return NOTHING
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))


def size(count: float) -> str:
    """`512 B`, `1.5 kB`, `20 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:
            return _number(count, unit)
        count /= 1000
    return _number(count, "TB")


def plural(count: int, word: str) -> str:
    """`1 task`, `3 tasks`."""
    return f"{count} {word}" if count == 1 else f"{count:,} {word}s"


def brief(value: Any, width: int = 40) -> str:
    """A plain value on one line: numbers rounded, long text cut."""
    if value is None:
        text = NOTHING
    elif isinstance(value, float):
        text = f"{value:.6g}"
    elif isinstance(value, str):
        text = value
    else:
        text = json.dumps(value, ensure_ascii=False, default=repr)
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 1] + "…"


def pairs(values: dict[str, Any], width: int = 60) -> str:
    """`alpha=0.3 limit=10`, cut to a width."""
    text = " ".join(f"{name}={brief(value, 24)}" for name, value in values.items())
    return text if len(text) <= width else text[: width - 1] + "…"


def fold(line: str, width: int) -> str:
    """A line as lines of at most this width, broken between words, below its second column."""
    if len(line) <= width:
        return line
    column = re.search(r"(?<=  )\S", line[: width // 2])
    indent = column.start() if column else 4
    return textwrap.fill(
        line,
        width,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns aligned with spaces, as plain lines."""
    lines = [list(head), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _number(count: float, unit: str) -> str:
    whole = unit == "B" or count >= 9.95
    return f"{count:.0f} {unit}" if whole else f"{count:.1f} {unit}"
