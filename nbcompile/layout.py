"""Layout: moving whole lines of Python to the right without touching its strings."""

from __future__ import annotations

import io
import tokenize

#: token types that open and close an f-string (from Python 3.12) or a t-string (from 3.14)
_OPENING = {getattr(tokenize, name, -2) for name in ("FSTRING_START", "TSTRING_START")}
_CLOSING = {getattr(tokenize, name, -2) for name in ("FSTRING_END", "TSTRING_END")}


def indent(code: str, prefix: str = "    ") -> str:
    """Indent code, leaving the lines inside multi-line strings as they are."""
    fixed = _lines_in_strings(code)
    return "\n".join(
        line if not line.strip() or number in fixed else prefix + line
        for number, line in enumerate(code.split("\n"), start=1)
    )


def _lines_in_strings(code: str) -> set[int]:
    """The lines (from 1) that begin inside a string."""
    if '"""' not in code and "'''" not in code and "\\\n" not in code:
        return set()
    inside: set[int] = set()
    opened: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(code, newline="\n").readline):
        if token.type == tokenize.STRING:
            inside.update(range(token.start[0] + 1, token.end[0] + 1))
        elif token.type in _OPENING:
            opened.append(token.start[0])
        elif token.type in _CLOSING:
            inside.update(range(opened.pop() + 1, token.end[0] + 1))
    return inside
