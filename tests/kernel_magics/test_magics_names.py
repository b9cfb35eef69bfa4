"""Names that a cell reads from outside and binds, as its bytecode tells them."""

from __future__ import annotations

import ast

import pytest
from nbflow_magics.names import names_of


@pytest.mark.parametrize(
    ("code", "reads", "binds"),
    [
        ("x = y + 1", {"y"}, {"x"}),
        ("x = 1\nprint(x)", {"print"}, {"x"}),
        ("x += 1", {"x"}, {"x"}),
        ("def f(a):\n    return a + k", {"k"}, {"f"}),
        ("def f():\n    global n\n    n = 1", set(), {"f", "n"}),
        ("class C:\n    u = 1\n    v = u + w", {"w", "__name__"}, {"C"}),
        ("z = [i.score for i in rows if i > t]", {"rows", "t"}, {"z"}),
        ("import os.path as p, json", set(), {"p", "json"}),
        ("for i in items: pass", {"items"}, {"i"}),
        ("with open(f) as g: pass", {"open", "f"}, {"g"}),
        ("d = await get()", {"get"}, {"d"}),
        ("a.b.c = 1\nd['e'] = f", {"a", "d", "f"}, set()),
        ("lambda: q", {"q"}, set()),
        ("x = (", set(), set()),
    ],
)
def test_names(code: str, reads: set[str], binds: set[str]) -> None:
    try:
        module = ast.parse(code)
    except SyntaxError:
        module = ast.Module([], [])
    names = names_of(module, lambda body: body)
    assert set(names.reads) == reads
    assert set(names.binds) == binds
    assert names.awaits == ("await" in code)


def test_many_names_need_extended_arguments() -> None:
    code = "\n".join(f"v{i} = w{i}" for i in range(400))
    names = names_of(ast.parse(code), lambda body: body)
    assert names.reads == tuple(f"w{i}" for i in range(400))
    assert names.binds == tuple(f"v{i}" for i in range(400))


def test_bodies_of_python_magics_are_seen() -> None:
    module = ast.parse("get_ipython().run_cell_magic('capture', 'out', 'x = y\\n')")
    names = names_of(module, lambda body: body)
    assert set(names.binds) == {"x", "out"}
    assert "y" in names.reads
