"""A project whose folder was moved after its notebook had run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("jupyter_server")

from nbflow_jupyter.moved import notebook_now
from nbflow_jupyter.notebooks import interactive_tasks, notebook_state

from nbflow.runtime.environment import user
from nbflow.store import open_store
from nbflow.store.interactive import InteractiveTask

TRIED = InteractiveTask("one", "cell", "succeeded", 5.0, 6.5, "x = 2", {"x": 2}, "two\n")


def test_runs_and_what_was_tried_are_found_where_the_notebook_is_now(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "elsewhere/new"
    (old / "sub").mkdir(parents=True)
    (old / "pyproject.toml").touch()
    (old / "sub/quick.py").write_text("# %%\n# %%step one\nx = 1\n")
    command = [
        sys.executable,
        "-m",
        "nbflow",
        "run",
        "sub/quick.py",
        "--on",
        "inline",
        "--store",
        ".",
    ]
    subprocess.run(command, cwd=old, check=True, timeout=60)
    store = open_store(old)
    name = str(old / "sub/quick.py")
    run = store.interactive_run("kernel", name, user(), "here", 4.0)
    store.add_interactive(run, TRIED)
    other = store.interactive_run("another", name, "somebody else", "here", 4.0)
    store.add_interactive(other, TRIED)
    store.close()
    new.parent.mkdir()
    shutil.move(old, new)

    store = open_store(new)
    file = new / "sub/quick.py"
    assert notebook_now(store, name) == str(file)
    state = notebook_state(store, "new", "new/sub/quick.py", file)
    assert [(row["run"], row["notebook"]) for row in state["runs"]] == [
        ("quick/1", "new/sub/quick.py")
    ]
    assert [step["name"] for step in state["steps"]] == ["one"]
    assert interactive_tasks(store, "one", file) == {
        "step": "one",
        "tasks": [
            {
                "id": 1,
                "status": "succeeded",
                "started": 5.0,
                "finished": 6.5,
                "code": "x = 2",
                "made": {"x": 2},
                "shown": "two\n",
            }
        ],
    }
    # a notebook of that name that is another one
    (new / "quick.py").touch()
    for recorded in (str(new / "gone/quick.py"), str(tmp_path / "other/none.py"), ""):
        assert notebook_now(store, recorded) == recorded
    store.close()
