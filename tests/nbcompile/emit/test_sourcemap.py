"""The source map: every line of a module that comes from a cell knows where from."""

from __future__ import annotations

from nbcompile.compile import compile_cells
from nbcompile.emit.formatting import format_files
from nbcompile.emit.imports import sorted_imports
from nbcompile.emit.source import Source
from nbcompile.emit.sourcemap import map_lines
from nbcompile.notebook import parse_notebook


def mapped(text: str, step: str) -> dict[str, list[tuple[int, int]]]:
    """For each line of a step's module (without its indentation) where it comes from."""
    package = compile_cells(parse_notebook(text, "sample", ".py")).package
    assert package is not None
    path = f"sample/steps/{step}.py"
    lines = package.files[path].split("\n")
    (data,) = [data for data in package.manifest["steps"] if data["name"] == step]
    found: dict[str, list[tuple[int, int]]] = {}
    for number, cell, line in data["lines"][path]:
        found.setdefault(lines[number - 1].strip(), []).append((cell, line))
    return found


def test_lines_that_formatting_leaves() -> None:
    found = mapped(
        "# %%\n%%step a\n# why\nx = 1\n\n\nfor i in 'ab':\n    y=i\n# %%\n%%step a\nz = 1", "a"
    )
    assert found["x = 1"] == [(0, 3)]
    assert found["y = i"] == [(0, 7)]
    assert found["# why"] == [(0, 2)]
    assert found["z = 1"] == [(1, 2)]


def test_lines_that_formatting_joins_and_splits() -> None:
    long = "value = call(" + ", ".join(f"argument_number_{n}" for n in range(12)) + ")"
    text = (
        "# %%\n%%step a\nargument_number_0 = 1\n"
        + "\n".join(f"argument_number_{n} = 1" for n in range(1, 12))
        + f"\ncall = print\n{long}\nx = [\n  1, 2\n  ]\ny = 1; z = 2\nlast = 0"
    )
    found = mapped(text, "a")
    assert found["value = call("] == [(0, 15)]
    assert found["argument_number_3,"] == [(0, 15)]
    assert found["x = [1, 2]"] == [(0, 16)]
    assert found["z = 2"] == [(0, 19)]
    assert found["last = 0"] == [(0, 20)]


def test_lines_after_a_multi_line_string() -> None:
    found = mapped('# %%\n%%step a\ntext = """\n  x\n"""\ny = 1 / 1', "a")
    assert found["y = 1 / 1"] == [(0, 5)]


def test_expressions_of_options() -> None:
    text = "# %%\n%%step a\nxs = [1]\n# %%\n\n%%step b --foreach x in xs --when len(xs) > 0\ny = x"
    found = mapped(text, "b")
    assert found["return xs"] == [(1, 2)]
    assert found["return bool(len(xs) > 0)"] == [(1, 2)]


def test_ipython_lines() -> None:
    found = mapped("# %%\n%%step a\n%%capture out\nx = 1\n!ls \\\n  -l\ny = 2\ny", "a")
    assert found["with captured_output() as out:"] == [(0, 2)]
    assert found['shell("ls    -l")'] == [(0, 4)]
    assert found["show(y)"] == [(0, 7)]


def test_lines_without_origin_have_none() -> None:
    source = Source()
    source.add("x=1")
    source.add("y=2", (3, 4))
    formatted = format_files({"a": source.text()})["a"]
    assert map_lines(source, formatted) == [[2, 3, 4]]


def test_files_are_formatted_apart() -> None:
    files = {"a": "# fmt: off\nx  =  1\n", "b": "y  =  1\n", "c": "def f(): pass\n"}
    assert format_files(files) == {
        "a": "# fmt: off\nx  =  1\n",
        "b": "y = 1\n",
        "c": "def f():\n    pass\n",
    }


def test_imports_are_sorted_and_merged() -> None:
    statements = [
        "from sample.common import b, a",
        "import pandas as pd",
        "import os.path",
        "from math import *",
        "from math import pi",
        "from __future__ import annotations",
        "import os",
        "from sample import common",
        "from pandas import DataFrame",
    ]
    assert sorted_imports(statements, "sample") == [
        "from __future__ import annotations",
        "",
        "import os",
        "import os.path",
        "from math import *",
        "from math import pi",
        "",
        "import pandas as pd",
        "from pandas import DataFrame",
        "",
        "from sample import common",
        "from sample.common import a, b",
    ]
