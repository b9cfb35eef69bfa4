"""Past: what a run's earlier driver has recorded: nothing of it is done or counted again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbflow.runtime.machine import Part
from nbflow.store.records import TaskRecord

if TYPE_CHECKING:
    from nbflow.store import Store

#: what stands as it is; all else (running, lost, cancelled) is still to be done
_SETTLED = frozenset({"succeeded", "failed", "skipped", "cached"})
_PARTS: tuple[Part, ...] = ("main", "items")


class Past:
    """The attempts of a run that have ended and were published; of a new run, none."""

    def __init__(self, store: Store | None = None, run: int = 0) -> None:
        self._last: dict[tuple[str, Part, str], TaskRecord] = {}
        self._failed: dict[tuple[str, Part, str, int], TaskRecord] = {}
        if store is None:
            return
        for part in _PARTS:
            for record in store.tasks(run, part=part):
                if record.status in _SETTLED:
                    self._last[record.step, part, record.key] = record
        for one in store.all_attempts(run):
            record = TaskRecord(one.step, one.key, "failed", one.part, one.attempt)
            self._failed[one.step, one.part, one.key, one.attempt] = record

    def ended(self, step: str, part: Part, key: str, attempt: int) -> TaskRecord | None:
        """How this attempt ended; None where nobody knows: it is to be made."""
        last = self._last.get((step, part, key))
        if last is not None and last.attempt == attempt:
            return last
        return self._failed.get((step, part, key, attempt))

    def settled(self, record: TaskRecord) -> bool:
        """Whether this is the task's last word, and not an attempt that another one followed."""
        return self._last.get((record.step, record.part, record.key)) is record
