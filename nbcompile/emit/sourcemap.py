"""The source map: from lines of formatted files back to lines of cells."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

from nbcompile.emit.source import Origin, Source

#: generated line, cell, line in the cell: as JSON has it
Entry = list[int]

_SQUASH = str.maketrans({" ": None, "\t": None, "'": '"'})


def map_lines(source: Source, formatted: str) -> list[Entry]:
    """Where each line of the formatted text comes from, for those that come from a cell."""
    text = source.text()
    if text == formatted:
        return list(_entries(enumerate(source.origins, start=1)))
    before, after = _squashed(text), _squashed(formatted)
    if [line for _, line in before] == [line for _, line in after]:
        pairs = zip((n for n, _ in after), (source.origins[n - 1] for n, _ in before), strict=True)
        return list(_entries(pairs))
    return list(_entries(_by_trees(source, text, formatted)))


def _squashed(text: str) -> list[tuple[int, str]]:
    """The lines that are not blank, numbered, without what formatting a line in itself changes."""
    lines = (line.translate(_SQUASH) for line in text.split("\n"))
    return [(number, line) for number, line in enumerate(lines, start=1) if line]


def _entries(pairs: object) -> Iterator[Entry]:
    for line, origin in pairs:  # type: ignore[attr-defined]
        if origin is not None:
            yield [line, *origin]


def _by_trees(source: Source, text: str, formatted: str) -> list[tuple[int, Origin | None]]:
    """Pair the nodes of both trees: the formatter changes lines, never what they say."""
    found: dict[int, Origin | None] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trees = (ast.parse(text), ast.parse(formatted))
    for old, new in _paired(*trees):
        if 0 < old.lineno <= len(source.origins):
            found.setdefault(new.lineno, source.origins[old.lineno - 1])
            end_old, end_new = old.end_lineno or old.lineno, new.end_lineno or new.lineno
            if end_old - old.lineno == end_new - new.lineno and isinstance(new, ast.Constant):
                for offset in range(1, end_new - new.lineno + 1):
                    found.setdefault(new.lineno + offset, source.origins[old.lineno - 1 + offset])
    return sorted(found.items())


def _paired(old: ast.AST, new: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Nodes of both trees that are the same, outermost first."""
    stack = [(old, new)]
    while stack:
        one, other = stack.pop()
        if type(one) is not type(other):
            continue
        if hasattr(one, "lineno"):
            yield one, other  # type: ignore[misc]
        pairs = zip(ast.iter_child_nodes(one), ast.iter_child_nodes(other), strict=False)
        stack.extend(reversed(list(pairs)))
