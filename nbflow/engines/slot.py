"""Slot: one host process at a time, kept at work, watched, killed and replaced."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from nbflow.engines.base import Batch
from nbflow.engines.host import receive, send
from nbflow.engines.memory import MemoryUse, memory_use, out_of_memory
from nbflow.engines.wire import pack_records
from nbflow.environments.build import host_command
from nbflow.environments.locks import Lock, locks_from_json
from nbflow.runtime.live import Note, live_folder, output_since, read_note, task_name
from nbflow.runtime.relay import Relay
from nbflow.runtime.traceback import task_error
from nbflow.store.records import TaskRecord

if TYPE_CHECKING:
    from nbflow.store import Store

#: seconds that a task has to end after it was asked to
GRACE = 5.0
_TICK = 0.25


class Slot:
    """Runs batches of one run, each task of them in a child process."""

    def __init__(self, store: Store, run: int) -> None:
        self._store = store
        self._run = run
        self._host: _Child | None = None
        #: the environments of steps, by step; read when first asked for
        self._locks: dict[str, Lock] | None = None
        self._stop: float | None = None
        self._lock = threading.Lock()
        self._relay = Relay(store, run, lambda: self.live)

    def run(self, batch: Batch) -> Iterator[bytes]:
        """Packs with a record for every task of the batch, whatever becomes of the process."""
        self._relay.start()
        try:
            yield from self._run_all(batch)
        finally:
            self._relay.stop()

    def _run_all(self, batch: Batch) -> Iterator[bytes]:
        left = dict.fromkeys(batch.keys)
        while left:
            if self._stop is not None:
                yield pack_records(cancelled_record(batch, key) for key in left)
                return
            for keys, pack in self._some(batch, tuple(left)):
                yield pack
                for key in keys:
                    del left[key]

    def stop(self, hard: bool) -> None:
        """End the task at hand, and start no other. Called from any thread."""
        with self._lock:
            self._stop = time.monotonic() + (0.0 if hard else GRACE)
            host = self._host
        if host is not None:
            host.signal(signal.SIGKILL if hard else signal.SIGINT)

    @property
    def live(self) -> Path | None:
        """The file that the process at hand prints to; None where there is none."""
        host = self._host
        return None if host is None else host.live

    def close(self) -> None:
        """End the process."""
        with self._lock:
            host, self._host = self._host, None
        if host is not None:
            host.close()
            host.forget()

    def _some(self, batch: Batch, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], bytes]]:
        """Records of as many of these tasks as one process gets through, and their keys."""
        try:
            host = self._ready(batch)
        except Exception as error:
            yield keys, pack_records(_broken(batch, key, error) for key in keys)
            return
        if self._stop is not None:  # asked while the process started
            return
        left = dict.fromkeys(keys)
        try:
            host.send((batch.step, batch.part, batch.attempt, keys))
            while True:
                message = self._next(host, batch)
                if message == "tainted":
                    self.close()
                    return
                if message == "done":
                    return
                for key in message[0]:
                    del left[key]
                yield message
        except _Late as late:
            text = f"The task ran longer than its timeout of {batch.timeout:g} seconds."
            why = ("TimeoutError", text)
            yield from self._lost(host, batch, tuple(left), late.note, why)
        except (EOFError, OSError):
            yield from self._lost(host, batch, tuple(left), host.note(), None)

    def _next(self, host: _Child, batch: Batch) -> Any:
        """The next message of the host, unless it is late or was asked to stop."""
        while not host.readable(_TICK):
            if self._stop is not None and time.monotonic() > self._stop:
                host.signal(signal.SIGKILL)
            if batch.timeout is not None:
                note = host.note()
                if note is not None and time.time() - note.started > batch.timeout:
                    raise _Late(note)
        return host.receive()

    def _lost(
        self,
        host: _Child,
        batch: Batch,
        keys: tuple[str, ...],
        note: Note | None,
        why: tuple[str, str] | None,
    ) -> Iterator[tuple[tuple[str, ...], bytes]]:
        """The record of the task that took its process with it, and what it had printed."""
        with self._lock:
            self._host = None
        status = host.close()
        output = b"" if note is None else output_since(host.live, note.offset)
        host.forget()
        if not keys:
            return
        names = {task_name(batch.step, batch.part, key, batch.attempt): key for key in keys}
        running = keys[0] if note is None else names.get(note.task)
        if running is None:
            return  # it was between two tasks
        started = None if note is None else note.started
        kind, message = why or _death(status, host.memory)
        what = (kind, message, output, started, host.name)
        record = failed_record(self._store, self._run, batch, running, *what)
        if self._stop is not None and why is None:
            record = cancelled_record(batch, running, record)
        yield (running,), pack_records([record])

    def _ready(self, batch: Batch) -> _Child:
        """The host at hand, or a new one."""
        host, lock = self._host, self._lock_of(batch.step)
        same = host is not None and (host.devices, host.lock) == (batch.devices, lock)
        if host is not None and not (same and host.alive()):
            self.close()
            host = None
        if host is None:
            host = _Child(self._store, self._run, batch.devices, lock)
            with self._lock:
                self._host = host
        return host

    def _lock_of(self, step: str) -> Lock | None:
        """The environment that a step names, as the run has locked it."""
        if self._locks is None:
            run = self._store.run(self._run)
            locks = locks_from_json(self._store.environment(run))
            steps = self._store.version(run.version).manifest["steps"] if locks else ()
            self._locks = {
                one["name"]: locks[one["env"]] for one in steps if one.get("env") in locks
            }
        return self._locks.get(step)


class _Late(Exception):
    def __init__(self, note: Note) -> None:
        super().__init__(note)
        self.note = note


class _Child:
    """A host process, from its parent's side."""

    def __init__(
        self, store: Store, run: int, devices: tuple[str, ...] | None, lock: Lock | None
    ) -> None:
        self.devices = devices
        self.lock = lock
        self.name = f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
        self.live = live_folder(store.root, run) / f"{self.name}.log"
        self.memory = memory_use()
        environment = {**os.environ, "PYTHONHASHSEED": "0", "MPLBACKEND": "agg"}
        if devices is not None:
            environment["CUDA_VISIBLE_DEVICES"] = ",".join(devices)
        self._process = subprocess.Popen(
            host_command(lock),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # what is read is looked for by `select`: none of it may wait in a buffer
            bufsize=0,
            env=environment,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in: BinaryIO = self._process.stdin  # type: ignore[assignment]
        self._out: BinaryIO = self._process.stdout  # type: ignore[assignment]
        send(self._in, (store.url, run, self.name))
        said = receive(self._out)
        if isinstance(said, Exception):
            self.close()
            raise said

    def send(self, message: Any) -> None:
        send(self._in, message)

    def receive(self) -> Any:
        return receive(self._out)

    def readable(self, seconds: float) -> bool:
        """Whether a message begins to come within so many seconds."""
        return bool(select.select([self._out], [], [], seconds)[0])

    def alive(self) -> bool:
        return self._process.poll() is None

    def note(self) -> Note | None:
        return read_note(self.live.with_suffix(".now"))

    def signal(self, number: int) -> None:
        """To the host for an interrupt; to all it has started for a kill."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if number == signal.SIGKILL:
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)

    def close(self) -> int:
        """Make sure that it has ended; returns how."""
        with contextlib.suppress(OSError):
            self._in.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.5)
        self.signal(signal.SIGKILL)
        status = self._process.wait()
        self._out.close()
        return status

    def forget(self) -> None:
        """Remove the live files of a host that could not."""
        self.live.unlink(missing_ok=True)
        Path(self.live.with_suffix(".now")).unlink(missing_ok=True)


def failed_record(
    store: Store,
    run: int,
    batch: Batch,
    key: str,
    kind: str,
    message: str,
    output: bytes,
    started: float | None,
    worker: str,
) -> TaskRecord:
    """The record of a task whose process could not make one itself."""
    log = None
    if output:
        with store.writer(f"run{run}-lost") as writer:
            log = writer.put_bytes(output, "text").to_json()
    place = _fault_place(store, run, output)
    return TaskRecord(
        step=batch.step,
        key=key,
        status="failed",
        part=batch.part,
        attempt=batch.attempt,
        started=started,
        finished=time.time(),
        log=log,
        error=task_error(batch.step, key, kind, message, place),
        worker=worker,
    )


def _fault_place(store: Store, run: int, output: bytes) -> tuple[int | None, int | None]:
    """Where in the notebook a crash was, by the frames that `faulthandler` printed last."""
    frames = re.findall(rb'File "([^"]+)", line (\d+) in', output[-20_000:])
    if not frames:
        return None, None
    from nbflow.runtime.spec import read_spec
    from nbflow.runtime.traceback import SourceMap

    version = store.version(store.run(run).version)
    source = SourceMap(read_spec(version.manifest), store.code_dir(version.version))
    found = (source.find(file.decode("utf-8", "replace"), int(line)) for file, line in frames)
    return next((place for place in found if place is not None), (None, None))


def _death(status: int, before: MemoryUse) -> tuple[str, str]:
    now = memory_use()
    if status == -signal.SIGKILL and now.kills > before.kills:
        return "OutOfMemory", out_of_memory(now.limit, now.peak)
    if status >= 0:
        return "ProcessExit", f"The task ended its process with exit status {status}."
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    hint = ": often the machine was out of memory" if name == "SIGKILL" else ""
    return "ProcessDied", f"The process of the task was ended by {name}{hint}."


def _broken(batch: Batch, key: str, error: Exception) -> TaskRecord:
    message = f"The process for the task could not start: {error}"
    return TaskRecord(
        step=batch.step,
        key=key,
        status="failed",
        part=batch.part,
        attempt=batch.attempt,
        finished=time.time(),
        error=task_error(batch.step, key, type(error).__name__, message),
    )


def cancelled_record(batch: Batch, key: str, record: TaskRecord | None = None) -> TaskRecord:
    """The record of a task that was cancelled; ``record`` is what is known of its attempt."""
    return TaskRecord(
        step=batch.step,
        key=key,
        status="cancelled",
        part=batch.part,
        attempt=batch.attempt,
        started=record.started if record else None,
        finished=time.time() if record else None,
        log=record.log if record else None,
        worker=record.worker if record else None,
        reason="cancelled while it ran" if record else "cancelled before it started",
    )
