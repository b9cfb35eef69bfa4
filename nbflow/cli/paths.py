"""Paths: `churn/42/train/3/score`, and what each part of one names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from nbflow.errors import UserError, user_error

if TYPE_CHECKING:
    from nbflow.client.artifact import Artifact
    from nbflow.client.run import Run
    from nbflow.client.step import StepView
    from nbflow.client.task import Task
    from nbflow.store import Store

_KEY = re.compile(r"\d+(\.\d+)*")


@dataclass(frozen=True, slots=True)
class Found:
    """What a path names: the run, and as much of step, task and artifact as it says."""

    run: Run
    step: StepView | None = None
    task: Task | None = None
    artifact: Artifact | None = None
    #: a name that every task of a fan-out has: `churn/42/train/score`
    of_all: str | None = None

    def value(self) -> Any:
        """The value of the artifact, or the list of all."""
        if self.artifact is not None:
            return self.artifact.value()
        assert self.step is not None
        return getattr(self.step, self.of_all or "")


def find(path: str, store: Store) -> Found:
    """What the path names; a `UserError` where it names nothing."""
    from nbflow.client.run import Run

    parts = [part for part in path.strip("/").split("/") if part]
    if len(parts) > 5 or not parts:
        raise user_error(
            "NBF407", f"{path!r} is not a path.", "A path is FLOW[/RUN][/STEP[/TASK]][/NAME]."
        )
    known_flow(parts[0], store)
    if len(parts) > 1 and not parts[1].isdecimal() and parts[1] != "latest":
        parts.insert(1, "latest")  # `churn/train` is the step of the newest run
    run = Run("/".join(parts[:2]), store)
    if len(parts) < 3:
        return Found(run)
    names = [step.name for step in run.spec.steps]
    if parts[2] not in names:
        raise _missing(f"{run.path} has no step", parts[2], names)
    step = run[parts[2]]
    rest = parts[3:]
    if not rest:
        return Found(run, step, None if step.fans_out else _only(step))
    if _KEY.fullmatch(rest[0]) and step.fans_out:
        task = _task(step, rest.pop(0))
    elif not step.fans_out:
        task = _only(step) or _none(step)
    else:
        return Found(run, step, of_all=_of_all(step, rest[0]))
    if not rest:
        return Found(run, step, task)
    artifacts = task.artifacts
    if len(rest) > 1 or rest[0] not in artifacts:
        raise _missing(f"{task.path} has no artifact", "/".join(rest), artifacts)
    return Found(run, step, task, artifacts[rest[0]])


def known_flow(name: str, store: Store) -> None:
    """Refuse a flow that the store has no runs of."""
    flows = store.flows()
    if name not in flows:
        raise _missing("There are no runs of a flow", name, flows, "`nbflow runs` lists all runs.")


def _only(step: StepView) -> Task | None:
    return step[0] if len(step) else None


def _none(step: StepView) -> Task:
    raise user_error(
        "NBF407",
        f"The step {step.path} has not run.",
        f"`nbflow show {step.run.path}` shows how far the run came.",
    )


def _task(step: StepView, key: str) -> Task:
    try:
        return step.task(key)
    except KeyError as error:
        raise user_error(
            "NBF407", f"{error.args[0]}.", f"`nbflow show {step.path}` lists them."
        ) from None


def _of_all(step: StepView, name: str) -> str:
    names = {n for task in step for n in (*task.artifacts, *step.spec.targets)}
    if name not in names:
        raise _missing(f"No task of {step.path} has an artifact", name, names)
    return name


def _missing(said: str, name: str, known: Iterable[str], otherwise: str = "") -> UserError:
    known = sorted(known)
    close = get_close_matches(name, known, 1)
    listed = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    fix = f"Did you mean {close[0]!r}?" if close else f"It has {listed}." if known else None
    if otherwise and not close:
        fix = otherwise
    return user_error("NBF407", f"{said} {name!r}.", fix)
