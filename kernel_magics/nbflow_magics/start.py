"""`%nbflow run`: a run in a process of its own, followed under the cell without blocking it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbcompile.diagnostics import Diagnostic
from nbflow.errors import UserError, user_error
from nbflow_magics.notebook_path import VARIABLE, notebook_path
from nbflow_magics.say import say
from nbflow_magics.view import RunView

if TYPE_CHECKING:
    from nbflow_magics.session import Session

#: with one of these the command says something once and ends: it is simply run
_SAYS = frozenset({"--help", "-h", "--json", "--explain", "--detach"})


def start_run(session: Session, words: list[str]) -> None:
    """`%nbflow run [options] [--wait]`: the run goes on when the kernel does not."""
    from nbflow_magics.command import CommandFailed, run_command_line

    wait = "--wait" in words
    words = [word for word in words if word != "--wait"]
    if not any(map(_is_target, words)):
        path = notebook_here(session)
        words = [str(path), *words]
        _warn_of_unsaved(session, path)
    if _SAYS.intersection(words):
        run_command_line(["run", *words])
        return
    view = RunView(Path(next(filter(_is_target, words))).parent, _store(words))
    view.follow(_detach(words))
    if wait and view.wait() != "succeeded":
        raise CommandFailed(view.why)


def watch_run(session: Session, words: list[str]) -> None:
    """`%nbflow watch RUN`: the live view of a run, one that a former kernel started, say."""
    from nbflow.cli.paths import find
    from nbflow_magics.replay import the_store

    if len(words) != 1:
        raise user_error("NBF407", "Which run?", "%nbflow watch churn/42, or churn for its newest")
    found = find(words[0], the_store(session))
    path = notebook_path(session.shell.user_ns)
    RunView(path.parent if path is not None else Path()).follow(found.run.path)


def notebook_here(session: Session) -> Path:
    """The notebook of this kernel; a `UserError` where that is not known."""
    path = notebook_path(session.shell.user_ns)
    if path is None:
        raise user_error(
            "NBF101",
            "This kernel does not know which notebook file it runs.",
            f"Name it: %nbflow run notebook.ipynb, or set the environment variable {VARIABLE}.",
        )
    return path


def _detach(words: list[str]) -> subprocess.Popen[bytes]:
    """The command line, which starts the run in a session of its own and tells its path."""
    return subprocess.Popen(
        [sys.executable, "-m", "nbflow", "run", *words, "--detach", "--json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def read_answer(process: subprocess.Popen[bytes]) -> tuple[str | None, str]:
    """The path of the run that was started, or None and why there is none."""
    out, err = process.communicate()
    try:
        path = json.loads(out)["run"]
    except (ValueError, KeyError, TypeError):
        path = None
    if path is not None:
        return str(path), ""
    how = f"`nbflow run` ended with status {process.returncode} and did not say why."
    return None, err.decode(errors="replace").strip() or how


def _warn_of_unsaved(session: Session, path: Path) -> None:
    """A run takes the file: say so where a cell that ran here stands otherwise in it."""
    from nbcompile import read_notebook
    from nbcompile.notebook import NotebookError

    try:
        cells = {cell.id: cell.source for cell in read_notebook(path).cells if cell.id}
    except (NotebookError, UserError):
        return  # the run says it better
    other = [
        ran.count
        for cell, ran in session.cells.ran.items()
        if cell in cells and cells[cell].strip() != ran.source.strip()
    ]
    if other:
        message = (
            f"The file of this notebook has another text for In [{max(other)}]; "
            "the run takes the file."
        )
        say([Diagnostic("NBF308", "info", message, fix="Save the notebook and run again.")])


def _store(words: list[str]) -> str | None:
    """The store that `--store` names."""
    for at, word in enumerate(words):
        if word == "--store" and at + 1 < len(words):
            return words[at + 1]
        if word.startswith("--store="):
            return word.partition("=")[2]
    return None


def _is_target(word: Any) -> bool:
    """Whether a word of the command names a notebook or an exported package."""
    return not word.startswith("-") and (
        word.endswith((".ipynb", ".py")) or bool(list(Path(word).glob("*/flow.json")))
    )
