"""Cell diffs: which cells of a notebook changed, and in each the lines and the words that did."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

Sign = Literal["+", "-", " ", "…"]

#: unchanged lines that are shown around a change
_AROUND = 2
#: cells are the same one, edited, if this share of them agrees
_ALIKE = 0.4
#: pairs of cells that are looked at to find which is which
_PAIRS = 400
_WORD = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a cell; ``parts`` are pieces of it, with whether they changed."""

    sign: Sign
    parts: tuple[tuple[str, bool], ...]

    @property
    def text(self) -> str:
        """The whole line."""
        return "".join(text for text, _ in self.parts)


@dataclass(frozen=True, slots=True)
class CodeCell:
    """A cell that code can differ in: its place in the notebook, its step if any, its text."""

    index: int
    step: str | None
    source: str


@dataclass(frozen=True, slots=True)
class CellChange:
    """A cell that was edited, added, removed or moved."""

    kind: Literal["edited", "added", "removed", "moved"]
    old: CodeCell | None
    new: CodeCell | None

    @property
    def cell(self) -> CodeCell:
        """The cell as it is now, or was last."""
        one = self.new or self.old
        assert one is not None
        return one

    @property
    def lines(self) -> tuple[Line, ...]:
        """What changed, line by line, with some lines around it."""
        if self.kind == "moved":
            return ()
        return line_changes(
            "" if self.old is None else self.old.source,
            "" if self.new is None else self.new.source,
        )

    def title(self) -> str:
        """`cell 3 · train`, and where it was if that is elsewhere."""
        name = f" · {self.cell.step}" if self.cell.step else ""
        if self.kind == "edited":
            was = "" if self.old is None or self.old.index == self.cell.index else self.old.index
            return f"cell {self.cell.index}{name}" + (f" (was cell {was})" if was != "" else "")
        told = f"cell {self.cell.index}{name}, {self.kind}"
        return told + (f" from {self.old.index}" if self.kind == "moved" and self.old else "")


def cell_changes(before: Sequence[CodeCell], after: Sequence[CodeCell]) -> tuple[CellChange, ...]:
    """The cells that changed, in the order of the notebook as it is now."""
    matcher = SequenceMatcher(None, _keys(before), _keys(after), autojunk=False)
    found: list[CellChange] = []
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            found += _paired(before[a:b], after[c:d])
    return tuple(_moved(found))


def line_changes(before: str, after: str) -> tuple[Line, ...]:
    """The lines that changed, with a few around them; `…` stands for lines left out."""
    old, new = before.splitlines(), after.splitlines()
    lines: list[Line] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += _context(old[a:b], first=a == 0, last=b == len(old))
        elif tag == "replace" and b - a == d - c:
            pairs = [_words(x, y) for x, y in zip(old[a:b], new[c:d], strict=True)]
            lines += [one for one, _ in pairs] + [one for _, one in pairs]
        else:
            lines += [Line("-", ((line, False),)) for line in old[a:b]]
            lines += [Line("+", ((line, False),)) for line in new[c:d]]
    return tuple(lines)


def _keys(cells: Sequence[CodeCell]) -> list[tuple[str | None, str]]:
    return [(one.step, one.source) for one in cells]


def _paired(old: Sequence[CodeCell], new: Sequence[CodeCell]) -> list[CellChange]:
    """Cells between two that stayed: those that are alike are one cell, edited."""
    if not old or not new or len(old) * len(new) > _PAIRS:
        pairs: dict[int, int] = {}
    else:
        pairs = _alike(old, new)
    found: list[CellChange] = []
    left = iter([one for at, one in enumerate(old) if at not in pairs])
    for at, one in enumerate(new):
        was = next((a for a, b in pairs.items() if b == at), None)
        if was is None:
            found.append(CellChange("added", None, one))
        else:
            found.append(CellChange("edited", old[was], one))
    return [*(CellChange("removed", one, None) for one in left), *found]


def _alike(old: Sequence[CodeCell], new: Sequence[CodeCell]) -> dict[int, int]:
    """Which old cell is which new one, the likest first, without crossing each other."""
    scores = sorted(
        (
            (_likeness(one, other), -abs(a - b), a, b)
            for a, one in enumerate(old)
            for b, other in enumerate(new)
        ),
        reverse=True,
    )
    pairs: dict[int, int] = {}
    for score, _, a, b in scores:
        free = a not in pairs and b not in pairs.values()
        if score >= _ALIKE and free and all((x < a) == (y < b) for x, y in pairs.items()):
            pairs[a] = b
    return pairs


def _likeness(one: CodeCell, other: CodeCell) -> float:
    matcher = SequenceMatcher(None, one.source.split(), other.source.split(), autojunk=False)
    return matcher.ratio() + (0.5 if one.step and one.step == other.step else 0.0)


def _moved(found: Sequence[CellChange]) -> list[CellChange]:
    """What was removed in one place and added in another is one cell that moved."""
    removed = {(one.cell.step, one.cell.source): one for one in found if one.kind == "removed"}
    moved: dict[int, CellChange] = {}
    gone: set[int] = set()
    for at, one in enumerate(found):
        was = removed.pop((one.cell.step, one.cell.source), None) if one.kind == "added" else None
        if was is not None:
            moved[at] = CellChange("moved", was.old, one.new)
            gone.add(id(was))
    return [moved.get(at, one) for at, one in enumerate(found) if id(one) not in gone]


def _context(lines: Sequence[str], *, first: bool, last: bool) -> list[Line]:
    """The unchanged lines next to a change."""
    if first and last:
        return []
    head = [] if first else lines[:_AROUND]
    tail = [] if last else lines[max(len(head), len(lines) - _AROUND) :]
    left_out = len(lines) - len(head) - len(tail)
    middle = [Line("…", ())] if left_out else []
    shown = [Line(" ", ((line, False),)) for line in head]
    return [*shown, *middle, *(Line(" ", ((line, False),)) for line in tail)]


def _words(old: str, new: str) -> tuple[Line, Line]:
    """A line as it was and as it is, with the words that changed; where most did, none is told."""
    a, b = _WORD.findall(old), _WORD.findall(new)
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    if matcher.ratio() < 0.5:
        return Line("-", ((old, False),)), Line("+", ((new, False),))
    before: list[tuple[str, bool]] = []
    after: list[tuple[str, bool]] = []
    for tag, i, j, k, m in matcher.get_opcodes():
        changed = tag != "equal"
        if i < j:
            before.append(("".join(a[i:j]), changed))
        if k < m:
            after.append(("".join(b[k:m]), changed))
    return Line("-", tuple(before)), Line("+", tuple(after))
