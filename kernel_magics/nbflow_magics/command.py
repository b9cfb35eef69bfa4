"""`%nbflow …`: the command line in the notebook, on the running notebook where none is named."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbflow.errors import UserError
from nbflow_magics.replay import load_task, start_replay
from nbflow_magics.say import sentence
from nbflow_magics.start import notebook_here, start_run, watch_run

if TYPE_CHECKING:
    from nbflow_magics.session import Session

#: verbs whose first argument is a notebook: left out, it is this one
_ON_A_NOTEBOOK = frozenset({"check", "graph", "export", "verify", "init"})


def nbflow_command(session: Session, line: str) -> Any:
    """Run an nbflow command: `%nbflow run -p alpha 0.3`, `%nbflow runs`, `%nbflow --help`.

    Where a command needs a notebook and none is given, it is the notebook of this kernel.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise CommandFailed(f"{line}: {error}.") from None
    try:
        if words and words[0] in _HERE:
            return _HERE[words[0]](session, words[1:])
        if words and words[0] in _ON_A_NOTEBOOK and not any(map(_is_file, words[1:])):
            words.insert(1, str(notebook_here(session)))
        run_command_line(words)
    except UserError as error:
        raise CommandFailed(*map(sentence, error.diagnostics)) from None
    return None


def run_command_line(words: list[str]) -> None:
    """Run the command line in this process; what it prints is the cell's output."""
    from nbflow.cli.group import call

    status = call(words)
    if status:
        raise CommandFailed(f"The command ended with status {status}.")


class CommandFailed(Exception):
    """A command that failed; its sentences say why, where the command has not done so itself."""

    def _render_traceback_(self) -> list[str]:
        return [str(one) for one in self.args]


def _is_file(word: str) -> bool:
    return word.endswith((".ipynb", ".py")) and not word.startswith("-")


def _show_history(session: Session, words: list[str]) -> Any:
    """`%nbflow history [STEP | NUMBER | on | off]`."""
    word = words[0] if words else None
    if word in ("on", "off"):
        session.history.on = word == "on"
        session.history.problem = None
        return None
    if word is None or not word.isdecimal():
        return session.history.newest(word)
    return session.history.one(int(word))


def _show_state(session: Session, words: list[str]) -> Any:
    """`%nbflow state`: the steps as this kernel knows them, as a front end asks for them."""
    return session.state()


#: verbs that only a kernel has
_HERE: dict[str, Callable[[Session, list[str]], Any]] = {
    "history": _show_history,
    "load": load_task,
    "replay": start_replay,
    "run": start_run,
    "state": _show_state,
    "watch": watch_run,
}
