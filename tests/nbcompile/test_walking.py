"""Walking: the same nodes in the same order as `ast.walk`, also when asked again."""

from __future__ import annotations

import ast

from nbcompile.walking import walk


def test_same_as_ast_walk() -> None:
    tree = ast.parse(
        "def f(a, *b, c=1) -> int:\n    return [x for x in (y := a) if x]\nf(1, k=2)\n"
    )
    expected = list(ast.walk(tree))
    assert list(walk(tree)) == expected
    assert list(walk(tree)) == expected
    assert list(walk(tree.body[0])) == list(ast.walk(tree.body[0]))
    assert ast.dump(tree) == ast.dump(ast.parse(ast.unparse(tree)))
