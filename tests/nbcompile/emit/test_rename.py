"""Renaming: code that means the same inside a function."""

from __future__ import annotations

import ast

import pytest

from nbcompile.emit.rename import Setting, adapt
from nbcompile.flow import Piece

DOC = '"Automatically created module for IPython interactive environment"'


def adapted(code: str, *shared: str, variables: str = "") -> str:
    piece = Piece(0, code, tuple(range(1, code.count("\n") + 2)))
    setting = Setting(frozenset(shared), "common", frozenset(variables.split()))
    done, _ = adapt(piece, ast.parse(code), setting)
    ast.parse(done.code)
    assert len(done.lines) == done.code.count("\n") + 1
    return done.code


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("n = n + 1", "common.n = common.n + 1"),
        ("n += f(n=n)", "common.n += f(n=common.n)"),
        ("for n in x: pass", "for common.n in x: pass"),
        ("with f() as n: pass", "with f() as common.n: pass"),
        ("n: int = 1", "common.n: int = 1"),
        ("del n", "del common.n"),
        ("a.n = n.n", "a.n = common.n.n"),
        ("é = n; n = é", "é = common.n; common.n = é"),
        ("x = [n for n in n]", "x = [n for n in common.n]"),
        ("x = [n for y in n for n in y]", "x = [n for y in common.n for n in y]"),
        ("f = lambda n, m=n: n", "f = lambda n, m=common.n: n"),
        ("f = lambda: n", "f = lambda: common.n"),
        ("def f(n=n):\n    return n", "def f(n=common.n):\n    return n"),
        ("def f():\n    return n", "def f():\n    return common.n"),
        ("def f():\n    n = 1\n    return n", "def f():\n    n = 1\n    return n"),
        ("def f():\n    global n\n    n = 1", "def f():\n    \n    common.n = 1"),
        ("def f():\n    global n", "def f():\n    pass"),
        (
            "def f():\n    n = 1\n    def g():\n        global n\n        n = 2\n    return n",
            "def f():\n    n = 1\n    def g():\n        \n        common.n = 2\n    return n",
        ),
        ("class C:\n    n = n", "class C:\n    n = common.n"),
        (
            "class C:\n    n = 1\n    def f(self): return n",
            "class C:\n    n = 1\n    def f(self): return common.n",
        ),
        ("def n(): pass", "def n(): pass\ncommon.n = n"),
        ("if x:\n    class n: pass", "if x:\n    class n: pass\n    common.n = n"),
        ("import n", "import n; common.n = n"),
        ("from a import b as n", "from a import b as n; common.n = n"),
        ("if (n := f()): g(n)", 'if (_share("n", f())): g(common.n)'),
        ("(n := (1))", '(_share("n", (1)))'),
        ("x = f'{n!r:>{n}} {m}'", "x = f'{common.n!r:>{common.n}} {m}'"),
        ("x = 'n' # n", "x = 'n' # n"),
    ],
)
def test_shared_names(code: str, expected: str) -> None:
    assert adapted(code, "n") == expected


def test_names_bound_by_handlers_and_cases() -> None:
    handler = "try:\n    f()\nexcept E as n:\n    g(n)"
    assert adapted(handler, "n").split("\n")[3:] == ["    common.n = n", "    g(common.n)"]
    case = "match x:\n    case [n]:\n        g(n)"
    assert adapted(case, "n").split("\n")[2:] == ["        common.n = n", "        g(common.n)"]


def test_multi_line_f_string_keeps_the_lines_after_it() -> None:
    code = "x = f'''\n{n}\n'''\ny = n"
    assert adapted(code, "n").split("\n")[3] == "y = common.n"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("global x\nx = 1", "\nx = 1"),
        ("if a:\n    global x", "if a:\n    pass"),
        ("def f():\n    global x, y\n    x = 1", "def f():\n    nonlocal x, y\n    x = 1"),
        ("if __name__ == '__main__': f()", "if \"__main__\" == '__main__': f()"),
        ("print(__doc__)", f"print({DOC})"),
        ("def f():\n    'f'\n    return __doc__", f"def f():\n    'f'\n    return {DOC}"),
        ("class C:\n    'C'\n    d = __doc__", "class C:\n    'C'\n    d = __doc__"),
        ("from math import *\nx = 1", "\nx = 1"),
        ("from __future__ import annotations\nx = 1", "\nx = 1"),
        ("class C:\n    n = n", "outer_n = n\nclass C:\n    n = outer_n"),
        ("@d\nclass C:\n    n = n + 1\n    m = n", "outer_n = n\n@d\nclass C:\n    n = outer_n + 1\n    m = n"),
        ("class C:\n    n = 1\n    m = n", "class C:\n    n = 1\n    m = n"),
    ],
)  # fmt: skip
def test_without_shared_names(code: str, expected: str) -> None:
    assert adapted(code, variables="x y n") == expected


def test_imports_that_move() -> None:
    code = "from math import *\nfrom __future__ import annotations"
    piece = Piece(0, code, (1, 2))
    _, imports = adapt(piece, ast.parse(code), Setting())
    assert imports == ("from math import *", "from __future__ import annotations")
    done, imports = adapt(piece, ast.parse(code), Setting(at_top=True))
    assert (done.code, imports) == (
        "from math import *\n",
        ("from __future__ import annotations",),
    )
