"""Generics: type parameters and type aliases, which Python writes so from 3.12 on.

``def f[T](…)``, ``class Box[T]`` and ``type Pair[T] = …`` open a scope for their parameters, around
annotations, bases, the body and the alias's value. Bounds, defaults and the value are evaluated
only when somebody asks for them. See PEP 695 and PEP 696.
"""

from __future__ import annotations

import ast


def type_parameters(node: ast.AST) -> frozenset[str]:
    """The names of the type parameters that a function, class or alias has."""
    return frozenset(one.name for one in getattr(node, "type_params", ()))


def type_bounds(node: ast.AST) -> list[ast.AST]:
    """The bounds and defaults of its type parameters, evaluated later and where those are known."""
    return [part for one in getattr(node, "type_params", ()) for part in ast.iter_child_nodes(one)]


def type_alias(node: ast.AST) -> tuple[str, ast.expr] | None:
    """The name and the value of a ``type`` statement; None for any other."""
    if type(node).__name__ != "TypeAlias":
        return None
    name: ast.Name = node.name  # type: ignore[attr-defined]
    value: ast.expr = node.value  # type: ignore[attr-defined]
    return name.id, value


def alias_parts(node: ast.AST) -> list[ast.AST]:
    """What a ``type`` statement evaluates later: its value and its parameters' bounds."""
    alias = type_alias(node)
    return [] if alias is None else [*type_bounds(node), alias[1]]
