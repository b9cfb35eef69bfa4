"""Live: a run on a terminal, its steps drawn anew as they go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nbflow.cli.progress import StepProgress
from nbflow.cli.watch import Watcher
from nbflow.client.text import duration

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from nbflow.runtime.spec import FlowSpec
    from nbflow.store.records import RunRecord


class LiveWatcher(Watcher):
    """The steps as a table that is drawn anew; what happens scrolls by above it."""

    def __init__(self, announce: int | None = None) -> None:
        super().__init__(announce)
        self._live: Any = None

    def started(self, run: RunRecord, spec: FlowSpec) -> None:
        from rich.live import Live

        from nbflow.cli.screen import console

        self._live = Live(
            console=console(),
            get_renderable=self._drawn,
            refresh_per_second=8,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()
        super().started(run, spec)

    def finished(self, run: RunRecord) -> None:
        self.close()

    def close(self) -> None:
        """Draw a last time and leave the terminal as it was."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def line(self, text: str, style: str = "") -> None:
        from rich.text import Text

        if self._live is None:
            click.echo(text)
        else:
            self._live.console.print(Text(text, style))

    def _drawn(self) -> RenderableType:
        from nbflow.cli.screen import plain_table

        made = plain_table("step", "", "tasks", "took")
        # a copy: the driver's thread goes on while this one draws
        for step in list(self.progress.steps.values()):
            made.add_row(step.name, _state(step), _bar(step), duration(step.seconds()))
        return made


def _state(step: StepProgress) -> Text:
    from nbflow.cli.screen import status_text

    return status_text(step.status)


def _bar(step: StepProgress) -> RenderableType:
    from rich.columns import Columns
    from rich.progress_bar import ProgressBar
    from rich.text import Text

    if step.total < 2:
        return Text("")
    failed = step.counts["failed"]
    said = f"{step.done:,}/{step.total:,}" + (f"  {failed} failed" if failed else "")
    bar = ProgressBar(
        total=step.total,
        completed=step.done,
        width=20,
        complete_style="red" if failed else "green",
        finished_style="red" if failed else "green",
    )
    return Columns([bar, Text(said)])
