"""Segments: the notebook's code cells cut into statements, each with its text and its facts."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from nbcompile.diagnostics import Diagnostic
from nbcompile.flow import Piece
from nbcompile.freenames import Facts
from nbcompile.lower import Lowered, lower
from nbcompile.notebook import Notebook
from nbcompile.options import Merged, RawExpression, merge_options
from nbcompile.scopes import statement_facts
from nbcompile.surroundings import look_around
from nbcompile.tags import TaggedCell, read_tags

SegmentKind = Literal["step", "setup", "parameters", "untagged"]


@dataclass(frozen=True, slots=True)
class Statement:
    """One top-level statement: its syntax, what it does to names, its text."""

    node: ast.stmt
    facts: Facts
    piece: Piece
    #: counts all statements of the notebook
    index: int
    cell: int

    def line(self, node: ast.AST | None = None) -> int:
        """The line in the cell of a node inside the statement (of the statement itself)."""
        start = _first_line(self.node)
        offset = (getattr(node, "lineno", None) or start) - start
        lines = self.piece.lines
        head = len(lines) - 1 - ((self.node.end_lineno or start) - start)
        return lines[min(max(head + offset, 0), len(lines) - 1)]


@dataclass(frozen=True, slots=True)
class Segment:
    """A code cell as the compiler sees it."""

    cell: int
    kind: SegmentKind
    #: the step's name; empty for other kinds
    step: str
    statements: tuple[Statement, ...]
    tagged: TaggedCell
    support: tuple[str, ...] = ()
    #: of a step's first cell only: what all its cells ask for together
    merged: Merged | None = None
    foreach: Statement | None = None
    when: Statement | None = None


def read_segments(
    notebook: Notebook, variants: dict[str, str]
) -> tuple[tuple[Segment, ...], tuple[Diagnostic, ...]]:
    """The code cells in order, without those of variants that are not taken."""
    tagged = [read_tags(cell) for cell in notebook.cells if cell.kind == "code"]
    around = look_around(cell.body for cell in tagged)
    taken = _taken_variants(tagged, variants)
    segments: list[Segment] = []
    diagnostics: list[Diagnostic] = []
    index = 0
    # from 3.14 on annotations are evaluated when somebody asks for them (PEP 649)
    postponed = sys.version_info >= (3, 14)
    for cell in tagged:
        diagnostics += cell.diagnostics
        variant = _variant(cell)
        if variant is not None and taken.get(cell.step or "") != variant:
            continue
        if cell.kind is None and not cell.body.strip() and not cell.speaks:
            continue
        lowered = lower(cell.body, cell.cell, around)
        kind = _kind(cell)
        if kind != "untagged":
            diagnostics += lowered.diagnostics
        statements = []
        for node, piece in _cut(lowered, cell.cell):
            postponed |= _postpones(node)
            facts = statement_facts(node, postponed)
            statements.append(Statement(node, facts, piece, index, cell.cell))
            index += 1
        segments.append(
            Segment(cell.cell, kind, cell.step or "", tuple(statements), cell, lowered.support)
        )
    segments, found = _with_options(segments, index)
    return tuple(segments), (*diagnostics, *found)


def _kind(cell: TaggedCell) -> SegmentKind:
    if cell.kind is None or cell.kind == "flow":
        return "untagged"
    return cell.kind


def _postpones(node: ast.stmt) -> bool:
    """`from __future__ import annotations`, which holds for all that follows."""
    return (
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "annotations" for alias in node.names)
    )


def _with_options(segments: list[Segment], index: int) -> tuple[list[Segment], list[Diagnostic]]:
    """Give each step's first segment the options of all its cells."""
    diagnostics: list[Diagnostic] = []
    tagged: dict[str, list[TaggedCell]] = {}
    for segment in segments:
        tagged.setdefault(segment.step, []).append(segment.tagged)
    result = []
    for segment in segments:
        if segment.kind == "step" and segment.step in tagged:
            merged = merge_options(tagged.pop(segment.step))
            diagnostics += merged.diagnostics
            foreach = _expression(merged.foreach, index)
            when = _expression(merged.when, index + 1)
            index += 2
            segment = replace(segment, merged=merged, foreach=foreach, when=when)
        result.append(segment)
    return result, diagnostics


def _expression(raw: RawExpression | None, index: int) -> Statement | None:
    """An option's expression as a statement: a fan-out binds its targets to the items."""
    if raw is None:
        return None
    tree = ast.parse(raw.code.strip(), mode="eval").body
    node = ast.Expr(tree, lineno=1, col_offset=0, end_lineno=1, end_col_offset=0)
    piece = Piece(raw.cell, raw.code, (raw.line,))
    return Statement(node, statement_facts(node), piece, index, raw.cell)


def variants_of(cells: Iterable[TaggedCell]) -> dict[str, list[str]]:
    """The names of each step's variants, in notebook order."""
    found: dict[str, list[str]] = {}
    for cell in cells:
        variant = _variant(cell)
        if variant is not None and variant not in found.setdefault(cell.step or "", []):
            found[cell.step or ""].append(variant)
    return found


def _variant(cell: TaggedCell) -> str | None:
    return next((g.value.strip() for g in cell.given if g.option.name == "variant"), None)


def _taken_variants(cells: list[TaggedCell], asked: dict[str, str]) -> dict[str, str]:
    return {step: asked.get(step, names[0]) for step, names in variants_of(cells).items()}


def _first_line(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    first: int = min([node.lineno, *(d.lineno for d in decorators)])
    return first


def _cut(lowered: Lowered, cell: int) -> list[tuple[ast.stmt, Piece]]:
    """Cut a cell's code at its statements; comments go with the statement below them."""
    lines = lowered.code.split("\n")
    pieces: list[tuple[ast.stmt, Piece]] = []
    body = lowered.tree.body
    done = 0
    for position, node in enumerate(body):
        first, last = _first_line(node), node.end_lineno or node.lineno
        following = body[position + 1] if position + 1 < len(body) else None
        crowded = first <= done or (following is not None and _first_line(following) <= last)
        if crowded:
            text = _segment(lines, node)
            above = lines[done : first - 1]
            code = "\n".join([*above, text])
            numbers = lowered.lines[done : first - 1] if above else ()
            numbers = (*numbers, *lowered.lines[first - 1 : last])
        else:
            stop = len(lines) if following is None else last
            code = "\n".join(lines[done:stop])
            numbers = lowered.lines[done:stop]
        pieces.append((node, Piece(cell, code, tuple(numbers))))
        done = max(done, last)
    return pieces


def _segment(lines: list[str], node: ast.stmt) -> str:
    """The exact text of a statement that shares its lines with others."""
    first, last = _first_line(node), node.end_lineno or node.lineno
    picked = [line.encode() for line in lines[first - 1 : last]]
    picked[-1] = picked[-1][: node.end_col_offset]
    picked[0] = picked[0][node.col_offset :]
    return b"\n".join(picked).decode()
