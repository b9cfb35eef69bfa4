"""A finished run back in the notebook: `%nbflow replay` and `%nbflow load`."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SETUP = "import math\nclass Model:\n    def __init__(self, n): self.n = n"
PARAMETERS = "%%parameters\nalpha: float = 0.5"
LOAD = "%%step load\nrows = list(range(4))\nmodel = Model(alpha)\nprint('loaded')\nrows"
TRAIN = "%%step train --foreach n in rows\nscore = math.floor(n * 2) + model.n"
PLOT = "%%step plot\ntop = max(train.score)\nfrom IPython.display import HTML, display\ndisplay(HTML('<b>top</b>'))"
FAIL = "%%step fail --foreach n in rows\nx = 10 // (n - 2)"
AFTER = "%%step after\nlost = len(fail.x)"


@pytest.fixture
def finished(tmp_path: Path, monkeypatch: Any) -> Path:
    """A run of a notebook whose last step but one fails for one item."""
    from nbflow.runtime.request import RunRequest
    from nbflow.runtime.run import run_flow

    path = tmp_path / "small.py"
    cells = [SETUP, PARAMETERS, LOAD, TRAIN, PLOT, FAIL, AFTER]
    path.write_text("\n".join(f"# %%\n{cell}" for cell in cells) + "\n")
    run = run_flow(RunRequest(path, params={"alpha": 0.25}, on="inline"))
    assert run.status == "failed"
    # the run was in this process: a kernel would not have its modules
    for name in [one for one in sys.modules if one.partition(".")[0] == "small"]:
        del sys.modules[name]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NBFLOW_NOTEBOOK", str(path))
    return path


@pytest.fixture
def run(finished: Path, shell: Any, capsys: Any) -> Any:
    def one(cell: str) -> str:
        shell.run_cell(cell, store_history=True).raise_error()
        output: str = capsys.readouterr().out
        return output

    return one


def test_replay_binds_what_the_run_has(run: Any, shell: Any) -> None:
    run(SETUP)
    assert "small/1 (failed)" in run("%nbflow replay small")
    run(PARAMETERS)
    assert run(LOAD) == "loaded\n[0, 1, 2, 3]\n"
    run(TRAIN)
    names = shell.user_ns
    assert names["alpha"] == 0.25
    assert type(names["model"]) is names["Model"], "the notebook's own class"
    assert names["train"].score == [0.25, 2.25, 4.25, 6.25]
    assert "<b>top</b>" in run(PLOT) or names["top"] == 6.25
    assert [branch.error is None for branch in names["train"]] == [True] * 4
    run("%nbflow replay off")
    run(f"{TRAIN}\nscore = -1")
    assert names["train"].score == [-1] * 4


def test_replay_refuses_a_cell_that_is_another(run: Any, shell: Any, capsys: Any) -> None:
    run("%nbflow replay small")
    assert not shell.run_cell(TRAIN.replace("* 2", "* 3")).success
    output = capsys.readouterr().out
    assert "-score = math.floor(n * 2) + model.n" in output
    assert "+score = math.floor(n * 3) + model.n" in output
    assert "nbflow checkout small/1" in output
    assert run(LOAD).startswith("loaded"), "cells that agree go on"


def test_replay_names_steps_that_are_not_there(run: Any, shell: Any, capsys: Any) -> None:
    run("%nbflow replay small")
    assert not shell.run_cell("%%step other\nx = 1").success
    assert "small/1 has no step `other`" in capsys.readouterr().out


def test_replay_tells_of_a_step_that_has_not_run(run: Any, shell: Any, capsys: Any) -> None:
    run("%nbflow replay small")
    assert not shell.run_cell(AFTER).success
    assert "`after` has not run in small/1. `fail` failed: %nbflow load" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "load small/1/after",
            "`after` has not run in small/1. `fail` failed: %nbflow load small/1",
        ),
        ("replay smal", "Did you mean 'small'?"),
        ("replay small/7", "There is no run 'small/7'"),
        ("replay", "Which run?"),
        ("load small/1/train", "none of which failed"),
        ("load small/1/train/9", "has no task"),
        ("load small/1/trian", "Did you mean 'train'?"),
    ],
)
def test_what_is_not_there_is_said(
    run: Any, shell: Any, capsys: Any, words: str, said: str
) -> None:
    assert not shell.run_cell(f"%nbflow {words}").success
    assert said in capsys.readouterr().out


@pytest.mark.parametrize("path", ["small/1", "small/1/fail", "small/1/fail/2"])
def test_load_gives_a_failed_task_what_it_had(
    run: Any, shell: Any, monkeypatch: Any, path: str
) -> None:
    given: list[str] = []
    monkeypatch.setattr(shell, "set_next_input", lambda text, replace: given.append(text))
    output = run(f"%nbflow load {path}")
    assert "It failed with ZeroDivisionError" in output
    assert "(cell 5, line 2)" in output
    assert shell.user_ns["n"] == 2
    assert given == ["# small/1/fail/2\nx = 10 // (n - 2)"]
    with pytest.raises(ZeroDivisionError):
        run(given[0])


def test_load_brings_imports_and_parameters_along(run: Any, shell: Any) -> None:
    run("%nbflow load small/1/train/3")
    names = shell.user_ns
    assert (names["n"], names["model"].n) == (3, 0.25)
    run("score = math.floor(n * 2) + model.n")
    assert names["score"] == 6.25
    assert "untagged" not in run("%%step again\nscore = math.floor(n) + model.n")


def test_load_tells_when_the_notebook_has_changed(run: Any, finished: Path) -> None:
    assert "others than in that run" not in run("%nbflow load small/1/train/3")
    finished.write_text(finished.read_text().replace("n * 2", "n * 3"))
    assert "The cells of `train` in this notebook are others" in run("%nbflow load small/1/train/3")


def test_values_that_were_collected_are_named(
    run: Any, shell: Any, capsys: Any, finished: Path
) -> None:
    run("%nbflow replay small")
    for pack in (finished.parent / ".nbflow" / "packs").iterdir():
        pack.unlink()
    assert shell.run_cell(TRAIN).success, "small values stand in the records"
    assert shell.run_cell("assert train.score == [0.25, 2.25, 4.25, 6.25]").success
    capsys.readouterr()
    assert not shell.run_cell(LOAD).success
    assert not shell.run_cell("%nbflow load small/1/train/2").success
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("error[NBF406]: What `load` showed in small/1 is gone from the store")
    assert second.startswith("error[NBF406]: An input of small/1/train/2 is gone from the store")
    assert second.endswith("or run the flow again with --no-cache.")


OLD = """
class Thing:
    def __init__(self): self.held = 1
"""


@pytest.fixture
def thing(tmp_path: Path, monkeypatch: Any) -> Iterator[Path]:
    """A run that has a value of a package which is another one now; the package's folder."""
    from nbflow.runtime.request import RunRequest
    from nbflow.runtime.run import run_flow

    site = tmp_path / "site"
    package = site / "thingpack"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(OLD)
    about = site / "thingpack-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: thingpack\nVersion: 1.0\n")
    (about / "RECORD").write_text("thingpack/__init__.py,,\n")
    (about / "top_level.txt").write_text("thingpack\n")
    monkeypatch.syspath_prepend(str(site))
    path = tmp_path / "things.py"
    path.write_text("# %%\n%%step make\nimport thingpack\nthing = thingpack.Thing()\n")
    assert run_flow(RunRequest(path, on="inline")).status == "succeeded"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NBFLOW_NOTEBOOK", str(path))
    forget()
    yield site
    forget()


def forget() -> None:
    for name in [one for one in sys.modules if one.partition(".")[0] in ("things", "thingpack")]:
        del sys.modules[name]


MAKE = "%%step make\nimport thingpack\nthing = thingpack.Thing()"


def test_a_package_of_another_version_is_named(thing: Path, shell: Any, capsys: Any) -> None:
    (thing / "thingpack" / "__init__.py").write_text("class Other: pass\n")
    about = thing / "thingpack-1.0.dist-info"
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: thingpack\nVersion: 2.0\n")
    about.rename(thing / "thingpack-2.0.dist-info")
    importlib.invalidate_caches()
    shell.run_cell("%nbflow replay things").raise_error()
    capsys.readouterr()
    assert not shell.run_cell(MAKE).success
    output = capsys.readouterr().out
    assert "`thing` of things/1 cannot be loaded here: AttributeError: " in output
    assert "The run had thingpack 1.0, here is 2.0" in output


def test_a_package_that_is_gone_is_named(thing: Path, shell: Any, capsys: Any) -> None:
    shutil.rmtree(thing)
    importlib.invalidate_caches()
    shell.run_cell("%nbflow replay things").raise_error()
    capsys.readouterr()
    assert not shell.run_cell(MAKE).success
    output = capsys.readouterr().out
    assert "`thing` of things/1 needs the package thingpack, which is not installed here" in output
    assert "pip install thingpack==1.0" in output
