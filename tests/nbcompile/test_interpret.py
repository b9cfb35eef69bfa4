"""What changes and what shares, seen by abstract execution."""

from __future__ import annotations

import ast

import pytest

from nbcompile.interpret import Interpreter


def changed(*cells: str) -> list[list[str]]:
    """The names that each cell changes in place."""
    machine = Interpreter()
    result = []
    for cell in cells:
        names: set[str] = set()
        for statement in ast.parse(cell).body:
            names |= machine.affected(machine.run(statement))
        result.append(sorted(names))
    return result


@pytest.mark.parametrize(
    ("make", "change", "names"),
    [
        ("xs = [1]", "xs.append(2)", ["xs"]),
        ("xs = [1]\nys = xs", "ys.append(2)", ["xs", "ys"]),
        ("xs = [1]\nys = list(xs)", "ys.append(2)", ["ys"]),
        ("xs = [1]\nys = xs.copy()", "ys.append(2)", ["ys"]),
        ("xs = [3, 1]", "ys = xs.sort()", ["xs"]),
        ("xs = [1]", "n = len(xs)", []),
        ("xs = [1]", "xs += [2]", ["xs"]),
        ("xs = [1]\nys = [2]", "xs = xs + ys", []),
        ("d = {}", "d['k'] = 1", ["d"]),
        ("d = {}", "del d['k']", ["d"]),
        ("a = [1]\nd = {'k': a}", "a.append(2)", ["a", "d"]),
        ("a = [1]\nd = {'k': a}", "d['z'] = 1", ["d"]),
        ("a = [1]\nd = {'k': a}", "d['k'].append(2)", ["a", "d"]),
        ("rows = [{}, {}]", "for row in rows:\n  row['x'] = 1", ["row", "rows"]),
        ("rows = [{}]", "first = rows[0]\nfirst['x'] = 1", ["first", "rows"]),
        ("a, b = [1], [2]", "a.append(1)", ["a"]),
        ("def upd(c): c['x'] = 1\ncfg = {}", "upd(cfg)", ["cfg"]),
        ("def upd(c): return len(c)\ncfg = {}", "upd(cfg)", []),
        ("rows = []\ndef add(x): rows.append(x)", "add(1)", ["add", "rows"][1:]),
        ("def same(x): return x\na = []", "b = same(a)\nb.append(1)", ["a", "b"]),
        ("class M:\n  ok = 0\n  def fit(self): self.ok = 1\nm = M()", "m.fit()", ["m"]),
        (
            "class B:\n  def __init__(self): self.xs = []\n  def get(self): return self.xs\nb = B()",
            "b.get().append(1)",
            ["b"],
        ),
        ("class O: pass\no = O()", "o.a = 1", ["o"]),
        ("import numpy as np\nA = np.zeros(4)\nv = A[:2]", "v[:] = 7", ["A", "v"]),
        ("import numpy as np\nA = np.zeros(4)\nv = A[A > 0]", "v[:] = 7", ["v"]),
        ("import pandas as pd\ndf = pd.DataFrame({})\ns = df['a']", "df['b'] = 1", ["df"]),
        ("import pandas as pd\ndf = pd.DataFrame({})", "df.head()", []),
        ("import pandas as pd\ndf = pd.DataFrame({})", "df.drop('a', inplace=True)", ["df"]),
        ("import heapq\nh = []", "heapq.heappush(h, 1)", ["h"]),
        (
            "import numpy as np\nrng = np.random.default_rng(1)\npick = rng.normal",
            "x = pick()",
            ["pick", "rng"],
        ),
        ("xs = [1]\ne = enumerate(xs)", "for i, x in e: pass", ["e"]),
        ("xs = [1]\nz = zip(xs, 'a')", "ys = [x for x in z]", ["z"]),
        ("import itertools\nc = itertools.count()", "for i in c:\n  break", ["c", "i"]),
        ("xs = [1]", "for i, x in enumerate(xs): pass", []),
        ("xs = [1]", "for x in reversed(xs): pass", []),
        ("import random\nxs = [1, 2]", "random.shuffle(xs)", ["xs"]),
        (
            "from sklearn.pipeline import make_pipeline\nm = object()\np = make_pipeline(m)",
            "p.fit(1, 2)",
            ["m", "p"],
        ),
        ("net = make()\nopt = SGD(net.parameters())", "opt.step()", ["net", "opt"]),
        ("import random\nrng = random.Random(0)\nxs = [1, 2]", "rng.shuffle(xs)", ["rng", "xs"]),
        ("k = 3\nj = k", "k += 1", []),
        ("axes, data = make(), []", "for ax, d in zip(axes, data):\n    ax.bar(d)", ["ax", "axes"]),
        (
            "axes, data = make(), {}",
            "for i, ax in enumerate(axes):\n    ax.show_it(data)",
            ["ax", "axes"],
        ),
        ("from lib import split\nX = []\na, b = split(X)", "a.append(1)", ["a"]),
        (
            "grid = [(k, v) for k in names for v in {'a': [1]}[k]]",
            "for k, v in grid:\n    m = Model(v)\n    m.fit(1)",
            ["m"],
        ),
    ],
)
def test_changes_in_place(make: str, change: str, names: list[str]) -> None:
    assert changed(make, change)[-1] == names


def test_a_bare_method_call_is_a_guess() -> None:
    machine = Interpreter()
    for statement in ast.parse("thing = make()").body:
        machine.run(statement)
    (change,) = machine.run(ast.parse("thing.refresh()").body[0]).values()
    assert not change.sure


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("v = (i for i in xs)", "bound a generator"),
        ("def g():\n  yield 1\nv = g()", "bound a generator"),
        ("def f():\n  def g():\n    yield 1\n  return list(g())\nv = f()", ""),
        ("v = open('f')", "bound an open file"),
        ("import threading\nv = threading.Lock()", "bound a lock"),
        ("v = zip('ab', [1, 2])", "stateful"),
        ("v = zip('ab', (i for i in xs))", "bound an iterator"),
        ("v = map(str, [1, 2])", "bound an iterator"),
    ],
)
def test_what_lives_in_one_process(code: str, kind: str) -> None:
    machine = Interpreter()
    for statement in ast.parse(code).body:
        machine.run(statement)
    assert machine.value("v").kind == kind


def test_closures_of_one_call_share_what_they_count() -> None:
    make = "def pair():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n" + (
        "    def get():\n        return n\n    return up, get\nup, get = pair()"
    )
    assert changed(make, "up()")[-1] == ["get", "up"]
