"""Host: a child process that does nothing but run tasks, so that any of them may be killed.

Started as `python -m nbflow.engines.host`. Requests come in on its standard input, records go out
on its standard output; what tasks print goes to the live file. It ends when its parent does.
"""

from __future__ import annotations

import faulthandler
import os
import pickle
import queue
import signal
import struct
import sys
import threading
import time
from typing import Any, BinaryIO

from nbflow.engines.wire import pack_records

_LENGTH = struct.Struct("<Q")
#: seconds of finished tasks that a crash may lose: they run again
_FLUSH = 0.05
#: seconds without work after which a host ends
IDLE = 120.0


def send(file: BinaryIO, message: Any) -> None:
    """Write one message."""
    data = pickle.dumps(message, protocol=5)
    view = memoryview(_LENGTH.pack(len(data)) + data)
    while view:
        view = view[file.write(view) :]
    file.flush()


def receive(file: BinaryIO) -> Any:
    """Read one message; EOFError where the other side has gone."""
    (length,) = _LENGTH.unpack(_exactly(file, _LENGTH.size))
    return pickle.loads(_exactly(file, length))


def _exactly(file: BinaryIO, length: int) -> bytes:
    parts: list[bytes] = []
    while length > 0:
        part = file.read(length)
        if not part:
            raise EOFError
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def main() -> None:
    """Run batches until there are no more."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    waiting: queue.Queue[Any] = queue.Queue()
    threading.Thread(target=_listen, args=(requests, waiting), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):  # a worker keeps interrupts from its children
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    url, run, name = waiting.get()
    try:
        host = _Host(url, run, name, replies)
    except Exception as error:
        send(replies, error)
        return
    faulthandler.enable()
    send(replies, "ready")
    while True:
        try:
            batch = waiting.get(timeout=IDLE)
        except queue.Empty:
            break
        host.batch(*batch)
    host.close()


def _listen(requests: BinaryIO, waiting: queue.Queue[Any]) -> None:
    """Hear that the parent has gone, even in the middle of a task: then end, children and all."""
    try:
        while True:
            waiting.put(receive(requests))
    except (EOFError, OSError):
        if os.getpgid(0) == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(1)


class _Host:
    def __init__(self, url: str, run: int, name: str, replies: BinaryIO) -> None:
        from nbflow.runtime.task import TaskRunner
        from nbflow.store import open_store
        from nbflow.store.database import OUTAGE

        self._store = open_store(url, wait=OUTAGE)
        self._runner = TaskRunner(self._store, run, whole=True, name=name)
        self._replies = replies
        self._records: list[Any] = []
        self._tainted: str | None = None

    def batch(self, step: str, part: Any, attempt: int, keys: tuple[str, ...]) -> None:
        """Run these tasks, sending their records as they end; stop where the process must end."""
        from nbflow.runtime.spec import read_key

        taints = self._runner.spec.step(step).taints
        if self._tainted not in (None, step):
            send(self._replies, "tainted")
            return
        sent = time.monotonic()
        for key in keys:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            try:
                record = self._runner.run(step, read_key(key), attempt, part)
            finally:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
            self._records.append(record)
            if time.monotonic() - sent > _FLUSH:
                self._flush()
                sent = time.monotonic()
            if record.status == "cancelled":
                break
        if taints and part == "main":
            self._tainted = step
        self._flush()
        send(self._replies, "done")

    def close(self) -> None:
        self._runner.close()
        self._store.close()

    def _flush(self) -> None:
        if self._records:
            records, self._records = self._records, []
            try:
                self._runner.flush()
            except Exception as error:  # a full disk: nothing of these tasks is there
                records = [self._runner.unstored(record, error) for record in records]
            keys = tuple(record.key for record in records)
            send(self._replies, (keys, pack_records(records)))


if __name__ == "__main__":
    sys.modules["nbflow.engines.host"] = sys.modules["__main__"]
    main()
