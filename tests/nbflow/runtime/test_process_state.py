"""The process of a run in place is as it was when the run is over."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from nbflow.runtime.listener import Listener
from nbflow.runtime.request import RunRequest
from nbflow.runtime.run import run_flow


def test_a_step_changes_folder_and_variables_for_later_steps_only(tmp_path: Path) -> None:
    notebook = tmp_path / "moves.py"
    notebook.write_text(
        "# %%\n%%step move\nimport os, sys\nos.chdir('/')\nos.environ['NBFLOW_MOVED'] = 'yes'\n"
        "sys.path.append('/somewhere')\n"
        "# %%\n%%step look\nimport os, sys\nplace = os.getcwd()\n"
        "moved = os.environ['NBFLOW_MOVED']\nlast = sys.path[-1]\n"
    )
    before = (os.getcwd(), dict(os.environ), list(sys.path))
    run = run_flow(RunRequest(target=notebook, on="inline"))
    assert run.status == "succeeded"
    assert (os.getcwd(), dict(os.environ), list(sys.path)) == before
    assert run.metrics == {"place": "/", "moved": "yes", "last": "/somewhere"}


def test_draws_go_on_from_step_to_step_as_in_the_notebook(tmp_path: Path) -> None:
    cells = (
        "import numpy as np\nnp.random.seed(3)\nfirst = float(np.random.rand())",
        "from sklearn.datasets import make_blobs\nX, _ = make_blobs(5)\nsecond = float(X[0, 0])",
        "third = float(np.random.rand())",
    )
    names: dict[str, object] = {}
    for cell in cells:
        exec(cell, names)
    notebook = tmp_path / "draws.py"
    steps = (f"# %%\n%%step s{number}\n{cell}\n" for number, cell in enumerate(cells))
    notebook.write_text("".join(steps))
    run = run_flow(RunRequest(target=notebook, on="inline"))
    assert run.metrics == {name: names[name] for name in ("first", "second", "third")}


def test_a_draw_that_the_compiler_did_not_see_is_told(tmp_path: Path) -> None:
    notebook = tmp_path / "unseen.py"
    notebook.write_text(
        "# %%\n%%setup\nimport random\nrandom.seed(0)\n"
        "# %%\n%%step plain\nx = 1\n"
        "# %%\n%%step unseen\ny = getattr(random, 'rand' + 'om')()\n"
        "# %%\n%%step seen\nz = random.random()\n"
    )
    told: list[str] = []

    class Ears(Listener):
        def message(self, text: str) -> None:
            told.append(text)

    run_flow(RunRequest(target=notebook, on="inline"), Ears())
    assert told == [
        "`unseen` changed the state of random, which the flow seeds, and nbflow did not see it: "
        "in the notebook its draws go on where earlier cells stopped, and later ones after it. "
        "Give what draws there a seed or generator of its own (`random_state=…`), or seed in the "
        "step."
    ]


def test_a_generator_that_comes_with_the_inputs_begins_as_all_do() -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom nbflow.runtime.generators import Generators\n"
        "made = Generators(Path('none'))\nmade.seed(1, 'step', '')\n"
        "assert 'numpy' not in sys.modules\nimport numpy\nmade.seed_late()\n"
        "print(sorted(made.moved()), numpy.random.rand(), sorted(made.moved()))"
    )
    one, other = (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(2)
    )
    assert one.stdout == other.stdout
    assert one.stdout.startswith("[] ")
    assert one.stdout.endswith(" ['numpy_random']\n")
