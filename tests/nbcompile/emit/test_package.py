"""Packages: names, versions, dependencies, local modules, the parts of templates."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from nbcompile.compile import compile_cells, compile_notebook
from nbcompile.emit.dependencies import pinned
from nbcompile.emit.package import Package, emit_package, package_name
from nbcompile.emit.support import notebook_source
from nbcompile.export.python import ExportError, export_python
from nbcompile.flow import Common, Flow
from nbcompile.infer import infer_flow
from nbcompile.notebook import parse_notebook, read_notebook
from nbcompile.surroundings import SUPPORT


def package_of(*cells: str, name: str = "sample") -> Package:
    text = "\n".join(f"# %%\n{cell}" for cell in cells)
    compiled = compile_cells(parse_notebook(text, name, ".py"))
    assert compiled.package is not None, compiled.diagnostics
    return compiled.package


@pytest.mark.parametrize(
    ("flow", "expected"),
    [
        ("churn", "churn"),
        ("my churn-2", "my_churn_2"),
        ("01 load", "flow_01_load"),
        ("json", "json_flow"),
        ("pandas", "pandas_flow"),
        ("class", "class_flow"),
        ("tests", "tests_flow"),
        ("---", "___"),
    ],
)
def test_package_name_hides_nothing(flow: str, expected: str) -> None:
    named = Flow(flow, "n.ipynb", (), (), Common(), imported=("pandas",))
    assert package_name(named) == expected


def test_same_notebook_same_bytes() -> None:
    cells = ("%%setup\nimport os\nimport math", "%%step a\nx = {3, 1, 2}", "%%step b\ny = x")
    assert package_of(*cells) == package_of(*cells)


def test_what_a_setup_cell_imports_stands_there_once() -> None:
    setup = "%%setup\nfrom dataclasses import dataclass\n@dataclass\nclass Box:\n    n: int"
    common = package_of(setup, "%%step a\nbox = Box(1)").files["sample/common.py"]
    assert common == (
        '"""What the steps share: imports, settings and definitions."""\n\n'
        "from dataclasses import dataclass\n\n\n@dataclass\nclass Box:\n    n: int\n"
    )


def test_version_changes_with_code_and_options_only() -> None:
    base = package_of("%%step a\nx = 1").version
    assert package_of("%%step a --retry 2\nx = 1").version != base
    assert package_of("%%step a\nx = 2").version != base
    assert package_of("%%step a\n\n\nx = 1").version == base
    assert base.startswith("0+")
    assert len(base) == 14


def test_dependencies_are_pinned_never_guessed() -> None:
    requirements, unknown = pinned(["yaml", "os", "no_such_module_here"])
    assert requirements == [f"PyYAML=={metadata.version('PyYAML')}"]
    assert unknown == ["no_such_module_here"]


def test_local_modules_are_packaged_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "helpers.py").write_text("import deeper\ndef f( x ): return deeper.g(x)\n")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "__init__.py").write_text("def g(x): return x+1\n")
    (tmp_path / "unused.py").write_text("1 / 0\n")
    path = tmp_path / "sample.py"
    path.write_text("# %%\nimport helpers\n# %%\n%%step a\nx = helpers.f(1)\n")
    package = emit_package(infer_flow(read_notebook(path)), folder=tmp_path)
    assert package.files["helpers.py"] == "import deeper\ndef f( x ): return deeper.g(x)\n"
    assert "deeper/__init__.py" in package.files
    assert "unused.py" not in package.files
    folder = export_python(package, tmp_path / "out")
    command = [sys.executable, "-m", "sample"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.stdout == "a/x = 2\n", done.stderr


def test_compiling_a_file_takes_its_local_modules(tmp_path: Path) -> None:
    (tmp_path / "helpers.py").write_text("def f(x): return x\n")
    path = tmp_path / "sample.py"
    path.write_text("# %%\nimport helpers\n# %%\n%%step a\nx = helpers.f(1)\n")
    package = compile_notebook(path).package
    assert package is not None
    assert "helpers.py" in package.files


def test_a_new_export_takes_away_what_an_earlier_one_left(tmp_path: Path) -> None:
    export_python(package_of("%%step a\nx = 1", "%%step b\ny = x"), tmp_path)
    (tmp_path / "mine.txt").write_text("kept")
    export_python(package_of("%%step a\nx = 1"), tmp_path)
    assert not (tmp_path / "sample" / "steps" / "b.py").exists()
    assert (tmp_path / "mine.txt").read_text() == "kept"


def test_an_export_leaves_files_of_others_alone(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]")
    with pytest.raises(ExportError, match=r"pyproject.toml is there and is not of an earlier") as e:
        export_python(package_of("%%step a\nx = 1"), tmp_path)
    assert e.value.diagnostics[0].code == "NBF409"
    assert [path.name for path in tmp_path.iterdir()] == ["pyproject.toml"]
    (tmp_path / "pyproject.toml").unlink()
    export_python(package_of("%%step a\nx = 1"), tmp_path)
    held = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(ExportError, match="is not of an earlier export of `other`"):
        export_python(package_of("%%step a\nx = 2", name="other"), tmp_path)
    assert held == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", SUPPORT)
def test_every_support_function_stands_alone(name: str) -> None:
    source = notebook_source([name])
    space: dict[str, object] = {"__name__": "sample"}
    exec(compile(ast.parse(source), "<support>", "exec"), space)
    assert callable(space[name])


def test_step_named_like_what_it_uses() -> None:
    package = package_of(
        "def clean(x): return x + 1", "%%step clean\ny = clean(1)", "%%step math\nimport math"
    )
    assert "def clean_step():" in package.files["sample/steps/clean.py"]
    assert package.manifest["steps"][0]["function"] == "sample.steps.clean:clean_step"


def test_support_under_another_name() -> None:
    package = package_of("def show(x): print('mine', x)", "%%step a\nshow(1)\n2")
    module = package.files["sample/steps/a.py"]
    assert "from sample.notebook import show as nb_show" in module
    assert "nb_show(2)" in module


def test_a_cell_that_draws_ends_as_in_a_notebook() -> None:
    package = package_of(
        "import matplotlib.pyplot as plt",
        "%%step a\nplt.plot([1])  # a line",
        "%%step a\nplt.title(2)",
    )
    assert package.files["sample/steps/a.py"] == (
        "import matplotlib.pyplot as plt\n\n"
        "from sample.notebook import show, show_figures\n\n\n"
        "def a():\n"
        '    """Step `a`."""\n'
        "    show(plt.plot([1]))  # a line\n"
        "    show_figures()\n\n"
        "    show(plt.title(2))\n"
        "    show_figures()\n\n"
        "    return {}\n"
    )
    (step,) = package.manifest["steps"]
    assert [9, 1, 2] in step["lines"]["sample/steps/a.py"]


def test_setup_runs_in_every_step() -> None:
    package = package_of("%%setup\nprint('ready')", "%%step a\nx = 1")
    assert "import sample.common" in package.files["sample/steps/a.py"]


def test_docstrings_of_any_text() -> None:
    text = '# %% [markdown]\n# A \\d path """quoted"""\n# %%\n%%step a\nx = 1\n'
    compiled = compile_cells(parse_notebook(text, "sample", ".py"))
    assert compiled.package is not None
    module = ast.parse(compiled.package.files["sample/steps/a.py"])
    function = module.body[0]
    assert isinstance(function, ast.FunctionDef)
    assert (ast.get_docstring(function) or "").startswith("A \\d path '''quoted'''")


@pytest.mark.parametrize(
    ("default", "words"),
    [
        ('["FI", "SE"]', """'["FI", "SE"]'"""),
        ("[None, True]", "'[None, True]'"),
        ("{'a': 1}", """'{"a": 1}'"""),
        ("'it is'", "'it is'"),
        ("0.5", "0.5"),
    ],
)
def test_the_readme_shows_a_parameter_as_a_shell_takes_it(default: str, words: str) -> None:
    package = package_of(f"%%parameters\na = {default}", "%%step s\nb = a")
    assert f"\npython -m sample --a {words}\n" in package.files["README.md"]
