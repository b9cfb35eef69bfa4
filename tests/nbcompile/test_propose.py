"""Proposed tags: by headings, by what cells do, and such that the notebook compiles."""

from __future__ import annotations

from nbcompile.diagnostics import has_errors
from nbcompile.notebook import Cell, Notebook
from nbcompile.propose import Proposal, apply_tags, propose_tags
from nbcompile.tags import read_tags


def propose(*sources: str) -> tuple[list[str | None], Proposal]:
    """The tags proposed for cells; a source that starts with # and a space is a heading."""
    cells = tuple(
        Cell(at, "markdown" if source.startswith("# ") else "code", source)
        for at, source in enumerate(sources)
    )
    proposal = propose_tags(Notebook("n", "n.ipynb", cells))
    return [one.tag for one in proposal.cells], proposal


def test_headings_name_the_steps() -> None:
    tags, proposal = propose(
        "# Digits",
        "import math\ndef f(x): return x",
        "# 1. Load the data\n",
        "rows = list(range(9))",
        "rows[:3]",
        "extra = f(rows)",
        "# Fit",
        "total = sum(rows) + math.floor(2.5)",
    )
    assert tags == [None, "step:load_data", None, "step:load_data", "step:fit"]
    assert not has_errors(proposal.diagnostics)
    assert proposal.steps == ("load_data", "fit")


def test_without_headings_the_work_names_them() -> None:
    tags, _ = propose(
        "import random\nrandom.seed(0)",
        "n = 20\nalpha = 0.5",
        "rows = open('/dev/null').readlines()",
        "model = {}.setdefault('a', n)\nmodel2 = sorted(rows)",
        "best = min(rows, default=alpha)\nprint(best)",
    )
    assert tags[:3] == ["setup", "parameters", "step:load"]
    assert tags[3:] == ["step:load", "step:load"]


def test_paths_and_the_like_are_made_by_every_process() -> None:
    first = (
        "import logging, re\nfrom collections import namedtuple\nfrom pathlib import Path\n"
        "DATA = Path('data')\nRAW = DATA / 'raw.csv'\nDATE = re.compile(r'\\d+', re.ASCII)\n"
        "log = logging.getLogger('load')\nPoint = namedtuple('Point', 'x y')"
    )
    tags, proposal = propose(first, "rows = [Point(1, RAW), DATE.findall('1')]", "print(rows)")
    assert tags == ["setup", "step:start", "step:start"]
    assert not has_errors(proposal.diagnostics)
    # after the first step a name may be a step's value, and of a parameter it is one
    tags, proposal = propose(
        "n = 2", "from pathlib import Path\np = Path('a') / str(n)", "print(p)"
    )
    assert tags == ["parameters", "step:start", "step:start"]
    tags, proposal = propose("n = 'a'", "from pathlib import Path\np = Path(n)", "print(p)")
    assert not has_errors(proposal.diagnostics)


def test_what_is_read_from_elsewhere_always_runs() -> None:
    tags, proposal = propose(
        "# Shop",
        "import pandas as pd\nimport sklearn.datasets as sets",
        "# Load",
        "df = pd.read_csv('https://example.org/a.csv')",
        "# More",
        "from pathlib import Path\ntext = [one.read_text() for one in Path().glob('*.txt')]",
        "# File",
        "other = pd.read_csv('a.csv')\nlines = open('a.txt').read()",
        "# Known",
        "iris = sets.load_iris()",
        "# Write",
        "df.to_csv('b.csv')\nopen('c.txt', 'w').write(lines + str(iris))",
    )
    assert tags == [
        None,
        "step:load --no-cache",
        "step:more --no-cache",
        "step:file",
        "step:known",
        "step:write",
    ]
    assert proposal.cells[1].why == (
        "stands under `Load`; it reads what may have changed unseen, so it always runs"
    )
    assert not has_errors(proposal.diagnostics)


def test_a_new_value_belongs_to_a_step() -> None:
    tags, proposal = propose("n = 2", "rows = sorted([n])", "n = 3", "limit = 1", "print(n, rows)")
    assert tags == ["parameters", "step:start", "step:start", None, "step:start"]
    assert not has_errors(proposal.diagnostics)


def test_headings_twice_get_two_names() -> None:
    tags, _ = propose("# A", "# Fit", "a = [1]*2", "# Fit", "b = a*2")
    assert tags == ["step:fit", "step:fit_2"]


def test_what_cannot_be_apart_is_one_step() -> None:
    tags, proposal = propose(
        "# Top", "# Make", "rows = (r for r in range(3))", "# Use", "total = sum(rows)"
    )
    assert tags == ["step:make", "step:make"]
    assert "goes with `make`" in proposal.cells[1].why
    assert not has_errors(proposal.diagnostics)


def test_tags_that_are_there_stay() -> None:
    tags, proposal = propose("%%step load\nrows = [1]*3", "total = sum(rows)")
    assert tags[0] is None
    assert proposal.cells[0].why == "is tagged `step` already"


def test_a_proposal_leaves_the_sources_alone() -> None:
    cells = (Cell(0, "code", "x = [1] * 2"),)
    notebook = Notebook("n", "n.ipynb", cells)
    tagged = apply_tags(notebook, propose_tags(notebook).cells)
    assert tagged.cells[0].source == cells[0].source
    assert read_tags(tagged.cells[0]).kind == "step"


def test_an_empty_notebook_gets_nothing() -> None:
    tags, proposal = propose("# Nothing", "", "# comment only")
    assert tags == [None]
    assert [one.code for one in proposal.diagnostics] == ["NBF102"]


def test_a_cell_with_nothing_for_a_flow_says_what_it_has() -> None:
    sources = ("x = (1", "%run other.py", "%matplotlib inline", "#% a comment", "", "y = [1]\ny")
    tags, proposal = propose(*sources)
    assert tags == [None, None, None, None, None, "step:start"]
    assert [one.why for one in proposal.cells[:5]] == [
        "is not valid Python: '(' was never closed",
        "cannot be in a flow: `%run` works only in an interactive shell",
        "is for the kernel only",
        "has no code",
        "has no code",
    ]
