"""Lowering: IPython's syntax as plain Python, with the cell's line of every line."""

from __future__ import annotations

import ast
import warnings

import pytest

from nbcompile.lower import Lowered, lower
from nbcompile.surroundings import Surroundings, look_around


def dump(tree: ast.Module) -> str:
    return ast.dump(tree, include_attributes=True)


def code(body: str, around: Surroundings | None = None) -> str:
    lowered = lower(body, 0, around)
    assert [d for d in lowered.diagnostics if d.severity == "error"] == []
    assert len(lowered.lines) == lowered.code.count("\n") + 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parsed = ast.parse(lowered.code)
    if "f'" not in body and 'f"' not in body:
        assert dump(lowered.tree) == dump(parsed)
    return lowered.code


def refused(body: str) -> tuple[str, int | None]:
    lowered = lower(body, 3)
    (finding,) = [d for d in lowered.diagnostics if d.severity == "error"]
    assert (finding.cell, lowered.code) == (3, "")
    return finding.code, finding.line


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("x = 1", "x = 1"),
        ("x = (a\n % b)", "x = (a\n % b)"),
        ('text = """\n%time\n!ls\n"""', 'text = """\n%time\n!ls\n"""'),
        ('text = """\na \n  \t\n"""', 'text = """\na \n\n"""'),
        (">>> x = 1\n>>> y = 2", "x = 1\ny = 2"),
        ("  x = 1\n  y = 2", "x = 1\ny = 2"),
    ],
)
def test_plain_python_stays(body: str, expected: str) -> None:
    assert code(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("x", "show(x)"),
        ("a, b", "show((a, b))"),
        ("(a)", "show((a))"),
        ("x  # why", "show(x)  # why"),
        (
            "f(a,\n  b=lambda c: [c for d in e if d])",
            "show(f(a,\n  b=lambda c: [c for d in e if d]))",
        ),
        ("y = 1; x", "y = 1; show(x)"),
        ("é = 'é'; é", "é = 'é'; show(é)"),
        ("(\n a\n .b()\n)", "show((\n a\n .b()\n))"),
        ("x for x in y", None),
        ("(x for x in y)", "show((x for x in y))"),
        ("await f()", "show(await f())"),
        ("lambda: 1", "show(lambda: 1)"),
        ("x;", "x;"),
        ("x ;  # quiet", "x ;  # quiet"),
        ("x\ny = 1", "x\ny = 1"),
        ("if x:\n    y", "if x:\n    y"),
        ("print(x)", "print(x)"),
        ("plt.show()", "plt.show()"),
        ("rows.append(1)", "rows.append(1)"),
        ("None", "None"),
    ],
)
def test_last_expression_is_shown(body: str, expected: str | None) -> None:
    if expected is None:
        assert refused(body) == ("NBF108", 1)
    else:
        assert code(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("%matplotlib inline\nx = 1", "\nx = 1"),
        ("if a:\n    %matplotlib inline", "if a:\n    pass"),
        ("%time x = 1", "x = 1"),
        ("%time f()", "show(f())"),
        ("%time f()\ny = 1", "f()\ny = 1"),
        ("y = %time f()", "y = f()"),
        ("%time !ls", "shell('ls')"),
        ("%timeit f()", ""),
        ("%pip install x", ""),
        ("!ls", "shell('ls')"),
        ("!ls {x} $y", 'shell(f"ls {x} {y}")'),
        ("!echo {d['k']}", "shell(f\"echo {d['k']}\")"),
        ('!echo {d["k"]}', "shell(f'echo {d[\"k\"]}')"),
        ("!echo $$HOME", "shell('echo $HOME')"),
        ("!awk '{print $1}' f", "shell(\"awk '{print $1}' f\")"),
        ("for f in fs:\n    !cat {f}", 'for f in fs:\n    shell(f"cat {f}")'),
        ("files = !ls", "files = shell_lines('ls')"),
        ("!!ls", "show(shell_lines('ls'))"),
        ("x?", "describe(x, 'x')"),
        ("a.b??", "describe(a.b, 'a.b', source=True)"),
        ("?x", "describe(x, 'x')"),
        ("%cd /tmp", "import os; os.chdir('/tmp'); print(os.getcwd())"),
        ("%cd -q {d}", 'import os; os.chdir(f"{d}")'),
        ("%env K=1", "import os; os.environ['K'] = '1'; print('env: K=1')"),
        ("get_ipython().run_line_magic('time', 'x = 1')", "x = 1"),
        ("get_ipython().system('ls')", "shell('ls')"),
        ("from IPython.display import display, HTML", "from IPython.display import HTML"),
        ("from IPython.display import display\ndisplay(x)", "\ndisplay(x)"),
    ],
)
def test_lines_of_ipython(body: str, expected: str) -> None:
    assert code(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("%%time\nx = 1\nx", "\nx = 1\nshow(x)"),
        ("%%timeit\nx = 1", ""),
        (
            "%%capture out\ns = '''\n a'''\ns",
            "with captured_output() as out:\n    s = '''\n a'''\n    show(s)",
        ),
        ("%%capture --no-stderr\nx", "with captured_output(stderr=False):\n    show(x)"),
        ("%%capture\n# nothing", "with captured_output():\n    # nothing\n    pass"),
        ("%%time\n%%capture out\nx = 1", "\nwith captured_output() as out:\n    x = 1"),
        ("%%bash\nls\n\necho $X", "script('bash', (\n'ls\\n'\n'\\n'\n'echo $X\\n'))"),
        ("%%sh --out o\nls", "o = script('sh', (\n'ls\\n'), out=True)"),
        ("%%writefile -a f.txt\n a", "write_file('f.txt', (\n' a\\n'), mode=\"a\")"),
        ("%%html\n<b>", "show(rich('text/html', (\n'<b>\\n')))"),
        ("\n\n%%time\nx = 1", "\n\n\nx = 1"),
    ],
)
def test_cells_of_ipython(body: str, expected: str) -> None:
    assert code(body) == expected


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("!ls \\\n  -l\nx = 1", (1, 3)),
        ("%matplotlib inline\nx = 1", (1, 2)),
        ("\n%%capture out\nx = 1\ny", (1, 2, 3, 4)),
        ("x = 1\nf(\n  1)?\ny = 2", None),
        ("(\n a)", (1, 2)),
    ],
)
def test_lines_know_where_they_are_from(body: str, lines: tuple[int, ...] | None) -> None:
    if lines is not None:
        assert lower(body, 0).lines == lines


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("x = 1\nx = = 2", ("NBF108", 2)),
        ("%%time\nx = 1\nx = = 2", ("NBF108", 3)),
        ("x = 1\nreturn x", ("NBF108", 2)),
        ("yield 1", ("NBF108", 1)),
        ("break", ("NBF108", 1)),
        ("x\0", ("NBF108", 1)),
        ("x = 1\n%run other.py", ("NBF110", 2)),
        ("%debug", ("NBF110", 1)),
        ("%pylab", ("NBF110", 1)),
        ("%sql select 1", ("NBF110", 1)),
        ("%%sql\nselect 1", ("NBF110", 1)),
        ("%%bash --bg\nls", ("NBF110", 1)),
        ("%timeit -o f()", ("NBF110", 1)),
        ("x = %timeit f()", ("NBF110", 1)),
        ("x = %cd /tmp", ("NBF110", 1)),
        ("*int*?", ("NBF110", 1)),
        ("get_ipython().run_cell('x')", ("NBF110", 1)),
        ("get_ipython().run_line_magic(name, 'x')", ("NBF110", 1)),
        ("%%capture 'a\nx", ("NBF110", 1)),
    ],
)
def test_what_is_refused(body: str, expected: tuple[str, int]) -> None:
    assert refused(body) == expected


def test_support_functions_are_told() -> None:
    lowered: Lowered = lower("%%capture out\n!ls\nx", 0)
    assert set(lowered.support) == {"captured_output", "shell", "show"}


def test_what_the_user_calls_show_is_the_users() -> None:
    around = look_around(["def show(x): ...", "x\n!echo $HOME"])
    assert code("!echo $HOME\nx", around) == "shell('echo $HOME')\nnb_show(x)"


def test_shell_variables_of_the_notebook_are_reads() -> None:
    around = look_around(["HOME = '/x'", "!echo $HOME $USER", "!ls $HOME"])
    assert code("!ls $HOME", around) == 'shell(f"ls {HOME}")'
    assert code("!echo $HOME $USER", around) == "shell('echo $HOME $USER')"


def test_methods_named_like_support_functions_do_not_count() -> None:
    assert look_around(["plt.show()\ndf.describe()"]).taken == frozenset()


def test_dropped_magics_that_did_something_are_mentioned() -> None:
    (finding,) = lower("%pip install x", 0).diagnostics
    assert (finding.code, finding.severity, finding.line) == ("NBF110", "info", 1)


def test_invalid_escapes_are_no_warning() -> None:
    assert code(r"x = '\d'") == r"x = '\d'"
