"""Modules of steps, from whole notebooks."""

from __future__ import annotations

from nbcompile.compile import compile_cells
from nbcompile.notebook import Cell, Notebook


def modules(*cells: str) -> dict[str, str]:
    """The files of the package that cells become."""
    notebook = Notebook("t", "t.ipynb", tuple(Cell(i, "code", c) for i, c in enumerate(cells)))
    package = compile_cells(notebook, format=False).package
    assert package is not None
    return dict(package.files)


def test_a_name_that_ends_like_the_helper_brings_no_helper() -> None:
    made = modules("%%parameters\ntest_share = 0.25", "%%step a\nn = int(test_share * 8)")
    assert "_share(" not in made["t/steps/a.py"]


def test_process_state_is_handed_on_by_what_changed() -> None:
    made = modules("%%step a\nimport os\nos.environ['K'] = '1'", "%%step b\nprint(os.environ['K'])")
    assert "_before = dict(os.environ)" in made["t/steps/a.py"]
    assert "os.environ[_name] = _value" in made["t/steps/b.py"]
