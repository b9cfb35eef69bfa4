"""`%nbflow replay RUN` and `%nbflow load TASK`: a finished run, back in the notebook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbflow.errors import UserError, user_error
from nbflow_magics.notebook_path import notebook_path
from nbflow_magics.recall import Recalled, collected, find_task, not_run
from nbflow_magics.say import note

#: tasks of a fan-out whose output is shown
_SHOWN = 20

if TYPE_CHECKING:
    from nbflow.client.run import Run
    from nbflow.store import Store
    from nbflow_magics.session import Session


@dataclass(slots=True)
class Replay:
    """Steps get their results from a run as long as this is on."""

    recalled: Recalled

    def play(self, session: Session, step: str, source: str) -> list[str]:
        """Bind what the step left in the run, show what it showed; the names bound."""
        recalled = self.recalled
        run = recalled.run
        if not recalled.has(step):
            raise user_error(
                "NBF204",
                f"{run.path} has no step `{step}`.",
                "Run it here: %nbflow replay off",
            )
        position = recalled.position(step, source)
        if position is None:
            raise user_error(
                "NBF407",
                f"This cell is not the one of `{step}` in {run.path}:\n"
                f"{recalled.difference(step, source)}\n",
                "Run it here after %nbflow replay off, or get the notebook as it was: "
                f"nbflow checkout {run.path}",
            )
        counts = run[step].counts
        if not counts or set(counts) - {"succeeded", "cached", "skipped", "failed"}:
            raise _unfinished(run, step)
        if position == 0:
            try:
                _show(recalled, step)
            except UserError as error:
                raise collected(f"What `{step}` showed in {run.path}", error) from error
        spec = run.spec.step(step)
        if spec.line:
            session.shell.user_ns[step] = recalled.branches(spec)
            return [step]
        if set(counts) <= {"failed"}:
            raise _unfinished(run, step)
        values = recalled.values(step)
        session.shell.user_ns.update(values)
        return list(values)


def start_replay(session: Session, words: list[str]) -> None:
    """`%nbflow replay RUN [--store PATH]`: later steps load their results; `off` ends it."""
    if words == ["off"]:
        session.replay = None
        return
    location = None
    if "--store" in words[:-1]:
        at = words.index("--store")
        location = words[at + 1]
        words = [*words[:at], *words[at + 2 :]]
    if len(words) != 1:
        raise user_error("NBF407", "Which run?", "%nbflow replay churn/42, or churn for its newest")
    from nbflow.cli.paths import known_flow
    from nbflow.client.run import Run

    store = the_store(session, location)
    known_flow(words[0].partition("/")[0], store)
    recalled = Recalled(Run(words[0], store))
    session.replay = Replay(recalled)
    session.shell.user_ns.update(recalled.parameters())
    run = recalled.run
    note(
        f"Steps now load their results from {run.path} ({run.status}). %nbflow replay off ends it."
    )


def load_task(session: Session, words: list[str]) -> None:
    """`%nbflow load RUN/STEP[/TASK]`: exactly what that task had to work with."""
    if len(words) != 1:
        raise user_error("NBF407", "Which task?", "%nbflow load churn/42/train/3")
    recalled, task = find_task(words[0], the_store(session))
    step = task._source.step
    names = session.shell.user_ns
    missing = {n: v for n, v in recalled.definitions(step).items() if n not in names}
    try:
        inputs = task.inputs
    except UserError as gone:
        raise collected(f"An input of {task.path}", gone) from gone
    names.update(missing)
    names.update(inputs)
    session.watch.recall((*inputs, *missing))
    lines = [f"Loaded {', '.join(sorted(inputs)) or 'no inputs'} of {task.path}."]
    error = task.record.error
    if error is not None:
        where = (
            "" if error.get("cell") is None else f" (cell {error['cell']}, line {error['line']})"
        )
        lines.append(f"It failed with {error['type']}: {error['message']}{where}.")
    body = "\n\n".join(recalled.sources(step))
    session.shell.set_next_input(f"# {task.path}\n{body}", replace=False)
    here = _cells_here(session, step)
    if here is not None and here != recalled.sources(step):
        lines.append(f"The cells of `{step}` in this notebook are others than in that run.")
    note("\n".join(lines))


def the_store(session: Session, location: str | None = None) -> Store:
    """The store that is named, or the one that serves this notebook."""
    from nbflow.config import find_store

    path = notebook_path(session.shell.user_ns)
    return find_store(path.parent if path is not None else None, location)


def _cells_here(session: Session, step: str) -> list[str] | None:
    """The step's cells in the notebook's file, tags taken off; None where it is not known."""
    from nbcompile import read_notebook
    from nbcompile.notebook import NotebookError
    from nbcompile.tags import read_tags

    path = notebook_path(session.shell.user_ns)
    if path is None:
        return None
    try:
        cells = [read_tags(one) for one in read_notebook(path).cells if one.kind == "code"]
    except NotebookError:
        return None
    return [one.body.strip() for one in cells if one.step == step]


def _unfinished(run: Run, step: str) -> UserError:
    if not run[step].counts:
        return not_run(run, step)
    return user_error(
        "NBF407",
        f"`{step}` did not finish in {run.path}.",
        f"%nbflow load {run.path}/{step} gives what it had to work with.",
    )


def _show(recalled: Recalled, step: str) -> None:
    """Print and show what the step's tasks did."""
    from IPython.display import display

    tasks = list(recalled.run[step])
    for task in tasks[:_SHOWN]:
        for part in recalled.shown(task):
            if isinstance(part, str):
                print(part, end="")
            else:
                display(part, raw=True)  # type: ignore[no-untyped-call]
    if len(tasks) > _SHOWN:
        print(f"… and {len(tasks) - _SHOWN} more tasks")
