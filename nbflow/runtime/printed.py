"""Printed: what running tasks have printed so far, on this machine or on another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nbflow.runtime.live import live_folder, notes, output_since
from nbflow.store.records import LiveTask, Part

if TYPE_CHECKING:
    from nbflow.store import Store


@dataclass(frozen=True, slots=True)
class Running:
    """An attempt that a process is busy with, and its output: in a file here, or in rows."""

    store: Store
    run: int
    task: LiveTask
    #: the live file and where the output begins in it; None where another machine has it
    file: tuple[Path, int] | None = None

    def size(self) -> int:
        """Bytes that it has printed; 0 where it has ended meanwhile."""
        if self.file is None:
            return self.store.live_size(self.run, self.task)
        path, offset = self.file
        try:
            return max(0, os.stat(path).st_size - offset)
        except OSError:
            return 0

    def read(self, since: int = 0) -> bytes:
        """What it has printed from byte ``since`` on."""
        if self.file is None:
            return self.store.live_read(self.run, self.task, since)
        path, offset = self.file
        return output_since(path, offset + since)


def running_tasks(store: Store, run: int) -> Iterator[Running]:
    """The attempts that are under way; those on this machine first."""
    here = set()
    for path, note in notes(live_folder(store.root, run)):
        step, part, key, attempt = note.task.split("\t")
        task = LiveTask(step, part, key, int(attempt), path.stem, note.started)  # type: ignore[arg-type]
        here.add((step, part, key, task.attempt))
        yield Running(store, run, task, (path, note.offset))
    if store.folder is None:
        for task in store.live_tasks(run):
            if (task.step, task.part, task.key, task.attempt) not in here:
                yield Running(store, run, task)


def running_task(
    store: Store, run: int, step: str, key: str, part: Part = "main"
) -> Running | None:
    """The newest attempt of a task that is under way; None where none is known to be."""
    found = [
        one
        for one in running_tasks(store, run)
        if (one.task.step, one.task.part, one.task.key) == (step, part, key)
    ]
    return max(found, key=lambda one: one.task.attempt, default=None)
