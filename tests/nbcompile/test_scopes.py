"""What one statement reads, binds and deletes."""

from __future__ import annotations

import ast

import pytest

from nbcompile.freenames import free_names
from nbcompile.scopes import statement_facts


@pytest.mark.parametrize(
    ("code", "reads", "writes"),
    [
        ("x = x + 1", {"x"}, {"x": True}),
        ("x += y", {"x", "y"}, {"x": True}),
        ("a, *rest = f(b)", {"f", "b"}, {"a": True, "rest": True}),
        ("o.a[i] = 1", {"o", "i"}, {}),
        ("x: int", {"int"}, {}),
        ("x: int = 3", {"int"}, {"x": True}),
        ("if c:\n  x = 1", {"c"}, {"x": False}),
        ("if c:\n  x = 1\nelse:\n  x = 2", {"c"}, {"x": True}),
        ("if c:\n  raise E\nelse:\n  x = 2", {"c", "E"}, {"x": True}),
        ("for i in xs:\n  t += i", {"xs", "t"}, {"i": False, "t": False}),
        ("while True:\n  x = 1\n  break", set(), {"x": True}),
        ("with open(p) as f:\n  t = 1", {"open", "p"}, {"f": True, "t": True}),
        ("try:\n  import a\nexcept E:\n  a = None", {"E"}, {"a": True}),
        ("try:\n  x = f()\nfinally:\n  g()", {"f", "g"}, {"x": True}),
        ("match v:\n  case (a, b): pass", {"v"}, {"a": False, "b": False}),
        ("match v:\n  case 1: x = 1\n  case _: x = 2", {"v"}, {"x": True}),
        ("ys = [k * i for i in r if i]", {"k", "r"}, {"ys": True}),
        ("ys = [i for i in i]", {"i"}, {"ys": True}),
        ("b = [y for x in xs if (y := x)]", {"xs"}, {"b": True, "y": False}),
        ("if (n := len(xs)) > 1: pass", {"len", "xs"}, {"n": True}),
        ("a and (b := c)", {"a", "c"}, {"b": False}),
        ("import os.path, json as j", set(), {"os": True, "j": True}),
        ("f = lambda v, w=d: v * k", {"d"}, {"f": True}),
        ("@deco(cfg)\ndef f(x=base): return x", {"deco", "cfg", "base"}, {"f": True}),
        ("class C(B):\n  n = n\n  m = n", {"B", "n"}, {"C": True}),
        ("df.query('a > @thr and b')", {"df", "thr"}, {}),
        ("print(f'{x} {y!r:>{w}}')", {"print", "x", "y", "w"}, {}),
        ("r = eval('p + q')", {"eval", "p", "q"}, {"r": True}),
    ],
)
def test_reads_and_writes(code: str, reads: set[str], writes: dict[str, bool]) -> None:
    facts = statement_facts(ast.parse(code).body[0])
    assert (set(facts.reads), facts.writes) == (reads, writes)


@pytest.mark.parametrize(
    ("code", "lazy", "lazy_writes"),
    [
        ("def f(v): return v * k", {"k"}, set()),
        ("def f():\n  global c\n  c += 1", {"c"}, {"c"}),
        ("def f():\n  def g():\n    return k\n  k = 1\n  return g", set(), set()),
        ("def f():\n  n = 0\n  def g():\n    nonlocal n\n    n += m\n  return g", {"m"}, set()),
        ("def f(x: 'A') -> 'B': return x", {"A", "B"}, set()),
        ("def f(a): return [a * i for i in z]", {"z"}, set()),
        ("class C:\n  q = 1\n  def m(self): return q + helper(self)", {"q", "helper"}, set()),
        ("def f():\n  class A:\n    q = w\n  return A", {"w"}, set()),
        ("f = lambda: (x := y)", {"y"}, set()),
        ("def f():\n  class A:\n    q = [i * w for i in z]\n    r = q", {"w", "z"}, set()),
        ("def f():\n  class A:\n    q = q\n    def m(self): return q", {"q"}, set()),
        ("def f():\n  class A:\n    q = 1\n    r = [q for _ in w]", {"q", "w"}, set()),
        ("def f():\n  class A:\n    def m(self, x: T) -> U: return x", {"T", "U"}, set()),
        (
            "def f():\n  class A:\n    class B(C):\n      q = k\n      def m(self): return q, n",
            {"C", "k", "q", "n"},
            set(),
        ),
        ("def f():\n  class A:\n    for i in r:\n      t = i\n    u = t", {"r"}, set()),
    ],
)
def test_what_a_call_needs(code: str, lazy: set[str], lazy_writes: set[str]) -> None:
    facts = statement_facts(ast.parse(code).body[0])
    assert (set(facts.lazy), set(facts.lazy_writes)) == (lazy, lazy_writes)


def test_postponed_annotations_are_not_read() -> None:
    node = ast.parse("def f(x: Missing) -> None: pass").body[0]
    assert set(statement_facts(node, postponed=True).reads) == set()
    assert set(statement_facts(node).reads) == {"Missing"}


def test_await_is_noticed_outside_functions_only() -> None:
    outside = ast.parse("r = await go()").body[0]
    inside = ast.parse("async def f(): return await go()").body[0]
    assert statement_facts(outside).awaits
    assert not statement_facts(inside).awaits


def test_deleting_reads_and_unbinds() -> None:
    facts = statement_facts(ast.parse("del x").body[0])
    assert (set(facts.reads), facts.writes, facts.deletes) == ({"x"}, {}, {"x"})


def test_free_names_of_a_class_are_its_methods() -> None:
    node = ast.parse("class C(Base):\n  a = top\n  def m(self): return late").body[0]
    assert isinstance(node, ast.ClassDef)
    assert set(free_names(node)[0]) == {"late"}
