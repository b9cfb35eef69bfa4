"""The manifest: what it says, and that the published schema describes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nbcompile import compile_notebook
from nbcompile.compile import compile_cells
from nbcompile.notebook import parse_notebook

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((Path(__file__).parent / "golden" / "notebooks").glob("*.py"))


def manifest_of(*cells: str) -> dict[str, Any]:
    text = "\n".join(f"# %%\n{cell}" for cell in cells)
    compiled = compile_cells(parse_notebook(text, "sample", ".py"), format=False)
    assert compiled.package is not None, compiled.diagnostics
    return compiled.package.manifest


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_schema_describes_it(path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((ROOT / "docs" / "flow.schema.json").read_text(encoding="utf-8"))
    package = compile_notebook(path).package
    assert package is not None
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(package.files[f"{package.name}/flow.json"]), schema)
    assert json.loads(package.files[f"{package.name}/flow.json"]) == package.manifest


def test_step_says_what_passes() -> None:
    manifest = manifest_of("%%step a\nx = 1\ny = 2", "%%step b --retry 2 --timeout 1m\nz = x")
    first, second = manifest["steps"]
    assert first["function"] == "sample.steps.a:a"
    assert first["outputs"] == ["x", "y"]
    assert first["crossing"] == ["x"]
    assert second["inputs"] == [{"name": "x", "sources": ["a"], "kind": "value"}]
    assert (second["retry"], second["timeout"]) == (2, 60.0)
    assert manifest["edges"] == [{"source": "a", "target": "b", "names": ["x"]}]


def test_code_hash_changes_with_what_the_step_uses() -> None:
    def hashes(helper: str, other: str) -> dict[str, str]:
        cells = (f"%%setup\n{helper}\n{other}", "%%step a\nx = f(1)", "%%step b\ny = g(2)")
        return {step["name"]: step["code"] for step in manifest_of(*cells)["steps"]}

    base = hashes("def f(x): return h(x)\ndef h(x): return x", "def g(x): return x")
    inner = hashes("def f(x): return h(x)\ndef h(x): return x + 1", "def g(x): return x")
    other = hashes("def f(x): return h(x)\ndef h(x): return x", "def g(x): return -x")
    assert (base["a"] != inner["a"], base["b"] == inner["b"]) == (True, True)
    assert (base["a"] == other["a"], base["b"] != other["b"]) == (True, True)


def test_an_edited_cell_changes_its_own_module_only() -> None:
    def files(body: str) -> dict[str, str]:
        text = f"# %%\n%%step a\nx = 1\n# %%\n%%step b\n{body}\n# %%\n%%step c\nz = y\n"
        compiled = compile_cells(parse_notebook(text, "sample", ".py"))
        assert compiled.package is not None
        return compiled.package.files

    one, other = files("y = x"), files("y = x + 1  # more\nprint(y)")
    changed = {path for path in one if one[path] != other[path]}
    assert changed == {"sample/steps/b.py", "sample/flow.json", "pyproject.toml"}


def test_outputs_and_execution_counts_do_not_matter() -> None:
    def version(outputs: list[Any], count: int | None) -> str:
        cell = {
            "cell_type": "code",
            "metadata": {},
            "source": "%%step a\nx = 1",
            "outputs": outputs,
            "execution_count": count,
        }
        text = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
        compiled = compile_cells(parse_notebook(text, "sample"))
        assert compiled.package is not None
        return compiled.package.version

    shown = {"output_type": "stream", "name": "stdout", "text": "hello"}
    assert version([], None) == version([shown], 7)
