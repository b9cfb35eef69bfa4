"""Watch: what is said of a run as it goes, in plain lines where there is no terminal."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from nbflow.cli.progress import RunProgress, StepProgress
from nbflow.cli.say import place, say_diagnostics
from nbflow.client.text import duration, plural
from nbflow.runtime.listener import Listener

if TYPE_CHECKING:
    from nbcompile.diagnostics import Diagnostic
    from nbflow.runtime.spec import FlowSpec
    from nbflow.store.records import AttemptRecord, RunRecord, TaskRecord

    Announce = Callable[[RunRecord], None]

#: seconds between two plain lines about a step that goes on
_EVERY = 10.0

#: what every task on a cluster waits for, for a moment
_USUAL = ("starting",)

#: failures of one step that are told one by one
_TOLD = 5


def watcher(*, silent: bool, announce: Announce | None = None) -> Watcher:
    """The listener that suits where the output goes; ``announce`` is told of the run at once."""
    if silent:
        return Watcher(announce)
    if not sys.stdout.isatty():
        return PlainWatcher(announce)
    from nbflow.cli.live import LiveWatcher

    return LiveWatcher(announce)


class Watcher(Listener):
    """Keeps the progress and tells failures at once, by lines; it shows none itself."""

    def __init__(self, announce: Announce | None = None) -> None:
        self.progress = RunProgress(())
        self._announce = announce

    def diagnostics(self, diagnostics: Sequence[Diagnostic]) -> None:
        # on stderr, also where a JSON object is all that stdout has
        say_diagnostics(one for one in diagnostics if one.severity == "warning")

    def started(self, run: RunRecord, spec: FlowSpec) -> None:
        if self._announce is not None:
            self._announce(run)
        self.progress = RunProgress(step.name for step in spec.steps)
        engine = f" on {run.engine}" if run.engine else ""
        self.line(f"{run.path}: {plural(len(spec.steps), 'step')}{engine}", "bold")

    def expected(self, step: str, tasks: int) -> None:
        self.progress.expect(step, tasks)

    def tasks(self, records: Sequence[TaskRecord]) -> None:
        for record in records:
            if record.status == "failed" and record.part == "main":
                self._failed(record)
        for step in self.progress.add(records):
            self.moved(step)

    def attempts(self, records: Sequence[AttemptRecord]) -> None:
        for record in records:
            task = f"{record.step}/{record.key}" if record.key else record.step
            said = _said(record.error)
            self.line(f"{task} failed in attempt {record.attempt}, trying again{said}", "yellow")

    def message(self, text: str) -> None:
        self.line(text, "yellow")

    def cancelling(self, hard: bool) -> None:
        said = "Ending what is running." if hard else "Cancelling. Ctrl-C again ends it at once."
        self.line(said, "yellow")

    def moved(self, step: StepProgress) -> None:
        """A step has come further."""

    def line(self, text: str, style: str = "") -> None:
        """Say a line."""

    def close(self) -> None:
        """Leave the terminal as it was."""

    def _failed(self, record: TaskRecord) -> None:
        known = self.progress.steps[record.step].counts["failed"]
        task = f"{record.step}/{record.key}" if record.key else record.step
        if known < _TOLD:
            self.line(f"{task} failed{_said(record.error)}", "bold red")
        elif known == _TOLD:
            self.line(f"more tasks of {record.step} failed", "bold red")


class PlainWatcher(Watcher):
    """A line for each step that ends, and now and then one for a step that takes long."""

    def __init__(self, announce: Announce | None = None) -> None:
        super().__init__(announce)
        self._told: dict[str, float] = {}
        self._reasons: set[tuple[str, str]] = set()

    def moved(self, step: StepProgress) -> None:
        reason = (step.name, step.reason)
        if step.reason and step.reason not in _USUAL and reason not in self._reasons:
            self._reasons.add(reason)
            self.line(f"{step.name}: {step.reason}")
        if step.complete:
            many = step.total > 1
            counts = ", ".join(f"{n:,} {s}" for s, n in step.counts.items()) if many else ""
            took = None if step.status == "skipped" else step.seconds()
            said = "" if took is None else f" in {duration(took)}"
            self.line(f"{step.name}: {counts or step.status}{said}")
        elif step.total > 1 and self._due(step):
            self.line(f"{step.name}: {step.done:,} of {step.total:,} tasks")

    def _due(self, step: StepProgress) -> bool:
        """Whether it is a while ago that anything was said of the step."""
        due = time.monotonic() - self._told.setdefault(step.name, time.monotonic()) > _EVERY
        if due:
            self._told[step.name] = time.monotonic()
        return due

    def line(self, text: str, style: str = "") -> None:
        try:
            click.echo(text)
            sys.stdout.flush()
        except BrokenPipeError:
            # whoever read the lines (`| head`) has seen enough; the run goes on
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _said(error: dict[str, Any] | None) -> str:
    if error is None:
        return ""
    where = place(error.get("cell"), error.get("line"))
    said = f"{error.get('type')}: {error.get('message')}".rstrip(": ").splitlines()
    return f"{f' in {where}' if where else ''}: {said[0] if said else ''}"
