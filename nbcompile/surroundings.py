"""Surroundings: what lowering one cell has to know of the notebook's other cells."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass

#: the functions that stand in for IPython, as emitted packages define them
SUPPORT = (
    "show",
    "display",
    "show_figures",
    "shell",
    "shell_lines",
    "script",
    "captured_output",
    "describe",
    "write_file",
    "rich",
)

_NAME = re.compile(r"(?<![.\w$])[^\W\d]\w*")
_SUPPORT_NAME = re.compile(rf"(?<![.\w])(?:{'|'.join(SUPPORT)})\b")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the notebook's cells mention and bind."""

    #: every word of the notebook's Python; None where it is not known
    mentioned: frozenset[str] | None = None
    #: names of support functions that the user binds to something of their own
    taken: frozenset[str] = frozenset()

    def support(self, name: str) -> str:
        """How lowered code calls a support function: `show`, or `nb_show` where that is taken."""
        return f"nb_{name}" if name in self.taken else name

    def knows(self, name: str) -> bool:
        """Whether a name in a shell command may be a variable of the notebook."""
        return self.mentioned is None or name in self.mentioned


def look_around(bodies: Iterable[str]) -> Surroundings:
    """Read what all cells mention and bind, before any of them is lowered."""
    texts = list(bodies)
    mentioned: set[str] | None = None
    if any("!" in text or "\n%" in text or text.startswith("%") for text in texts):
        mentioned = set()
        for text in texts:
            for line in text.split("\n"):
                command = (
                    line.lstrip().startswith("!") or line.rpartition("=")[2].lstrip()[:1] == "!"
                )
                mentioned.update(_NAME.findall(line.partition("=")[0] if command else line))
    taken: set[str] = set()
    for text in texts:
        if _SUPPORT_NAME.search(text):
            taken.update(_bound(text))
    known = None if mentioned is None else frozenset(mentioned)
    return Surroundings(known, frozenset(taken.intersection(SUPPORT)))


def _bound(text: str) -> Iterable[str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name):
                yield name
            case ast.alias(name=name, asname=asname):
                yield asname or name.partition(".")[0]
