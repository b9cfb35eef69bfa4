"""`nbflow logs`: what a task printed, exactly; with `-f` while it prints."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TextIO

import click

from nbflow.cli.options import store_at, store_option, verb
from nbflow.cli.say import note

if TYPE_CHECKING:
    from nbflow.cli.paths import Found
    from nbflow.client.task import Task
    from nbflow.store import Store

#: seconds between two looks at what is being followed
_PAUSE = 0.3


@verb("logs")
@click.argument("path")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run has ended.")
@store_option
def command(path: str, follow: bool, location: str | None) -> None:
    """Print what a task printed.

    PATH is FLOW/RUN/STEP or FLOW/RUN/STEP/TASK; FLOW/RUN prints all tasks. Where there are several
    tasks, a line with its path stands before what each has printed. What a task wrote to standard
    error, and what its child processes wrote, goes to standard error here too.
    """
    store = store_at(location)
    printer = Printer()
    found = _find(path, store, follow)
    printer.print(_tasks(found))
    if follow:
        _follow(path, store, printer)
    elif not printer.written:
        note(f"{path} has printed nothing.")


class Printer:
    """Writes what is new of each task, with a header where the task changes."""

    def __init__(self) -> None:
        self.written: dict[str, int] = {}
        self._last = ""
        self._ended = True

    def print(self, tasks: list[Task]) -> None:
        """Write what these tasks have printed since the last time."""
        for task in tasks:
            at = self.written.get(task.path, 0)
            new = task.printed(at)
            if not new:
                continue
            if len(tasks) > 1 and task.path != self._last:
                # a header stands on a line of its own
                _write(f"{'' if self._ended else chr(10)}== {task.path}\n".encode())
            for part, aside in split_aside(new, at, task.aside):
                _write(part, sys.stderr if aside else sys.stdout)
            self.written[task.path] = at + len(new)
            self._last, self._ended = task.path, new.endswith(b"\n")


def split_aside(data: bytes, at: int, ranges: list[tuple[int, int]]) -> list[tuple[bytes, bool]]:
    """Cut what was printed from position ``at`` on into parts, each with whether it is aside."""
    parts = []
    done = 0
    for start, end in ranges:
        first, last = max(start - at, done), min(end - at, len(data))
        if first < last:
            parts += [(data[done:first], False), (data[first:last], True)]
            done = last
    parts.append((data[done:], False))
    return [(part, aside) for part, aside in parts if part]


def _write(data: bytes, stream: TextIO | None = None) -> None:
    # byte for byte, but for a notebook's output, which takes text only
    stream = stream or sys.stdout
    out = getattr(stream, "buffer", None)
    if out is None:
        stream.write(data.decode("utf-8", "replace"))
    else:
        out.write(data)
    stream.flush()


def _find(path: str, store: Store, patient: bool) -> Found:
    """What the path names; a patient caller waits for a task that is still to come."""
    from nbflow.cli.paths import find
    from nbflow.errors import UserError
    from nbflow.store.records import FINAL

    over = not patient or path.count("/") != 3
    while True:
        try:
            return find(path, store)
        except UserError:
            if over:
                raise
        over = find(path.rpartition("/")[0], store).run.status in FINAL
        if not over:
            time.sleep(_PAUSE)


def _follow(path: str, store: Store, printer: Printer) -> None:
    from nbflow.cli.paths import find
    from nbflow.store.records import FINAL

    while True:
        found = find(path, store)
        over = found.run.status in FINAL or (found.task is not None and found.task.status in FINAL)
        printer.print(_tasks(found))
        if over:
            return
        time.sleep(_PAUSE)


def _tasks(found: Found) -> list[Task]:
    if found.task is not None:
        return [found.task]
    if found.step is not None:
        return list(found.step)
    return [task for step in found.run.steps.values() for task in step]
