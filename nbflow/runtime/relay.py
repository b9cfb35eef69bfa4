"""Relay: what running tasks print, told to a store that other machines read it from.

Where the store is a folder, its readers see the live files themselves.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from nbflow.runtime.live import Note, output_since, read_note
from nbflow.store.records import LiveTask

if TYPE_CHECKING:
    from nbflow.store import Store

#: seconds between two looks; a task that is over sooner is not told of
_PAUSE = 1.0
#: seconds after which a task that prints nothing is told to run still
_SILENT = 15.0
#: bytes that are told at once, and of one attempt: all of its log is stored when it has ended
_CHUNK = 1 << 20
_MOST = 16 << 20


class Relay:
    """A thread that tells the store, about once a second, what the task at hand has printed."""

    def __init__(self, store: Store, run: int, live: Callable[[], Path | None]) -> None:
        self._store = store
        self._run = run
        #: the live file of the process that runs the tasks
        self._live = live
        self._worker = ""
        self._note: Note | None = None
        self._sent = 0
        self._told = 0.0
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, where the store is one that other machines read."""
        if self._store.folder is None:
            self._over = over = threading.Event()
            self._thread = threading.Thread(target=self._go_on, args=(over,), daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Tell nothing more, until it is started again."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(2.0)

    def _go_on(self, over: threading.Event) -> None:
        while not over.wait(_PAUSE):
            with suppress(Exception):  # the store is away: the next look tries again
                while self._look() and not over.is_set():
                    pass

    def _look(self) -> bool:
        """Tell what is new; returns whether there may be more."""
        path = self._live()
        note = None if path is None else read_note(path.with_suffix(".now"))
        if path is None or note is None or time.time() - note.started < _PAUSE:
            return False
        if note != self._note:
            self._note, self._sent, self._told = note, 0, 0.0
        data = output_since(path, note.offset + self._sent)[: min(_CHUNK, _MOST - self._sent)]
        if read_note(path.with_suffix(".now")) != note:
            return False  # what was read may be the next task's
        if not data and time.monotonic() - self._told < _SILENT and self._told:
            return False
        step, part, key, attempt = note.task.split("\t")
        task = LiveTask(step, part, key, int(attempt), path.stem, note.started)  # type: ignore[arg-type]
        self._store.live_write(self._run, task, self._sent, data)
        self._sent += len(data)
        self._told = time.monotonic()
        return len(data) == _CHUNK
