"""Listener: what a run tells whoever watches it; every call comes from the driver's thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbcompile.diagnostics import Diagnostic
    from nbflow.runtime.spec import FlowSpec
    from nbflow.store.records import AttemptRecord, RunRecord, TaskRecord


class Listener:
    """Hears everything and does nothing: override what matters."""

    def diagnostics(self, diagnostics: Sequence[Diagnostic]) -> None:
        """What the compiler has to say of the notebook, before anything runs."""

    def started(self, run: RunRecord, spec: FlowSpec) -> None:
        """The run has its number and begins."""

    def expected(self, step: str, tasks: int) -> None:
        """So many more tasks of this step are known to exist."""

    def tasks(self, records: Sequence[TaskRecord]) -> None:
        """These were published: splits too, and tasks that run for long as `running`."""

    def attempts(self, records: Sequence[AttemptRecord]) -> None:
        """These attempts failed, and others follow."""

    def message(self, text: str) -> None:
        """Something worth a line."""

    def cancelling(self, hard: bool) -> None:
        """The run is being cancelled."""

    def finished(self, run: RunRecord) -> None:
        """The run is over."""
