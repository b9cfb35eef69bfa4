"""Type parameters and type aliases: their scopes, and the code that comes out."""

from __future__ import annotations

import ast
import sys

import pytest

from nbcompile.compile import compile_cells
from nbcompile.emit.rename import Setting, adapt
from nbcompile.flow import Piece
from nbcompile.notebook import parse_notebook
from nbcompile.scopes import statement_facts

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax is Python 3.12's")


@pytest.mark.parametrize(
    ("code", "reads", "writes", "lazy"),
    [
        ("def f[T](x: T, y: A = d) -> T: return k", {"A", "d"}, {"f"}, {"k"}),
        ("@deco\ndef f[T: Bound](x: T): return T", {"deco"}, {"f"}, {"Bound"}),
        ("def f[T](): return lambda v: (T, v, k)", set(), {"f"}, {"k"}),
        ("class C[T](Base[T]):\n  x: T\n  def m(self, y: T): return T, k", {"Base"}, {"C"}, {"k"}),
        ("class C[K: (str, Key)]:\n  class D[T]:\n    def m(self): return K, T, k",
         set(), {"C"}, {"str", "Key", "k"}),
        ("class C:\n  def m[U](self, f: U) -> 'Box[U]': return U", set(), {"C"}, {"Box"}),
        ("type Pair[T: Bound] = tuple[T, Other]", set(), {"Pair"}, {"Bound", "tuple", "Other"}),
        ("def f():\n  type A[T] = B[T]\n  return A", set(), {"f"}, {"B"}),
        ("def f():\n  class C[T](Base[T]):\n    def m[U](self, v: U) -> T: return T, U, k\n  return C",
         set(), {"f"}, {"Base", "k"}),
        ("def f[*Ts, **P](g: Callable[P, None], *a: *Ts): pass", {"Callable"}, {"f"}, set()),
    ],
)  # fmt: skip
def test_scopes(code: str, reads: set[str], writes: set[str], lazy: set[str]) -> None:
    facts = statement_facts(ast.parse(code).body[0])
    assert (set(facts.reads), set(facts.writes), set(facts.lazy)) == (reads, writes, lazy)


def test_postponed_annotations() -> None:
    node = ast.parse("class C[T]:\n  x: T\n  def m[U](self, u: U) -> Missing[T]: pass").body[0]
    facts = statement_facts(node, postponed=True)
    assert (set(facts.reads), set(facts.lazy)) == (set(), {"Missing"})


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def f[n](x: n) -> n: return n", "def f[n](x: n) -> n: return n"),
        ("def f[T: n](x: T): return n", "def f[T: common.n](x: T): return common.n"),
        ("class C[n](B[n]): x: n", "class C[n](B[n]): x: n"),
        ("type n = int", "type n = int; common.n = n"),
        ("type A[n] = B[n]", "type A[n] = B[n]"),
        ("type A[T] = n[T]", "type A[T] = common.n[T]"),
    ],
)
def test_renaming(code: str, expected: str) -> None:
    setting = Setting(frozenset({"n"}), "common", frozenset())
    assert adapt(Piece(0, code, (1,)), ast.parse(code), setting)[0].code == expected


def test_types_travel_as_code() -> None:
    text = (
        "# %%\n%%step load\ntype Small = int\nclass Box[T]:\n    def __init__(self, v: T): self.v = v\n"
        "box = Box(1)\n"
        "# %%\n%%step use\nn: Small = box.v\nprint(Small, n)\n"
    )
    compiled = compile_cells(parse_notebook(text, "sample", ".py"))
    assert compiled.diagnostics == ()
    assert compiled.package is not None
    assert compiled.package.files["sample/common.py"] == (
        '"""What the steps share: imports, settings and definitions."""\n\n'
        "type Small = int\n\n\n"
        "class Box[T]:\n    def __init__(self, v: T):\n        self.v = v\n"
    )
    assert "from sample.common import Small\n" in compiled.package.files["sample/steps/use.py"]
    assert "type Small" not in compiled.package.files["sample/steps/load.py"]
