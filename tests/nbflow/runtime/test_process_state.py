"""The process of a run in place is as it was when the run is over."""

from __future__ import annotations

import os
import sys
from pathlib import Path

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
