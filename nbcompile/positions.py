"""Positions: the text of lines by the positions that `ast` gives its nodes."""

from __future__ import annotations

import ast


def cut(line: str, column: int) -> int:
    """The index of a column, which `ast` counts in bytes."""
    return column if line.isascii() else len(line.encode()[:column].decode())


def segment(lines: list[str], node: ast.stmt) -> str:
    """The text of a statement."""
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    end = cut(lines[last], node.end_col_offset or 0)
    start = cut(lines[first], node.col_offset)
    if first == last:
        return lines[first][start:end]
    return "\n".join([lines[first][start:], *lines[first + 1 : last], lines[last][:end]])


def after(lines: list[str], node: ast.stmt) -> str:
    """What stands behind a statement on its last line."""
    last = (node.end_lineno or node.lineno) - 1
    return lines[last][cut(lines[last], node.end_col_offset or 0) :]


def replace(lines: list[str], node: ast.stmt | ast.expr, text: str) -> None:
    """Put text in a node's place; its lines stay as many as they were."""
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    before = lines[first][: cut(lines[first], node.col_offset)]
    after = lines[last][cut(lines[last], node.end_col_offset or 0) :]
    new = f"{before}{text}{after}".split("\n")
    if not text and not after.strip():
        new = [before.rstrip()]
    new += [""] * (last - first + 1 - len(new))
    lines[first : last + 1] = new
