"""Walking: the nodes of a statement's tree, listed once and then at hand.

Every question that inference asks of a statement looks at all of its nodes; `ast.walk` would find
them anew each time, which took half of the time that compiling takes.
"""

from __future__ import annotations

import ast

_KEPT = "_nbflow_below"


def walk(root: ast.AST) -> tuple[ast.AST, ...]:
    """The node and all nodes below it, in the order of `ast.walk`.

    The list is kept with the node, so its tree must not change from then on.
    """
    below: tuple[ast.AST, ...] | None = root.__dict__.get(_KEPT)
    if below is None:
        below = tuple(_below(root))
        # without the root itself, so that no circle of references comes about
        root.__dict__[_KEPT] = below
    return (root, *below)


def _below(root: ast.AST) -> list[ast.AST]:
    found: list[ast.AST] = []
    level = [root]
    while level:
        children: list[ast.AST] = []
        for node in level:
            for name in node._fields:
                value = getattr(node, name, None)
                if isinstance(value, ast.AST):
                    children.append(value)
                elif isinstance(value, list):
                    children += [item for item in value if isinstance(item, ast.AST)]
        found += children
        level = children
    return found
