"""The plain-Python runner: fan-outs, joins, conditions and failures mean what they mean in a run."""

from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nbcompile.compile import compile_cells
from nbcompile.export.python import export_python
from nbcompile.notebook import parse_notebook

_NUMBERS = itertools.count()
Runner = Callable[..., dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runner]:
    """Compile cells, each given without its `# %%`, and run the package with parameters."""
    name = f"runner_sample_{next(_NUMBERS)}"
    monkeypatch.syspath_prepend(tmp_path)

    def compile_and_run(*cells: str, **params: Any) -> dict[str, Any]:
        text = "\n".join(f"# %%\n{cell}" for cell in cells)
        compiled = compile_cells(parse_notebook(text, name, ".py"))
        assert compiled.package is not None, compiled.diagnostics
        export_python(compiled.package, tmp_path)
        importlib.invalidate_caches()
        flow = importlib.import_module(f"{name}.flow")
        if not params:
            return dict(flow.run())
        given = importlib.import_module(f"{name}.params").Params(**params)
        return dict(flow.run(given))

    yield compile_and_run
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]


def test_linear(run: Runner) -> None:
    made = run("%%step a\nx = 1", "%%step b\nx = x + 1\ny = x * 2", "%%step c\nz = x + y")
    assert made == {"a": {"x": 1}, "b": {"x": 2, "y": 4}, "c": {"z": 6}}


def test_fan_out_and_join(run: Runner) -> None:
    made = run(
        "%%step a\nxs = [3, 1, 2]",
        "%%step b --foreach x in xs\ny = x * 10",
        "%%step c\ntotal = sum(b.y)\nitems = b.item\nfirst = b[0].y\nsize = len(b)\nend = b[-1].key",
    )
    assert made["c"] == {"total": 60, "items": [3, 1, 2], "first": 30, "size": 3, "end": (2,)}


def test_zero_items(run: Runner) -> None:
    made = run("%%step b --foreach x in []\ny = x", "%%step c\nn = len(b)\nys = b.y")
    assert made["c"] == {"n": 0, "ys": []}


def test_tuples_sets_and_generators(run: Runner) -> None:
    made = run(
        "%%step b --foreach (i, (j, *k)) in ((n, (n, n, n)) for n in range(2))\ny = [i, j, k]",
        "%%step c\nys = b.y",
    )
    assert made["c"]["ys"] == [[0, 0, [0, 0]], [1, 1, [1, 1]]]


def test_each_stays_in_its_branch(run: Runner) -> None:
    made = run(
        "%%step a --foreach x in [1, 2]\ny = x * 10",
        "%%step b --each a\nz = x + y",
        "%%step c --each a\nw = y - z",
        "%%step d\nzs, ws, items = b.z, c.w, c.item",
    )
    assert made["d"] == {"zs": [11, 22], "ws": [-1, -2], "items": [1, 2]}


def test_nested_fan_out(run: Runner) -> None:
    made = run(
        "%%step a --foreach x in [1, 2]\nns = list(range(x))",
        "%%step b --each a --foreach n in ns\nv = (x, n)",
        "%%step c\nvs = b.v\nkeys = b.key\nparents = [branch.parent.x for branch in b]",
    )
    assert made["c"] == {
        "vs": [(1, 0), (2, 0), (2, 1)],
        "keys": [(0, 0), (1, 0), (1, 1)],
        "parents": [1, 2, 2],
    }


def test_targets_named_like_what_the_runner_uses(run: Runner) -> None:
    made = run(
        "%%step a --foreach index, item in [(1, 2)]\nvalues = index + item",
        "%%step load --foreach a_made in [5]\nb = a_made",
        "%%step c\nv, w = a.values, load.b",
    )
    assert made["c"] == {"v": [3], "w": [5]}


@pytest.mark.parametrize(("drift", "model"), [(0.9, "new"), (0.1, "old")])
def test_two_conditional_writers(run: Runner, drift: float, model: str) -> None:
    made = run(
        "%%parameters\ndrift: float = 0.1",
        "%%step train --when drift > 0.5\nmodel = 'new'",
        "%%step keep --when drift <= 0.5\nmodel = 'old'",
        "%%step serve\nserved = model",
        drift=drift,
    )
    assert made["serve"] == {"served": model}


def test_what_depends_on_a_skipped_step_is_skipped(run: Runner) -> None:
    made = run(
        "%%step a --when False\nx = 1",
        "%%step b\ny = x",
        "%%step c --foreach z in [x]\nw = z",
        "%%step d --after a\nv = 1",
    )
    assert made == {"a": None, "b": None, "c": None, "d": {"v": 1}}


def test_condition_in_each_branch(run: Runner) -> None:
    made = run(
        "%%step a --foreach x in [1, 2, 3]\ny = x",
        "%%step b --each a --when y > 1\nz = y",
        "%%step c\nzs = b.z",
    )
    assert made["c"]["zs"] == [2, 3]


def test_caught_failures(run: Runner) -> None:
    made = run(
        "%%step a --foreach x in [1, 0] --catch\ny = 1 / x",
        "%%step b --each a\nz = y",
        "%%step c\ngood = [t.y for t in a if t.error is None]\n"
        "bad = [type(t.error).__name__ for t in a if t.error]\nn = len(b)",
    )
    assert made["c"] == {"good": [1.0], "bad": ["ZeroDivisionError"], "n": 1}


def test_caught_failure_of_one_step(run: Runner) -> None:
    made = run(
        "%%step a\nx = 1",
        "%%step b --catch\nx = 1 / 0",
        "%%step c\ny = x",
    )
    assert made == {"a": {"x": 1}, "b": None, "c": None}


def test_retry(run: Runner, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    marker = str(tmp_path / "marker")
    made = run(
        "import os",
        f"%%step a --retry 1\npath = {marker!r}\nif not os.path.exists(path):\n"
        "    open(path, 'w').close()\n    raise ValueError('once')\nx = 1",
    )
    assert made["a"]["x"] == 1
    assert "once" in capsys.readouterr().out


def test_tasks_do_not_see_each_others_changes(run: Runner) -> None:
    made = run(
        "%%step a\nrows = []",
        "%%step b --foreach x in [1, 2]\nrows.append(x)",
        "%%step c\nsizes = [list(t.rows) for t in b]",
    )
    assert made["c"]["sizes"] == [[1], [2]]


def test_names_that_may_be_unbound(run: Runner) -> None:
    made = run("%%step a\nx = 1", "%%step b\nif x > 5:\n    x = 2\n    y = 3", "%%step c\nz = x")
    assert made["c"] == {"z": 1}
    assert "y" not in made["b"]
