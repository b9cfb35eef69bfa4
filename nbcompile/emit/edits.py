"""Edits: changes to the text of code by the positions of its syntax tree, lines staying put."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from nbcompile.positions import cut


@dataclass(frozen=True, slots=True)
class Edit:
    """Put ``text`` in the place of a node's source."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str


def edit_of(node: ast.stmt | ast.expr | ast.ExceptHandler, text: str) -> Edit:
    """The edit that puts text in a node's place."""
    return Edit(
        (node.lineno, node.col_offset),
        (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset),
        text,
    )


def apply_edits(
    code: str, edits: list[Edit], numbers: tuple[int, ...]
) -> tuple[str, tuple[int, ...]]:
    """Apply edits that do not overlap; ``numbers`` say where each line is from, then as before."""
    lines, origins = code.split("\n"), list(numbers)
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        first, last = edit.start[0] - 1, edit.end[0] - 1
        before = lines[first][: cut(lines[first], edit.start[1])]
        after = lines[last][cut(lines[last], edit.end[1]) :]
        new = (before + edit.text + after).split("\n")
        new += [""] * (last - first + 1 - len(new))
        added = len(new) - (last - first + 1)
        lines[first : last + 1] = new
        origins[last + 1 : last + 1] = [origins[last]] * added
    return "\n".join(lines), tuple(origins)


def text_between(code: str, start: tuple[int, int], end: tuple[int, int]) -> str:
    """The text between two positions."""
    lines = code.split("\n")
    first, last = start[0] - 1, end[0] - 1
    if first == last:
        line = lines[first]
        return line[cut(line, start[1]) : cut(line, end[1])]
    tail = lines[last][: cut(lines[last], end[1])]
    return "\n".join([lines[first][cut(lines[first], start[1]) :], *lines[first + 1 : last], tail])
