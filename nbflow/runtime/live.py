"""Live: the file that a host's tasks print to, and the note beside it of which task that is.

One file a host, not one a task: a task's output is a range of it. Readers follow a running task,
and take what a killed one had printed, by the note.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_NOTE = struct.Struct("<dQH")
_NOTE_SIZE = 512
#: bytes of finished output after which the file starts anew
ROLL = 4 << 20
#: beside the hosts' files: what a driver without a terminal says on standard error
_WORDS = "driver.err"
#: bytes of it that are read
_LAST = 1000


@dataclass(frozen=True, slots=True)
class Note:
    """What a host is doing: the task, when it began, and where its output starts in the file."""

    task: str
    started: float
    offset: int


class LiveFile:
    """The writing side, in the process that runs tasks."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{name}.log"
        self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC, 0o644)
        self._note = os.open(folder / f"{name}.now", os.O_RDWR | os.O_CREAT, 0o644)
        os.set_inheritable(self._note, False)
        os.pwrite(self._note, bytes(_NOTE_SIZE), 0)
        self._start = 0

    def begin(self, task: str, started: float) -> None:
        """Note that the task starts; from here on the output is its own."""
        self._start = os.fstat(self.fd).st_size
        if self._start > ROLL:
            os.ftruncate(self.fd, 0)
            self._start = 0
        name = task.encode()[: _NOTE_SIZE - _NOTE.size]
        os.pwrite(self._note, _NOTE.pack(started, self._start, len(name)) + name, 0)

    def size(self) -> int:
        """Bytes that the task has printed so far."""
        return os.fstat(self.fd).st_size - self._start

    def read(self) -> bytes:
        """What the task has printed so far."""
        size = self.size()
        return _read_range(self.fd, self._start, size) if size > 0 else b""

    def end(self) -> None:
        """Note that no task is running."""
        os.pwrite(self._note, _NOTE.pack(0.0, 0, 0), 0)

    def close(self) -> None:
        """Remove both files."""
        os.close(self.fd)
        os.close(self._note)
        self.path.unlink(missing_ok=True)
        self.path.with_suffix(".now").unlink(missing_ok=True)


def live_folder(store: str | Path, run: int) -> Path:
    """Where the hosts of a run keep their live files."""
    return Path(store) / "live" / str(run)


def task_name(step: str, part: str, key: str, attempt: int) -> str:
    """How a note names a task's attempt."""
    return f"{step}\t{part}\t{key}\t{attempt}"


def read_note(path: Path) -> Note | None:
    """What the host of this `.now` file is running; None where it is idle."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if len(data) < _NOTE.size:
        return None
    started, offset, length = _NOTE.unpack_from(data)
    if not length:
        return None
    return Note(data[_NOTE.size : _NOTE.size + length].decode(), started, offset)


def notes(folder: Path) -> Iterator[tuple[Path, Note]]:
    """What every host of a run is running, with the path of its live file."""
    for path in sorted(folder.glob("*.now")):
        note = read_note(path)
        if note is not None:
            yield path.with_suffix(".log"), note


def output_since(path: Path, offset: int) -> bytes:
    """What stands in a live file from ``offset`` on."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return _read_range(fd, offset, max(0, os.fstat(fd).st_size - offset))
    finally:
        os.close(fd)


def keep_words(folder: Path) -> None:
    """Have what this process says on standard error kept with the run that it drives."""
    folder.mkdir(parents=True, exist_ok=True)
    fd = os.open(folder / _WORDS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(fd, 2)
    os.close(fd)


def last_words(folder: Path) -> str:
    """The last lines that the run's driver has said there; empty where it has not."""
    path = folder / _WORDS
    size = path.stat().st_size if path.exists() else 0
    data = output_since(path, max(0, size - _LAST))
    lines = data.decode("utf-8", "replace").strip().splitlines()
    return "\n".join(lines[-5:])


def _read_range(fd: int, start: int, size: int) -> bytes:
    parts: list[bytes] = []
    while size > 0:
        part = os.pread(fd, size, start)
        if not part:
            break
        parts.append(part)
        start, size = start + len(part), size - len(part)
    return b"".join(parts)
