"""Percent files: a Python file with `# %%` cells, read the way jupytext reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from nbcompile.notebook import Cell, CellKind

_MARKER = re.compile(r"#\s*%%(?:$|%*\s|%+$)")
_TAGS = re.compile(r"""["']?tags["']?\s*[=:]\s*(\[[^\]]*\])""")
_LANGUAGE = re.compile(r'language="([\w+-]+)"')
#: what jupytext comments out in a script: magics, `!` and `?` commands, assignments from them
_COMMENTED = re.compile(
    r"\s*#\s*(?:#\s*)*(?:%{1,3}[a-zA-Z]|[?!]\s*[A-Za-z.~$\\/{}]|"
    r"[^\W\d]\w*\s*=\s*(?:%{1,3}|!)[a-zA-Z])"
)
_QUOTES = re.compile(r"\\.|\"\"\"|'''|[\"'#]")


def percent_cells(text: str) -> tuple[Cell, ...]:
    """The cells of a percent file; a `# ---` header at its top is none."""
    return tuple(
        _cell(index, marker, block) for index, (_, marker, block) in enumerate(percent_blocks(text))
    )


def percent_blocks(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """For each cell the line it begins in, from 0, its marker (none at the top), and its lines."""
    lines = text.split("\n")
    body = _without_header(lines)
    start, marker, block, quote = len(lines) - len(body), "", list[str](), ""
    for at, line in enumerate(body, start=start):
        if not quote and _MARKER.match(line):
            if marker or any(one.strip() for one in block):
                yield start, marker, block
            start, marker, block = at, line, []
            continue
        block.append(line)
        quote = _quote_after(line, quote)
    if marker or any(one.strip() for one in block):
        yield start, marker, block


def _without_header(lines: list[str]) -> list[str]:
    if lines and lines[0].startswith("#!"):  # names the interpreter: no command of a cell
        lines = lines[1:]
    if not lines or lines[0].rstrip() != "# ---":
        return lines
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == "# ---":
            return lines[number + 1 :]
        if not line.startswith("#"):
            break
    return lines


def _cell(index: int, marker: str, block: list[str]) -> Cell:
    while block and not block[-1].strip():
        block.pop()
    kind: CellKind = "code"
    if "[markdown]" in marker or "[md]" in marker:
        kind = "markdown"
    elif "[raw]" in marker:
        kind = "raw"
    language = _LANGUAGE.search(marker)
    if kind != "code":
        block = _unquoted(block) or [_uncommented(line) for line in block]
    elif language:
        block = [f"%%{language[1]}", *(_uncommented(line) for line in block)]
    else:
        block = _with_magics(block)
    return Cell(index, kind, "\n".join(block), _tags(marker))


def _tags(marker: str) -> tuple[str, ...]:
    found = _TAGS.search(marker)
    if not found:
        return ()
    try:
        return tuple(str(tag) for tag in json.loads(found[1].replace("'", '"')))
    except ValueError:
        return ()


def _unquoted(block: list[str]) -> list[str]:
    """The lines of a markdown cell written as one string literal; empty for another."""
    text = "\n".join(block).strip()
    for quote in ('"""', "'''"):
        if len(text) >= 6 and text.startswith(quote) and text.endswith(quote):
            return text[3:-3].strip("\n").split("\n")
    return []


def _uncommented(line: str) -> str:
    bare = line.lstrip()
    if not bare.startswith("#"):
        return line
    return line[: len(line) - len(bare)] + bare[2 if bare.startswith("# ") else 1 :]


def _with_magics(block: list[str]) -> list[str]:
    lines: list[str] = []
    quote, continued = "", False
    for line in block:
        if not quote and (continued or _COMMENTED.match(line)):
            continued = line.rstrip().endswith("\\")
            line = _uncommented(line)
        else:
            continued = False
            quote = _quote_after(line, quote)
        lines.append(line)
    return lines


def _quote_after(line: str, quote: str) -> str:
    """The triple quote that is open after the line, given the one open before it."""
    single = ""
    for found in _QUOTES.finditer(line):
        mark = found[0]
        if mark.startswith("\\"):
            continue
        if quote:
            quote = "" if mark == quote else quote
        elif single:
            single = "" if mark == single else single
        elif mark == "#":
            break
        elif len(mark) == 3:
            quote = mark
        else:
            single = mark
    return quote
