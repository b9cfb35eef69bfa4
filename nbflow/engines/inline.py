"""Inline: tasks run in the driver's own process, one after another: for a debugger."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nbflow.engines.base import (
    Batch,
    Job,
    UnderWay,
    Work,
    refuse,
    refuse_environments,
    refuse_images,
)
from nbflow.engines.machine_size import machine_size
from nbflow.runtime.relay import Relay
from nbflow.runtime.spec import read_key

if TYPE_CHECKING:
    from nbflow.runtime.task import TaskRunner
    from nbflow.store.records import TaskRecord

#: seconds for which short tasks are run before their records are handed on
_HAND_ON = 0.2


class InlineEngine:
    """The engine for pdb: no other process, no parallel tasks."""

    name = "inline"

    def __init__(self, address: str = "inline") -> None:
        self._waiting: deque[Batch] = deque()
        self._stopped: list[TaskRecord] = []
        self._runner: TaskRunner | None = None
        self._relay: Relay | None = None
        self._now: UnderWay | None = None
        self._number = 0

    def open(self, job: Job) -> None:
        """Refuse what one process can't do."""
        refuse_images(job, self.name)
        refuse_environments(job, self.name)
        size = machine_size()
        for name, there in size.items():
            steps = [s for s in job.spec.steps if s.resources.amounts().get(name, 0) > there]
            fix = f"Ask for at most {there:g}, or run on a larger machine."
            refuse(steps, self.name, name, f"this machine has {there:g}", fix)
        if not _can_time():
            steps = [step for step in job.spec.steps if step.timeout is not None]
            fix = "Run on the dask engine, which ends a task by ending its process."
            refuse(steps, self.name, "timeout", "it does not run in the main thread", fix)
        self._store = job.store

    def begin(self, run: int) -> None:
        """Read the run."""
        from nbflow.runtime.task import TaskRunner

        self._runner = TaskRunner(self._store, run, whole=False)
        path = self._runner.capture.live.path
        self._relay = Relay(self._store, run, lambda: path)
        self._relay.start()

    def submit(self, work: Work) -> None:
        """Take these tasks."""
        for key in work.keys:
            self._number += 1
            timeout = work.step.timeout
            batch = Batch(self._number, work.step.name, work.part, work.attempt, (key,), timeout)
            self._waiting.append(batch)

    def wait(self, seconds: float) -> list[TaskRecord]:
        """Run tasks for a moment."""
        records, self._stopped = self._stopped, []
        until = time.monotonic() + _HAND_ON
        assert self._runner is not None
        if not self._waiting and not records:
            time.sleep(min(seconds, 0.05))
        while self._waiting and time.monotonic() < until:
            batch = self._waiting.popleft()
            self._now = UnderWay(batch, time.time())
            try:
                with _limit(batch.timeout):
                    key = read_key(batch.keys[0])
                    records.append(self._runner.run(batch.step, key, batch.attempt, batch.part))
            finally:
                self._now = None
            if records and records[-1].status == "cancelled":
                break
        self._runner.flush()
        return records

    def under_way(self) -> list[UnderWay]:
        """The task at hand."""
        return [self._now] if self._now else []

    def interrupt(self) -> None:
        """End the task at hand, and start no other one."""
        if self._runner is not None:
            self._runner.interrupt()

    def stop(self, hard: bool) -> None:
        """Start no other task: the one at hand was ended by the interrupt."""
        from nbflow.engines.slot import cancelled_record

        self._stopped = [cancelled_record(batch, batch.keys[0]) for batch in self._waiting]
        self._waiting.clear()

    def close(self) -> None:
        """Store what is left, remove the live file."""
        if self._relay is not None:
            self._relay.stop()
        if self._runner is not None:
            self._runner.close()


def _can_time() -> bool:
    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()


@contextlib.contextmanager
def _limit(seconds: float | None) -> Iterator[None]:
    """Interrupt what runs inside with a `TimeoutError` after so long."""
    if seconds is None:
        yield
        return

    def late(*_: Any) -> None:
        raise TimeoutError(f"The task ran longer than its timeout of {seconds:g} seconds.")

    held = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, held)
