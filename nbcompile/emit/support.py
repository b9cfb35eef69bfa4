"""Support modules: those parts of the templates that a package uses."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from importlib import resources

from nbcompile.emit.imports import sorted_imports


def template(name: str) -> str:
    """The text of a template module."""
    return resources.files("nbcompile.templates").joinpath(name).read_text(encoding="utf-8")


def notebook_source(names: Iterable[str]) -> str:
    """The `notebook` module with the functions asked for and what they need."""
    return _part_of("notebook.py", frozenset(name.removeprefix("nb_") for name in names))


@cache
def _part_of(file: str, names: frozenset[str]) -> str:
    text = template(file)
    lines = text.split("\n")
    tree = ast.parse(text)
    units = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)][1:]
    bound = {name: node for node in units for name in _names(node)}
    wanted: set[ast.stmt] = set()
    queue = [bound[name] for name in sorted(names)]
    while queue:
        node = queue.pop()
        if node not in wanted:
            wanted.add(node)
            queue.extend(bound[name] for name in sorted(_loads(node) & bound.keys()))
    loads = {name for node in wanted for name in _loads(node)}
    imports = [
        f"{kept}"
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        if (kept := _kept_import(node, loads))
    ]
    parts = [_with_comments(lines, node) for node in units if node in wanted]
    head = "\n".join([_first_lines(tree), "", *sorted_imports(imports)])
    return head + "\n\n\n" + "\n\n\n".join(parts) + "\n"


def _first_lines(tree: ast.Module) -> str:
    return f'"""{ast.get_docstring(tree)}"""'


def _names(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
    return []


def _loads(node: ast.stmt) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _kept_import(node: ast.Import | ast.ImportFrom, loads: set[str]) -> str | None:
    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
        return ast.unparse(node)
    names = [alias for alias in node.names if (alias.asname or alias.name) in loads]
    if not names:
        return None
    node.names = names
    return ast.unparse(node)


def _with_comments(lines: list[str], node: ast.stmt) -> str:
    decorators = getattr(node, "decorator_list", [])
    first = (decorators[0] if decorators else node).lineno - 1
    while first and lines[first - 1].startswith("#"):
        first -= 1
    return "\n".join(lines[first : node.end_lineno])
