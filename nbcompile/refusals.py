"""Refusals: code whose names cannot be followed, or that needs the interactive shell."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nbcompile.segments import Statement
from nbcompile.walking import walk

_SCOPE_CALLS = ("globals", "locals", "vars", "dir")


def refusals(statement: Statement) -> Iterator[tuple[str, str, ast.AST, str]]:
    """What in a step's statement can't be compiled: (code, sentence, where, way out)."""
    for node in walk(statement.node):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        name = node.func.id
        if name in _SCOPE_CALLS and not node.args:
            yield (
                "NBF207",
                f"`{name}()` reaches for names that cannot be followed.",
                node,
                "Write the names themselves.",
            )
        elif name in ("exec", "eval") and not _harmless(name, node):
            yield (
                "NBF207",
                f"`{name}` of a text made at run time uses names that cannot be followed.",
                node,
                "Write the code itself, or pass it a namespace of its own in a function.",
            )
        elif name in ("get_ipython", "input", "breakpoint"):
            yield (
                "NBF110",
                f"`{name}()` needs the interactive shell, which a run does not have.",
                node,
                "Keep it in a cell without a tag.",
            )


def shell_name(name: str) -> str | None:
    """What to say of a name that only the interactive shell binds; None for others."""
    if name in ("In", "Out", "_", "__", "___", "_i", "_ii", "_iii", "_ih", "_oh", "_dh"):
        return f"`{name}` is the interactive shell's own history, which a run does not have."
    if name.startswith("_") and name[1:].lstrip("i").isdigit():
        return f"`{name}` is the interactive shell's own history, which a run does not have."
    return None


def _harmless(name: str, node: ast.Call) -> bool:
    """A namespace of its own is given, or the names stand in the text: `eval("a + b")`."""
    if len(node.args) > 1 or node.keywords:
        return True
    return name == "eval" and bool(node.args) and isinstance(node.args[0], ast.Constant)
