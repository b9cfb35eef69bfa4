"""Forked: an engine that gives every task a fresh process, forked from one that has run nothing.

The hardest way to run a flow: whatever a step leaves in its process is gone. Quick, as nbflow
itself is imported once. The process that forks is made with the engine, so that nothing that
happens in its maker later, such as imports, is seen by a task.
"""

from __future__ import annotations

import os
import time
from collections import deque
from dataclasses import replace
from typing import NoReturn

from nbflow.engines.base import Batch, Job, Work
from nbflow.engines.host import receive, send
from nbflow.engines.slot import cancelled_record
from nbflow.engines.wire import pack_records, unpack_records
from nbflow.runtime.spec import read_key
from nbflow.runtime.task import TaskRunner
from nbflow.runtime.traceback import task_error
from nbflow.store import open_store
from nbflow.store.records import TaskRecord


class ForkedEngine:
    """One task at a time, each in a child of its own."""

    name = "forked"
    here = False

    def __init__(self) -> None:
        self._waiting: deque[Batch] = deque()
        self._number = 0
        theirs, asks = os.pipe()
        answers, ours = os.pipe()
        if os.fork() == 0:
            os.close(asks)
            os.close(answers)
            _serve(theirs, ours)
        os.close(theirs)
        os.close(ours)
        self._asks = os.fdopen(asks, "wb")
        self._answers = os.fdopen(answers, "rb")

    def open(self, job: Job) -> None:
        """Remember where the store is."""
        self._url = job.store.url

    def begin(self, run: int) -> None:
        """Remember the run."""
        self._run = run

    def submit(self, work: Work) -> None:
        """Take these tasks."""
        for key in work.keys:
            self._number += 1
            one = Batch(self._number, work.step.name, work.part, work.attempt, (key,))
            self._waiting.append(one)

    def wait(self, seconds: float) -> list[TaskRecord]:
        """Run one task."""
        if not self._waiting:
            time.sleep(min(seconds, 0.05))
            return []
        batch = self._waiting.popleft()
        send(self._asks, (self._url, self._run, batch))
        answer = receive(self._answers)
        if isinstance(answer, int):
            why = f"The task's process ended with status {answer}."
            error = task_error(batch.step, batch.keys[0], "ProcessDied", why)
            return [replace(cancelled_record(batch, batch.keys[0]), status="failed", error=error)]
        return unpack_records([answer])

    def under_way(self) -> list[tuple[Batch, float]]:
        """Nothing, whenever somebody can ask."""
        return []

    def stop(self, hard: bool) -> None:
        """Drop what waits."""
        self._waiting.clear()

    def close(self) -> None:
        """End the process that forks."""
        self._asks.close()
        self._answers.close()


def _serve(asks: int, answers: int) -> NoReturn:
    """Run each task asked for in a child; answer with its record, or the status it died with."""
    try:
        with os.fdopen(asks, "rb") as requests, os.fdopen(answers, "wb") as replies:
            while True:
                request = receive(requests)
                read, write = os.pipe()
                child = os.fork()
                if child == 0:
                    os.close(read)
                    _task(write, *request)
                os.close(write)
                with os.fdopen(read, "rb") as file:
                    data = file.read()
                _, status = os.waitpid(child, 0)
                send(replies, data or status)
    finally:  # an EOFError: the engine is closed
        os._exit(0)


def _task(answer: int, url: str, run: int, batch: Batch) -> NoReturn:
    """In the child: run the task, send its record, end."""
    status = 1
    try:
        os.environ["MPLBACKEND"] = "agg"
        runner = TaskRunner(open_store(url), run, whole=True)
        record = runner.run(batch.step, read_key(batch.keys[0]), batch.attempt, batch.part)
        try:
            runner.flush()
        except Exception as error:
            record = runner.unstored(record, error)
        with os.fdopen(answer, "wb") as file:
            file.write(pack_records([record]))
        status = 0
    finally:
        os._exit(status)
