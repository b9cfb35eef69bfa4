"""Guided: how many tasks go into the next batch.

Short tasks are to cost little, and all workers to end together: a batch starts small, grows towards
a quarter of a second of work, and shrinks when little is left.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from nbflow.engines.base import Batch, Work
from nbflow.runtime.machine import Part

#: seconds of work in a batch
AIM = 0.25
LARGEST = 1000
#: how much larger than any before a batch may be
_GROWTH = 8
#: tasks that take longer than this are not sent ahead of time
SHORT = 0.5


class Waiting(NamedTuple):
    """Tasks of one kind that are ready."""

    work: Work
    number: int
    #: seconds that each is known to take; None while nothing is known
    seconds: float | None


@dataclass(slots=True)
class _Queue:
    """Ready tasks of one step, alike in all that matters to a batch."""

    work: Work
    keys: deque[str] = field(default_factory=deque)


class Guided:
    """Ready tasks in order, and what is known of how long those of each step take.

    A batch is to be worth ``aim`` seconds; with ``fixed`` it has so many tasks.
    """

    def __init__(self, aim: float = AIM, fixed: int | None = None) -> None:
        self._aim = aim
        self._fixed = fixed
        self._queues: dict[tuple[str, Part, int], _Queue] = {}
        self._seconds: dict[tuple[str, Part], float] = {}
        self._largest: dict[tuple[str, Part], int] = {}
        self._number = 0

    def __bool__(self) -> bool:
        return bool(self._queues)

    def add(self, work: Work) -> None:
        """More ready tasks."""
        at = (work.step.name, work.part, work.attempt)
        self._queues.setdefault(at, _Queue(work)).keys.extend(work.keys)

    def heads(self) -> list[Work]:
        """One for each kind of task that is ready, the longest waiting first."""
        return [queue.work for queue in self._queues.values()]

    def left(self, work: Work) -> int:
        """How many tasks of this kind are ready."""
        queue = self._queues.get((work.step.name, work.part, work.attempt))
        return len(queue.keys) if queue else 0

    def waiting(self) -> list[Waiting]:
        """How much is ready of each kind, and how long it is known to take."""
        return [
            Waiting(queue.work, len(queue.keys), self._seconds.get((step, part)))
            for (step, part, _), queue in self._queues.items()
        ]

    def drop(self, work: Work) -> tuple[str, ...]:
        """All that is ready of this kind, taken away."""
        return tuple(self._queues.pop((work.step.name, work.part, work.attempt)).keys)

    def short(self, work: Work) -> bool:
        """Whether these tasks are known to be short: the next batch may wait at the worker."""
        seconds = self._seconds.get((work.step.name, work.part))
        return seconds is not None and seconds < SHORT

    def take(
        self, work: Work, slots: int, devices: tuple[str, ...] | None = None, most: int = LARGEST
    ) -> Batch:
        """The next batch of this kind."""
        at = (work.step.name, work.part, work.attempt)
        queue = self._queues[at]
        size = min(self._size(work, len(queue.keys), slots), most)
        keys = tuple(queue.keys.popleft() for _ in range(size))
        if not queue.keys:
            del self._queues[at]
        kind = (work.step.name, work.part)
        self._largest[kind] = max(size, self._largest.get(kind, 1))
        self._number += 1
        return Batch(
            self._number,
            work.step.name,
            work.part,
            work.attempt,
            keys,
            work.step.timeout,
            devices,
        )

    def learn(self, batch: Batch, seconds: float) -> None:
        """A batch of so many tasks took so long."""
        kind = (batch.step, batch.part)
        each = seconds / max(1, len(batch.keys))
        known = self._seconds.get(kind)
        self._seconds[kind] = each if known is None else 0.5 * known + 0.5 * each

    def drain(self) -> list[tuple[Work, str]]:
        """Everything that has not been taken, taken away."""
        left = [(queue.work, key) for queue in self._queues.values() for key in queue.keys]
        self._queues.clear()
        return left

    def _size(self, work: Work, left: int, slots: int) -> int:
        if self._fixed is not None:
            return min(self._fixed, left)
        kind = (work.step.name, work.part)
        seconds = self._seconds.get(kind)
        if seconds is None:
            return 1
        wanted = int(self._aim / max(seconds, 1e-6))
        grown = _GROWTH * self._largest.get(kind, 1)
        share = math.ceil(left / (2 * max(1, slots)))
        return max(1, min(wanted, grown, share, LARGEST, left))
