"""From small notebooks to flows: what each step reads, writes and waits for."""

from __future__ import annotations

import sys

import pytest

from nbcompile.diagnostics import Diagnostic
from nbcompile.flow import Flow, Input
from nbcompile.infer import infer_flow
from nbcompile.notebook import Cell, Notebook


def flow_of(*cells: str) -> Flow:
    """The flow of a notebook; `step: code` stands for a step of that name."""
    return infer_flow(
        Notebook("t", "t.ipynb", tuple(Cell(i, "code", text) for i, text in enumerate(cells)))
    )


def inputs(flow: Flow, step: str) -> dict[str, tuple[str, ...]]:
    return {i.name: i.sources for i in flow.step(step).reads.inputs}


def errors(flow: Flow) -> list[tuple[str, int | None, int | None]]:
    return [(d.code, d.cell, d.line) for d in flow.diagnostics if d.severity == "error"]


def test_annotations_that_name_what_comes_later() -> None:
    flow = flow_of("%%step a\ndef f(x: Later): return x\nclass Later: pass\ny = f(1)")
    # they are evaluated at once up to Python 3.13, and when asked for from 3.14 on
    expected = [] if sys.version_info >= (3, 14) else [("NBF201", 0, 2)]
    assert errors(flow) == expected


def test_redefinition_gives_the_reader_the_nearest_version() -> None:
    flow = flow_of("%%step a\nx = 1", "%%step b\nx = x + 1", "%%step c\nx = 10", "%%step d\ny = x")
    assert inputs(flow, "b") == {"x": ("a",)}
    assert inputs(flow, "c") == {}
    assert inputs(flow, "d") == {"x": ("c",)}
    assert flow.step("d").depends == ("c",)


def test_a_name_bound_only_perhaps_keeps_its_earlier_writer() -> None:
    flow = flow_of("%%step a\nx = 1", "%%step b\nif flag():\n    x = 2", "%%step c\ny = x")
    assert inputs(flow, "c") == {"x": ("b", "a")}
    assert flow.step("b").maybe == ("x",)


def test_steps_with_conditions_may_both_write() -> None:
    flow = flow_of(
        "%%parameters\ndrift = 0.1",
        "%%step new --when drift > 0.5\nm = 1",
        "%%step old --when drift <= 0.5\nm = 2",
        "%%step use\nm2 = m",
    )
    assert inputs(flow, "use") == {"m": ("old", "new")}
    assert flow.step("new").when is not None
    assert flow.step("new").when.reads.parameters == ("drift",)  # type: ignore[union-attr]


def test_a_parameter_holds_where_every_writer_was_skipped() -> None:
    flow = flow_of(
        "%%parameters\nlr = 0.1", "%%step a --when lr > 1\nlr = lr / 2", "%%step b\nz = lr"
    )
    assert inputs(flow, "b") == {"lr": ("a", "")}


def test_a_change_in_place_is_a_new_version() -> None:
    flow = flow_of("%%step a\nxs = []", "%%step b\nxs.append(1)", "%%step c\nn = len(xs)")
    assert inputs(flow, "c") == {"xs": ("b",)}
    assert flow.step("b").outputs == ("xs",)


def test_aliases_travel_together_when_one_changes_later() -> None:
    flow = flow_of("%%step a\nxs = [1]\nys = xs", "%%step b\nys.append(2)", "%%step c\nprint(xs)")
    assert flow.step("a").together == (("xs", "ys"),)
    assert set(flow.step("b").outputs) == {"xs", "ys"}
    assert inputs(flow, "c") == {"xs": ("b",)}


def test_an_alias_made_later_is_handed_on_with_its_original() -> None:
    flow = flow_of(
        "%%step a\nxs = [1]",
        "%%step b\nbox = {'k': xs}",
        "%%step c\nbox['k'].append(2)",
        "%%step d\nprint(xs)",
    )
    assert flow.step("b").together == (("box", "xs"),)
    assert inputs(flow, "d") == {"xs": ("c",)}


def test_aliases_stay_apart_where_nothing_changes() -> None:
    flow = flow_of("%%step a\nxs = [1]\nys = xs", "%%step b\nprint(ys)", "%%step c\nprint(xs)")
    assert flow.step("a").together == ()
    assert flow.step("c").depends == ("a",)


def test_functions_travel_as_code_and_read_values_when_called() -> None:
    flow = flow_of(
        "%%step a\nk = 3\ndef f(v):\n    return v * k", "%%step b\nk = 10", "%%step c\nprint(f(2))"
    )
    reads = flow.step("c").reads
    assert (inputs(flow, "c"), reads.common, reads.bind) == ({"k": ("b",)}, ("f",), ("k",))
    assert flow.step("a").outputs == ("k",)
    assert flow.common.late == ("k",)


def test_a_function_of_one_step_stays_there() -> None:
    flow = flow_of("%%step a\nthr = 3\ndef over(v):\n    return v > thr\nn = over(4)")
    assert flow.step("a").outputs == ("thr", "n")
    assert flow.common.pieces == ()


def test_a_definition_that_needs_a_value_at_its_making_is_a_value() -> None:
    flow = flow_of(
        "%%step a\nbase = 2", "%%step b\ndef f(x, b=base):\n    return x + b", "%%step c\nf(1)"
    )
    assert inputs(flow, "b") == {"base": ("a",)}
    assert inputs(flow, "c") == {"f": ("b",)}


def test_a_global_counter_lives_in_the_shared_module() -> None:
    flow = flow_of(
        "%%step a\ncnt = 0\ndef inc():\n    global cnt\n    cnt += 1",
        "%%step b\ninc()",
        "%%step c\nprint(cnt)",
    )
    assert flow.step("b").shared == ("cnt",)
    assert inputs(flow, "c") == {"cnt": ("b",)}


def test_a_function_that_is_redefined_is_a_value() -> None:
    flow = flow_of(
        "%%step a\ndef f():\n    return 1",
        "%%step b\ndef g():\n    return f()",
        "%%step c\ndef f():\n    return 2",
        "%%step d\nprint(g())",
    )
    reads = flow.step("d").reads
    assert (inputs(flow, "d"), reads.common, reads.bind) == ({"f": ("c",)}, ("g",), ("f",))


def test_values_bring_the_functions_they_hold() -> None:
    flow = flow_of(
        "import functools\ndef add(a, b):\n    return a + b + k",
        "%%step a\nk = 5",
        "%%step b\np = functools.partial(add, 1)",
        "%%step c\nprint(p(2))",
    )
    assert inputs(flow, "c") == {"p": ("b",), "k": ("a",)}
    assert flow.step("c").reads.bind == ("k",)


def test_imports_and_definitions_of_analysis_cells_are_taken_along() -> None:
    flow = flow_of(
        "import math\nFACTOR = 10\ndef scale(v):\n    return math.floor(v * FACTOR)",
        "scale(3)",
        "%%step a\nx = scale(2.5)",
    )
    assert flow.step("a").reads.common == ("scale",)
    assert [p.code.split("\n")[0] for p in flow.common.pieces] == ["FACTOR = 10", "def scale(v):"]
    assert flow.common.imports == ("import math",)


def test_a_fan_out_is_read_by_its_name() -> None:
    flow = flow_of(
        "%%step a\nitems = [1, 2]",
        "%%step b --foreach i in items\nv = i * 2\nw = [v]",
        "%%step c --each b\nu = v + 1",
        "%%step d\nbest = max(x.v for x in b)\nn = len(c)",
    )
    assert inputs(flow, "c") == {"v": ("b",)}
    assert flow.step("d").reads.inputs == (
        Input("b", ("b",), "fanout"),
        Input("c", ("c",), "fanout"),
    )
    assert flow.step("b").crossing == ("v",)
    assert flow.step("b").foreach is not None
    assert flow.step("b").foreach.targets == ("i",)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("%%step a\nprint(nothing)",), ("NBF201", 0, 2)),
        (("x = make()", "%%step a\ny = x"), ("NBF202", 1, 2)),
        (("%%step a\nx = 1", "x = f(x)", "%%step b\ny = x"), ("NBF209", 2, 2)),
        (("%%step a\nx = []", "x.append(1)", "%%step b\ny = x"), ("NBF209", 2, 2)),
        (("%%step a\nx = 1\ndel x", "%%step b\ny = x"), ("NBF206", 1, 2)),
        (("%%step a --foreach i in [1]\nv = i", "%%step b\nprint(v)"), ("NBF203", 1, 2)),
        (("%%step a --after b\nx = 1",), ("NBF204", 0, 1)),
        (("%%step a\ng = (i for i in [1])", "%%step b\nnext(g)"), ("NBF208", 0, 2)),
        (("%%step a\nx = 1", "%%step b\nglobals()['x']"), ("NBF207", 1, 2)),
        (("%%step a\n1 + 1", "%%step b\nprint(Out[1])"), ("NBF207", 1, 2)),
        (("%%step a\nclass C:\n    n = 1", "%%step b\nC.n = 2", "%%step c\nC.n"), ("NBF210", 1, 2)),
        (("%%parameters\nk = 1", "%%setup\nz = k", "%%step a\nx = z"), ("NBF210", 1, 2)),
        (
            ("%%step a\nx = 1", "%%step b\ny = x", "%%step a\nz = y"),
            ("NBF205", 0, 1),
        ),
        (
            ("%%step a\nx = 1", "%%step b\ny = x", "%%step a\nx = 2"),
            ("NBF205", 2, 2),
        ),
        ((), ("NBF102", None, None)),
    ],
)
def test_what_is_refused(
    cells: tuple[str, ...], expected: tuple[str, int | None, int | None]
) -> None:
    assert errors(flow_of(*cells)) == [expected]


@pytest.mark.parametrize(
    "cells",
    [
        # bound on some path only, or by an earlier round of a loop: Python decides as it runs
        ("%%step a\nfor i in [0, 1]:\n    if i == 0:\n        x = 1\n    print(x)",),
        ("%%step a\nfor i in [0, 1]:\n    if i:\n        print(last)\n    last = i",),
        ("%%step a\ntry:\n    x\nexcept NameError:\n    x = 1",),
        # all cells of the step come before the one that reads what they perhaps change
        ("%%step a\nxs = [{}]", "%%step a\nfor x in xs:\n    x['k'] = 1", "%%step b\ny = xs"),
        ("%%step a\nx = 1", "%%step a\nif x:\n    x = 2", "%%step b\ny = x"),
        # a fit changes the model, not the code of a function that it was given
        (
            "import lib",
            "%%step a\ndef f(x):\n    return x\nm = lib.Model(f)",
            "%%step b\nm.fit([1])",
            "%%step c\nm.params.add('k', lib.one())",
            "%%step d\nf(1)",
        ),
    ],
)
def test_what_is_not_refused(cells: tuple[str, ...]) -> None:
    assert errors(flow_of(*cells)) == []


@pytest.mark.parametrize(
    "code", ["x = x + 1", "if True:\n    print(x)\n    x = 1", "x += 1\nfor x in []:\n    pass"]
)
def test_a_name_is_read_before_any_binding(code: str) -> None:
    assert [code for code, _, _ in errors(flow_of(f"%%step a\n{code}"))] == ["NBF201"]


def test_a_refusal_says_what_to_do() -> None:
    (diagnostic,) = flow_of("%%step a\nval = 1", "%%step b\nprint(vall)").diagnostics
    assert diagnostic == Diagnostic(
        "NBF201", "error", "No cell binds `vall`.", 1, 2, 6, "Did you mean `val`?"
    )


@pytest.mark.parametrize(
    ("alias", "draw"),
    [
        ("rng = np.random", "rng.rand()"),
        ("rng = draw = np.random.rand", "draw()"),
        ("from numpy.random import rand\ntoss = rand", "toss()"),
    ],
)
def test_a_name_for_what_draws_draws(alias: str, draw: str) -> None:
    flow = flow_of(
        f"%%step a\nimport numpy as np\nnp.random.seed(0)\n{alias}",
        f"%%step b\nx = {draw}",
        "%%step c\ny = np.random.rand()",
    )
    assert (flow.step("b").restores, flow.step("b").saves) == (("numpy_random",),) * 2
    assert inputs(flow, "c")["_numpy_random"] == ("b",)


def test_a_seed_is_handed_from_step_to_step() -> None:
    flow = flow_of(
        "%%step a\nimport random\nrandom.seed(0)",
        "%%step b\nx = random.random()",
        "%%step c\ny = random.random()",
    )
    assert (flow.step("a").saves, flow.step("b").restores) == (("random",), ("random",))
    assert inputs(flow, "c") == {"_random": ("b",)}


def test_a_seed_in_setup_is_repeated_where_the_first_draw_is() -> None:
    flow = flow_of(
        "%%setup\nimport random\nrandom.seed(0)",
        "%%step a\nx = random.random()",
        "%%step b\ny = random.random()",
    )
    assert [p.code for p in flow.step("a").settings] == ["random.seed(0)"]
    assert inputs(flow, "b") == {"_random": ("a",)}


@pytest.mark.parametrize(
    ("draw", "kinds"),
    [
        ("from sklearn.cluster import KMeans\nm = KMeans(3).fit(data)", ("numpy_random",)),
        ("import sklearn.model_selection as ms\nm = ms.train_test_split(data)", ("numpy_random",)),
        ("m = data.sample(3)", ("numpy_random",)),
        ("from scipy import stats\nm = stats.norm.rvs(size=3)", ("numpy_random",)),
        ("from sklearn.cluster import KMeans\nm = KMeans(3, random_state=0).fit(data)", ()),
        ("from sklearn.linear_model import Ridge\nm = Ridge().fit(data)", ()),
        ("m = data.sample(3, random_state=1)", ()),
    ],
)
def test_a_library_call_without_a_seed_goes_on_with_the_state(
    draw: str, kinds: tuple[str, ...]
) -> None:
    flow = flow_of(
        "%%step a\nimport numpy as np\nnp.random.seed(0)\ndata = np.random.rand(9)",
        f"%%step b\n{draw}",
        "%%step c\nlast = np.random.rand()",
    )
    assert errors(flow) == []
    assert flow.step("b").draws == kinds
    source = ("b",) if kinds else ("a",)
    assert inputs(flow, "c") == {"_numpy_random": source}


def test_torch_is_seeded_from_step_to_step() -> None:
    flow = flow_of(
        "%%step a\nimport torch\ntorch.manual_seed(0)\nx = torch.zeros(2)",
        "%%step b\nnet = torch.nn.Linear(2, 1)",
        "%%step c\ntotal = x.sum()",
        "%%step d\nloss = net(x).sum()\nloss.backward()",
    )
    assert errors(flow) == []
    assert inputs(flow, "b") == {"_torch_random": ("a",)}
    assert inputs(flow, "c") == {"x": ("a",)}
    assert inputs(flow, "d")["_torch_random"] == ("b",)


def test_draws_of_a_fan_out_are_warned_of_once_a_step() -> None:
    flow = flow_of(
        "%%setup\nimport random\nrandom.seed(0)",
        "%%step each --foreach i in range(3)\na = random.random()\nb = [random.random(), random.random()]",
        "%%step other --foreach i in range(3)\nc = random.random()",
    )
    assert [(d.code, d.cell) for d in flow.diagnostics] == [("NBF301", 1), ("NBF301", 2)]


def test_hidden_draws_that_nothing_seeds_are_the_notebooks_own() -> None:
    flow = flow_of(
        "%%step a\nfrom sklearn.datasets import make_blobs\nX, y = make_blobs()",
        "%%step b\nfrom sklearn.cluster import KMeans\nm = KMeans(3).fit(X)",
    )
    assert flow.diagnostics == ()
    assert flow.step("b").draws == ()


def test_the_working_directory_holds_for_all_later_steps() -> None:
    flow = flow_of("%%step a\nimport os\nos.chdir('/')", "%%step b\nx = 1")
    assert flow.step("b").restores == ("cwd",)
    assert flow.step("a").taints


def test_an_option_set_in_a_step_is_set_again_in_later_ones() -> None:
    flow = flow_of(
        "import pandas as pd", "%%step a\npd.set_option('display.width', 40)", "%%step b\nx = 1"
    )
    assert [p.code.strip() for p in flow.step("b").settings] == [
        "pd.set_option('display.width', 40)"
    ]


def test_matplotlibs_options_are_options_through_any_package() -> None:
    flow = flow_of(
        "import seaborn as sns", "%%step a\nsns.mpl.rc('figure', figsize=(8, 8))", "%%step b\nx = 1"
    )
    assert [p.code.strip() for p in flow.step("b").settings] == [
        "sns.mpl.rc('figure', figsize=(8, 8))"
    ]


@pytest.mark.parametrize(
    ("call", "repeated"),
    [
        ("lib.enable()", True),
        ("lib.palettes._patch_colormap_display()", True),
        ("lib.set_tracking_uri('sqlite:///runs.db')", True),
        ("lib.set_attributes(x)", False),
        ("lib.set_seed(1)", False),
        ("lib.random.set_state(1)", False),
        ("lib.setup()", False),
        ("lib.user('x')", False),
    ],
)
def test_calls_that_set_a_library_up_are_repeated(call: str, repeated: bool) -> None:
    flow = flow_of("import lib", f"%%step a\nx = [1]\n{call}", "%%step b\ny = 1")
    assert [p.code.strip() for p in flow.step("b").settings] == ([call] if repeated else [])


def test_a_function_that_sets_options_is_called_again_in_later_steps() -> None:
    flow = flow_of(
        "import matplotlib.pyplot as plt\n\ndef style():\n    'Ours.'\n    plt.rcParams['figure.dpi'] = 90",
        "%%step a\nstyle()",
        "%%step b\nx = 1",
    )
    assert [p.code.strip() for p in flow.step("b").settings] == ["style()"]
    assert flow.step("b").reads.common == ("style",)


def test_a_file_is_a_hidden_edge() -> None:
    flow = flow_of(
        "%%step a\nwith open('f.txt', 'w') as f:\n    f.write('x')",
        "%%step b\nt = open('f.txt').read()",
    )
    assert flow.step("b").depends == ("a",)
    assert [(d.code, d.severity, d.cell) for d in flow.diagnostics] == [("NBF304", "warning", 1)]


def test_variants_are_alternatives() -> None:
    cells = (
        "%%step a --variant one\nx = 1",
        "%%step a --variant two\nx = y\ny = 1",
        "%%step b\nz = x",
    )
    notebook = Notebook("t", "t.ipynb", tuple(Cell(i, "code", c) for i, c in enumerate(cells)))
    assert infer_flow(notebook).step("a").cells == (0,)
    assert infer_flow(notebook, {"a": "two"}).step("a").cells == (1,)


@pytest.mark.parametrize(
    ("asked", "said", "fix"),
    [
        (
            {"a": "tow"},
            "`--variant a=tow`: the step `a` has no such variant.",
            "Did you mean `a=two`?",
        ),
        (
            {"b": "two"},
            "`--variant b=two`: the notebook has no step `b` with variants.",
            "Did you mean `a=two`?",
        ),
        (
            {"zz": "qqqqq"},
            "`--variant zz=qqqqq`: the notebook has no step `zz` with variants.",
            "There is `a=one`, `a=two`.",
        ),
    ],
)
def test_a_variant_that_does_not_exist_is_an_error(
    asked: dict[str, str], said: str, fix: str
) -> None:
    cells = ("%%step a --variant one\nx = 1", "%%step a --variant two\nx = 2", "%%step b\nz = x")
    notebook = Notebook("t", "t.ipynb", tuple(Cell(i, "code", c) for i, c in enumerate(cells)))
    (found,) = infer_flow(notebook, asked).diagnostics
    assert (found.code, found.severity, found.message, found.fix) == ("NBF204", "error", said, fix)


def test_a_variant_of_a_notebook_without_any() -> None:
    notebook = Notebook("t", "t.ipynb", (Cell(0, "code", "%%step a\nx = 1"),))
    (found,) = infer_flow(notebook, {"a": "two"}).diagnostics
    assert found.fix == (
        "Leave it out, or give the alternatives of a step their names with `--variant NAME`."
    )


def test_the_order_of_inference_does_not_depend_on_outputs_of_hashing() -> None:
    cells = (
        "%%step a\nxs = [1]\nys = xs\nzs = {'k': ys}",
        "%%step b\nzs['k'].append(1)",
        "%%step c\nprint(xs, ys, zs)",
    )
    assert flow_of(*cells) == flow_of(*cells)


def test_an_alias_that_is_compared_is_handed_on_with_its_original() -> None:
    flow = flow_of("%%step a\nxs = [1]", "%%step b\nys = xs", "%%step c\nprint(xs is ys)")
    assert flow.step("b").together == (("ys", "xs"),)
    assert inputs(flow, "c") == {"xs": ("b",), "ys": ("b",)}


def test_a_table_of_branches_needs_pandas() -> None:
    flow = flow_of("%%step a --foreach i in [1]\nv = i", "%%step b\na.table()")
    assert flow.imported == ("pandas",)


@pytest.mark.parametrize(
    "cells",
    [
        ("%%step a\nimport sys\nsys.path.append('../src')\nimport mine as m", "%%step b\nm.f()"),
        ("import sys\nsys.path.append('../src')\nimport mine as m", "%%step b\nm.f()"),
        ("%%setup\nimport sys\nsys.path.append('../src')\nimport mine as m", "%%step b\nm.f()"),
    ],
)
def test_a_search_path_of_literals_is_set_in_every_process(cells: tuple[str, ...]) -> None:
    flow = flow_of(*cells)
    assert flow.diagnostics == () or {d.severity for d in flow.diagnostics} == {"info"}
    assert [piece.code.strip() for piece in flow.common.pieces] == [
        *(["import sys"] if cells[0].startswith("%%setup") else []),
        "sys.path.append('../src')",
        "import mine as m",
    ]
    assert flow.step("b").reads.common == ("m",)
    assert flow.step("b").restores == ()


@pytest.mark.parametrize(
    "cell",
    [
        "import sys\nfolder = make()\nsys.path.append(folder)\nimport mine",
        "import os, sys\nos.chdir('..')\nsys.path.append(os.getcwd())\nimport mine",
        "open('mine.py', 'w').write('')\nimport sys\nsys.path.append('.')\nimport mine",
    ],
)
def test_a_search_path_that_a_step_has_to_make_is_handed_on(cell: str) -> None:
    flow = flow_of(f"%%step a\ndef make(): ...\n{cell}", "%%step b\nmine.f()")
    assert flow.common.pieces == ()
    assert "sys_path" in flow.step("b").restores


def test_a_function_that_uses_an_import_of_its_step_stays_there() -> None:
    flow = flow_of(
        "%%step a\nimport sys\nd = 'x'\nsys.path.append(d)\nimport mine\ndef f():\n    mine.g()",
        "%%step b\nf()",
    )
    assert flow.step("a").crossing == ("f", "_sys_path")
