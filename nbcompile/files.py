"""Files: which ones a piece of code reads and writes under a literal name."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Literal

from nbcompile import library
from nbcompile.ambient import dotted
from nbcompile.walking import walk


def literal_files(
    nodes: Iterable[ast.AST], modules: dict[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The files that code surely names: (read, written)."""
    reads: dict[str, None] = {}
    writes: dict[str, None] = {}
    for node in nodes:
        for call in walk(node):
            if not isinstance(call, ast.Call) or not call.args:
                continue
            first = call.args[0]
            if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
                continue
            kind = file_use(call, modules)
            if kind == "read":
                reads[first.value] = None
            elif kind == "write":
                writes[first.value] = None
    return tuple(reads), tuple(writes)


def file_use(call: ast.Call, modules: dict[str, str]) -> Literal["read", "write"] | None:
    """What a call does with the file that its first argument names."""
    function = call.func
    name = dotted(function, modules)
    if isinstance(function, ast.Name) and function.id == "open":
        mode = call.args[1] if len(call.args) > 1 else None
        mode = mode or next((k.value for k in call.keywords if k.arg == "mode"), None)
        text = mode.value if isinstance(mode, ast.Constant) else "r"
        return "write" if isinstance(text, str) and set(text) & set("wax+") else "read"
    if name in library.FILE_READERS:
        return "read"
    if name in library.FILE_WRITERS or name == "matplotlib.pyplot.savefig":
        return "write"
    if isinstance(function, ast.Attribute) and function.attr in library.FILE_WRITING_METHODS:
        return "write"
    return None
