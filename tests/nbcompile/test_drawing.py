"""Which cells show figures at their end: those that may leave some open."""

from __future__ import annotations

import pytest

from nbcompile.infer import infer_flow
from nbcompile.notebook import Cell, Notebook

SETUP = "%%setup\nimport pandas as pd\nimport matplotlib.pyplot as plt\nimport seaborn as sns"


def shown(*cells: str, setup: str = SETUP) -> list[int]:
    """The cells of one step that show their figures at their end; setup is cell 0."""
    texts = [setup, *(f"%%step a\n{text}" for text in cells)]
    notebook = Notebook("t", "t.py", tuple(Cell(i, "code", t) for i, t in enumerate(texts)))
    (step,) = infer_flow(notebook).steps
    return [piece.cell for piece in step.body if piece.code.endswith("show_figures()")]


@pytest.mark.parametrize(
    "code",
    [
        "plt.plot([1])",
        "fig, ax = plt.subplots()\nax.bar([1], [2])",
        "pd.Series([1]).hist()",
        "ax = pd.Series([1]).plot.bar()",
        "sns.heatmap([[1]])",
        "for x in range(2):\n    plt.figure()",
        "def f():\n    plt.plot([1])\nf()",
        "class A:\n    def draw_it(self):\n        plt.plot([1])\nA().draw_it()",
        "plt.show()\nplt.plot([1])",
        "grid = pd\ngrid.map(plt.hist, 'x')",
        "grid = pd\ngrid.map(sns.kdeplot, 'x')",
        "from sklearn.metrics import RocCurveDisplay\nRocCurveDisplay.from_predictions([1], [1])",
    ],
)
def test_a_cell_that_draws_shows_at_its_end(code: str) -> None:
    assert shown(code, "x = 1") == [1]


@pytest.mark.parametrize(
    "code",
    [
        "x = 1",
        "print('plot')",
        "plt.plot([1])\nplt.show()",
        "plt.style.use('ggplot')",
        "colours = plt.cm.Blues, plt.rcParams['figure.dpi'], plt, sns",
        "sns.set_theme()",
        "def f():\n    plt.plot([1])",
        "import plotly.express as px\nfig = px.scatter([1])",
        "import structlog\nstructlog.configure()",
        "import numpy as np\nnp.histogram([1])",
    ],
)
def test_a_cell_that_leaves_no_figure_does_not(code: str) -> None:
    assert shown(code, "y = 1") == []


def test_each_cell_by_itself() -> None:
    assert shown("plt.plot([1])") == [1]
    assert shown("plt.plot([1])", "x = 2", "plt.plot([3])") == [1, 3]


@pytest.mark.parametrize(
    "setup",
    [
        f"{SETUP}\n%matplotlib widget",
        f"{SETUP}\nimport matplotlib\nmatplotlib.use('svg')",
        f"{SETUP}\n%config InlineBackend.close_figures = False",
    ],
)
def test_figures_that_stay_open_in_the_notebook_stay_open(setup: str) -> None:
    assert shown("plt.plot([1])", "plt.title('t')", setup=setup) == []
    assert shown("plt.plot([1])", "x = 1", setup=f"{SETUP}\n%matplotlib inline") == [1]


def test_without_a_library_nothing_draws() -> None:
    setup = "%%setup\nimport turtle\nimport numpy as np"
    assert shown("turtle.draw()", "np.plot([1])", setup=setup) == []
    assert shown("turtle.draw()", setup=f"{setup}\nimport helpers") == [1]


def test_any_name_of_pylab_may_draw() -> None:
    assert shown("from pylab import *\ntitle('t')", "x = 1") == [1]
