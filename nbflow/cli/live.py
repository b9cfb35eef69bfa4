"""Live: a run on a terminal, its steps drawn anew as they go."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from nbflow.cli.progress import StepProgress
from nbflow.cli.watch import PlainWatcher
from nbflow.client.text import duration

if TYPE_CHECKING:
    from rich.console import RenderableType

    from nbflow.cli.watch import Announce
    from nbflow.runtime.spec import FlowSpec
    from nbflow.store.records import RunRecord


class LiveWatcher(PlainWatcher):
    """The steps as a table that is drawn anew; what happens scrolls by above it.

    Tasks of this process have the terminal to themselves, for a debugger: there are plain lines.
    """

    def __init__(self, announce: Announce | None = None) -> None:
        super().__init__(announce)
        self._live: Any = None
        self._drawing = True
        self._engine = ""
        self._cancelling = False
        self._began = time.monotonic()

    def started(self, run: RunRecord, spec: FlowSpec) -> None:
        from rich.live import Live

        from nbflow.cli.screen import console

        self._drawing = run.engine != "inline"
        if not self._drawing:
            super().started(run, spec)
            return
        self._live = Live(
            console=console(),
            get_renderable=self._drawn,
            refresh_per_second=8,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._engine = run.engine
        self._live.start()
        super().started(run, spec)

    def cancelling(self, hard: bool) -> None:
        self._cancelling = True
        super().cancelling(hard)

    def moved(self, step: StepProgress) -> None:
        if not self._drawing:
            super().moved(step)

    def finished(self, run: RunRecord) -> None:
        self.close()

    def close(self) -> None:
        """Draw a last time and leave the terminal as it was."""
        if self._live is not None:
            live, self._live = self._live, None
            live.stop()

    def line(self, text: str, style: str = "") -> None:
        from rich.text import Text

        if self._live is None:
            click.echo(text)
        else:
            self._live.console.print(Text(text, style))

    def _drawn(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        from nbflow.cli.screen import plain_table, status_text

        made = plain_table("step", "", "", "tasks", "took")
        reasons: list[str] = []
        # a copy: the driver's thread goes on while this one draws
        for step in list(self.progress.steps.values()):
            made.add_row(step.name, status_text(step.status), _bar(step), _tasks(step), _took(step))
            if step.reason:
                reasons.append(f"{step.name}: {step.reason}")
        if self._live is None:
            return made
        return Group(made, *(Text(one, "yellow") for one in reasons), Text(self._foot(), "dim"))

    def _foot(self) -> str:
        begun = any(step.done or step.running for step in self.progress.steps.values())
        doing = "Ctrl-C cancels" if begun else f"starting {self._engine} …"
        if self._cancelling:
            doing = "cancelling …"
        return f"{duration(time.monotonic() - self._began)}  {doing}"


def _bar(step: StepProgress) -> RenderableType:
    from rich.progress_bar import ProgressBar

    if step.total < 2:
        return ""
    style = "red" if step.counts["failed"] else "green"
    return ProgressBar(step.total, step.done, width=20, complete_style=style, finished_style=style)


def _tasks(step: StepProgress) -> str:
    """`12/30`, with what is not as it should be."""
    if step.total < 2:
        return ""
    others = [f"{n:,} {status}" for status, n in step.counts.items() if status != "succeeded"]
    return ", ".join([f"{step.done:,}/{step.total:,}", *others])


def _took(step: StepProgress) -> str:
    return duration(step.seconds())
