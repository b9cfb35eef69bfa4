"""Progress: how far each step of a run is, kept from what the driver tells."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from nbflow.store.records import TaskRecord

#: a task with one of these will not change any more
_ENDED = frozenset({"succeeded", "failed", "skipped", "cached", "cancelled", "lost"})


@dataclass(slots=True)
class StepProgress:
    """One step: how many tasks it has, how many have ended and how."""

    name: str
    expected: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    running: set[str] = field(default_factory=set)
    #: tasks that were started and cannot run yet, and why
    waiting: dict[str, str] = field(default_factory=dict)
    started: float | None = None
    finished: float | None = None

    @property
    def done(self) -> int:
        """Tasks that have ended."""
        return sum(self.counts.values())

    @property
    def total(self) -> int:
        """Tasks that are known to exist."""
        return max(self.expected, self.done + len(self.running) + len(self.waiting))

    @property
    def reason(self) -> str:
        """Why none of its tasks runs, where the engine has said so; the most common reason."""
        if self.running or not self.waiting:
            return ""
        return Counter(self.waiting.values()).most_common(1)[0][0]

    @property
    def complete(self) -> bool:
        """Whether every task that is known has ended."""
        return 0 < self.done == self.total

    @property
    def status(self) -> str:
        """One word for all its tasks."""
        if self.running or (0 < self.done < self.total):
            return "running"
        return overall(self.counts)

    def add(self, record: TaskRecord) -> None:
        """Take in a task as it now stands."""
        self.running.discard(record.key)
        self.waiting.pop(record.key, None)
        if record.status in _ENDED:
            self.counts[record.status] += 1
        elif record.status == "pending":
            self.waiting[record.key] = record.reason or ""
        else:
            self.running.add(record.key)
        if record.started is None or record.status == "cached":
            return  # the times of a cached one are those of the task that was run
        self.started = min(self.started or record.started, record.started)
        if record.finished is not None:
            self.finished = max(self.finished or 0.0, record.finished)

    def seconds(self) -> float | None:
        """From its first start to its last end, or to now."""
        if self.started is None:
            return None
        end = self.finished if self.complete and self.finished else time.time()
        return end - self.started


class RunProgress:
    """All steps of a run, in notebook order."""

    def __init__(self, steps: Iterable[str]) -> None:
        self.steps = {name: StepProgress(name) for name in steps}

    def expect(self, step: str, tasks: int) -> None:
        """So many more tasks of a step exist."""
        self.steps[step].expected += tasks

    def add(self, records: Iterable[TaskRecord]) -> list[StepProgress]:
        """Take in tasks; returns the steps that they were of. Splits do not count as tasks."""
        touched: dict[str, StepProgress] = {}
        for record in records:
            step = self.steps[record.step]
            if record.part == "main":
                step.add(record)
                touched[record.step] = step
            elif record.status == "skipped":
                step.counts["skipped"] += 1
                touched[record.step] = step
        return list(touched.values())


def overall(counts: dict[str, int]) -> str:
    """One word for the tasks of a step: the first of these that any of them has."""
    return next((status for status in _FIRST if status in counts), "pending")


_FIRST = ("failed", "lost", "running", "cancelled", "pending", "succeeded", "cached", "skipped")
