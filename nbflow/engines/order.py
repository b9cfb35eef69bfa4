"""Order: a chunk of tasks run in a container: what `nbflow step STEP --order NAME` does.

Each attempt is posted to the store as it ends; the run's driver takes it from there. What the
tasks print is copied to the container's own output.
"""

from __future__ import annotations

import dataclasses
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from nbflow.engines.base import Batch
from nbflow.engines.slot import Slot
from nbflow.engines.wire import unpack_records
from nbflow.errors import user_error
from nbflow.store.records import FINAL

if TYPE_CHECKING:
    from nbflow.store import Store
    from nbflow.store.records import TaskRecord

#: why a task says that it was cancelled when the one who ended it was not the run's driver
TAKEN = "its container was ended"
#: seconds for which a store that is away is asked again: the task's work is not thrown away
_PATIENCE = 600.0
_PAUSE = 0.3


def order_of(
    step: str, part: str, attempt: int, chunks: Sequence[Sequence[str]], timeout: float | None
) -> dict[str, Any]:
    """An order as the store keeps it."""
    kept = [list(keys) for keys in chunks]
    return {"step": step, "part": part, "attempt": attempt, "chunks": kept, "timeout": timeout}


def chunk_of(order: Mapping[str, Any], index: int) -> Batch:
    """One chunk of an order; a `UserError` where there is none of this number."""
    chunks = order["chunks"]
    if not 0 <= index < len(chunks):
        raise user_error(
            "NBF407",
            f"The order has no chunk {index}: it has {len(chunks)}.",
            "`--index` counts from 0; only engines need it.",
        )
    return Batch(
        index,
        order["step"],
        order["part"],
        order["attempt"],
        tuple(chunks[index]),
        order["timeout"],
    )


def run_order(store: Store, run: int, name: str, index: int) -> None:
    """Run the tasks of a chunk one after another, and post how each ended."""
    record = store.run(run)
    if record.cancel is not None or (record.status in FINAL and record.status != "lost"):
        return  # nobody waits for it any more
    batch = chunk_of(store.order(run, name), index)
    slot = Slot(store, run)
    # a second pod of the Job, made when the first was taken away, has a word of its own
    token = f"{name}/{index} {secrets.token_hex(4)}"
    with _asked_to_end(slot) as asked, _Copier(slot) as copier:
        try:
            for pack in slot.run(batch):
                records = unpack_records([pack])
                if asked.is_set():
                    records = [_taken(one) for one in records]
                _insist(lambda kept=records: store.post(run, token, kept))  # type: ignore[misc]
                copier.look()
        finally:
            slot.close()


def _taken(record: TaskRecord) -> TaskRecord:
    """Whether a task was cancelled, or only its container taken away, the driver knows."""
    return dataclasses.replace(record, reason=TAKEN) if record.status == "cancelled" else record


@contextmanager
def _asked_to_end(slot: Slot) -> Iterator[threading.Event]:
    """Take SIGTERM as the request that it is: the task at hand is ended, and said to be."""
    asked = threading.Event()

    def end(*_: Any) -> None:
        asked.set()
        # in another thread: the one that was interrupted may hold the slot's lock
        threading.Thread(target=slot.stop, args=(False,), daemon=True).start()

    held = signal.signal(signal.SIGTERM, end)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGTERM, held)


class _Copier:
    """Copies what the tasks print to this process's own output, for whoever reads that."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._path: Path | None = None
        self._file: BinaryIO | None = None
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True, name="nbflow-copy")

    def __enter__(self) -> _Copier:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(5.0)
        self.look()
        if self._file is not None:
            self._file.close()

    def look(self) -> None:
        """Copy what is new."""
        with self._lock, suppress(OSError, ValueError):
            path = self._slot.live
            if path is not None and path != self._path:
                file = open(path, "rb")  # noqa: SIM115
                self._drain()
                if self._file is not None:
                    self._file.close()
                self._path, self._file = path, file
            self._drain()

    def _go_on(self) -> None:
        while not self._over.wait(_PAUSE):
            self.look()

    def _drain(self) -> None:
        if self._file is None:
            return
        if os.fstat(self._file.fileno()).st_size < self._file.tell():
            self._file.seek(0)  # it was begun anew
        data = self._file.read()
        if data:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()


def _insist(call: Callable[[], None]) -> None:
    """Call until it succeeds: a store that restarts is no reason to lose what was computed."""
    until, pause = time.monotonic() + _PATIENCE, 0.2
    while True:
        try:
            call()
            return
        except Exception:
            if time.monotonic() > until:
                raise
            time.sleep(pause)
            pause = min(2 * pause, 10.0)
