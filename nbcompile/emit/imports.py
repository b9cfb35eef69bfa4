"""Imports: the import statements of a module, merged and in the order of the style guide."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from functools import cache


@cache
def bound_names(statement: str) -> tuple[str, ...]:
    """The names that an import statement binds; `*` for a star import."""
    node = ast.parse(statement).body[0]
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return ()
    plain = isinstance(node, ast.Import)
    return tuple(
        alias.asname or (alias.name.partition(".")[0] if plain else alias.name)
        for alias in node.names
    )


def sorted_imports(statements: Iterable[str], package: str = "") -> list[str]:
    """Import statements in sections: future, standard library, third party, the package."""
    modules: set[str] = set()
    members: dict[str, set[str]] = {}
    for statement in dict.fromkeys(statements):
        origin, written = _parts(statement)
        if origin is None:
            modules.update(written)
        else:
            members.setdefault(origin, set()).update(written)
    sections: dict[int, list[tuple[int, str, str]]] = {}
    for module in modules:
        line = (0, module.lower(), f"import {module}")
        sections.setdefault(_section(module, package), []).append(line)
    for origin, names in members.items():
        ordered = sorted(names, key=lambda name: (_case(name), name))
        lines = [f"from {origin} import {', '.join(n for n in ordered if n != '*')}"]
        if "*" in names:
            lines = [f"from {origin} import *", *(lines if len(names) > 1 else [])]
        section = sections.setdefault(_section(origin, package), [])
        section.extend((1, origin.lower(), line) for line in lines)
    return [
        line
        for number in sorted(sections)
        for line in ["", *(text for _, _, text in sorted(sections[number]))]
    ][1:]


@cache
def _parts(statement: str) -> tuple[str | None, tuple[str, ...]]:
    """Where a statement imports from (None for `import x`), and what, as written."""
    node = ast.parse(statement).body[0]
    assert isinstance(node, ast.Import | ast.ImportFrom)
    names = tuple(_written(alias) for alias in node.names)
    if isinstance(node, ast.Import):
        return None, names
    return "." * node.level + (node.module or ""), names


def _written(alias: ast.alias) -> str:
    return f"{alias.name} as {alias.asname}" if alias.asname else alias.name


def _section(module: str, package: str) -> int:
    root = module.partition(" ")[0].partition(".")[0]
    if root == "__future__":
        return 0
    if root in sys.stdlib_module_names:
        return 1
    return 3 if root in ("", package) else 2


def _case(name: str) -> int:
    """Constants first, then classes, then the rest, as isort has it."""
    bare = name.partition(" ")[0]
    return 0 if bare.isupper() and len(bare) > 1 else 1 if bare[:1].isupper() else 2
