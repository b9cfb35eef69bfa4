"""Diff shown: as text and as HTML, only what changed, in notebook cells where there are any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from nbflow.client.diff import ABSENT, PARTS, Change, Diff, delta
from nbflow.client.html import dim, folded, page, table, title
from nbflow.client.text import brief, duration, grid, plural

if TYPE_CHECKING:
    from nbflow.client.celldiff import CellChange, Line

#: statistics of one value that are shown
STATISTICS = 8
#: lines of a table on the terminal, beyond which durations that hardly changed are counted only
_LINES = 12
#: seconds that count as a change
_SECONDS = 0.5

_STYLE = """<style>
.nbf .nbf-cell {margin: 8px 0 0; font-weight: 600}
.nbf pre.nbf-diff {padding: 6px 0; white-space: pre; max-height: 40em}
.nbf pre.nbf-diff span.nbf-line {display: block; padding: 0 10px; min-height: 1.3em}
.nbf .nbf-line.nbf-plus {background: rgba(46, 160, 67, .16)}
.nbf .nbf-line.nbf-minus {background: rgba(248, 81, 73, .16)}
.nbf .nbf-plus mark {background: rgba(46, 160, 67, .42); color: inherit}
.nbf .nbf-minus mark {background: rgba(248, 81, 73, .42); color: inherit}
.nbf .nbf-sign {user-select: none; opacity: .65; display: inline-block; width: 1.4em}
.nbf td.nbf-part {padding-left: 18px; white-space: nowrap}
</style>"""

_CLASSES = {"+": "nbf-plus", "-": "nbf-minus"}


def shown_value(part: str, value: Any, width: int = 60) -> str:
    """A value of a part, in short."""
    if part == "durations" and value != ABSENT:
        return duration(value) if isinstance(value, float) else str(value)
    return ABSENT if value == ABSENT else brief(value, width)


def shown_delta(part: str, change: Change) -> str:
    """How far it has gone; nothing where a duration has hardly changed."""
    if part != "durations":
        return delta(*change)
    old, new = change
    if not (isinstance(old, float) and isinstance(new, float)) or abs(new - old) < _SECONDS:
        return ""
    return f"{'▲ +' if new > old else '▼ -'}{duration(abs(new - old))}"


def shown_rows(found: Diff, part: str) -> Iterator[tuple[str, Change, bool]]:
    """The rows of a part, `data` with the statistics that changed below it; the last: is one."""
    rows: Mapping[str, Change] = getattr(found, part)
    for name, change in rows.items():
        yield name, change, False
        if part == "data":
            yield from _statistics(found.statistics.get(name, {}))
    if part == "data":
        for name in found.statistics.keys() - rows.keys():
            yield name, ("",) * len(found.runs), False
            yield from _statistics(found.statistics[name])


def told_rows(found: Diff, part: str) -> tuple[list[tuple[str, Change, bool]], str]:
    """The rows of a part for a terminal, and what is said of those that are left out there."""
    every = list(shown_rows(found, part))
    if len(every) <= _LINES:
        return every, ""
    told = [one for one in every if not _alike(part, one[1])]
    left = len(every) - len(told)
    return told, f"{plural(left, 'other')} about the same" if left else ""


def _alike(part: str, change: Change) -> bool:
    """Whether two durations hardly differ."""
    plain = all(isinstance(one, float) for one in change)
    return part == "durations" and len(change) == 2 and plain and not shown_delta(part, change)


def _statistics(held: Mapping[str, Change]) -> Iterator[tuple[str, Change, bool]]:
    """Those that changed most first."""
    ranked = sorted(held.items(), key=lambda one: -_weight(*one))
    for name, change in ranked[:STATISTICS]:
        yield name, change, True


def _weight(name: str, change: Change) -> float:
    numbers = [one for one in change if isinstance(one, int | float)]
    if name in ("rows", "length", "columns", "shape") or len(numbers) < len(change):
        return 10.0
    scale = max(map(abs, numbers)) or 1.0
    # a mean says more than an extreme
    return (max(numbers) - min(numbers)) / scale + (0.5 if name.endswith("mean") else 0.0)


def heads(found: Diff) -> list[tuple[str, Sequence[CellChange]]]:
    """The cells that changed, under the run that they changed in."""
    return [
        (f"cells, {found.a} → {run}" if len(found.runs) > 2 else "cells", changes)
        for run, changes in found.cells.items()
    ]


def diff_text(found: Diff) -> str:
    """As lines."""
    lines = [found.title]
    if not found:
        return f"{lines[0]}\nnothing changed"
    two = len(found.runs) == 2
    for part in PARTS:
        told, left = told_rows(found, part)
        rows = [
            (
                f"  {name}" if inner else name,
                *(shown_value(part, one, 40) for one in change),
                *([shown_delta(part, change)] if two else []),
            )
            for name, change, inner in told
        ]
        if rows:
            lines += ["", grid((part, *found.runs, *([""] if two else [])), rows)]
        if left:
            lines.append(left)
    for head, changes in heads(found):
        lines += ["", head]
        for change in changes:
            lines += ["", change.title(), *(f"{one.sign} {one.text}" for one in change.lines)]
    if not found.cells:
        for step, text in found.code.items():
            lines += ["", f"code of {step}", text.rstrip()]
    return "\n".join(line.rstrip() for line in lines)


def diff_html(found: Diff) -> str:
    """As a display."""
    parts = [title(found.title)]
    parts += [_table(found, part) for part in PARTS if getattr(found, part)]
    for head, changes in heads(found):
        parts.append(folded(head, "".join(map(_cell, changes)), opened=True))
    if not found.cells:
        parts += [folded(f"code of {k}", _unified(v), opened=True) for k, v in found.code.items()]
    return _STYLE + page(*parts, "" if found else dim("nothing changed"))


def _table(found: Diff, part: str) -> str:
    two = len(found.runs) == 2
    rows = []
    for name, change, inner in shown_rows(found, part):
        cells = [f'<td class="nbf-part">{dim(name)}</td>' if inner else escape(name)]
        cells += [_value(part, one, change[0], at) for at, one in enumerate(change)]
        rows.append(cells + ([dim(shown_delta(part, change))] if two else []))
    made = table([part, *found.runs, *([""] if two else [])], rows)
    quiet = part in ("durations", "environment") and len(rows) > 3
    return folded(part, made, opened=False) if quiet else made


def _value(part: str, value: Any, first: Any, at: int) -> str:
    text = escape(shown_value(part, value, 80))
    if part == "durations" or (value == first and at):
        return dim(shown_value(part, value))
    return f"<ins>{text}</ins>" if at else f"<del>{text}</del>"


def _cell(change: CellChange) -> str:
    head = f'<div class="nbf-cell">{escape(change.title())}</div>'
    lines = "".join(map(_line, change.lines))
    return head + (f'<pre class="nbf-diff">{lines}</pre>' if lines else "")


def _line(line: Line) -> str:
    text = "".join(
        f"<mark>{escape(part)}</mark>" if changed else escape(part) for part, changed in line.parts
    )
    sign = f'<span class="nbf-sign">{line.sign}</span>'
    return f'<span class="nbf-line {_CLASSES.get(line.sign, "")}">{sign}{text}</span>'


def _unified(text: str) -> str:
    lines = [
        f'<span class="nbf-line {_CLASSES.get(line[:1], "")}">{escape(line)}</span>'
        for line in text.splitlines()
    ]
    return f'<pre class="nbf-diff">{"".join(lines)}</pre>'
