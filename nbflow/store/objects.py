"""Objects: named bytes in a folder, written whole or appended; remote.py has those elsewhere."""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import threading
import uuid
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from nbflow.errors import StoreError, corrupt_value, store_error
from nbflow.values.layout import Buffer

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True)
class Stored:
    """A file of the store: its name, its size, and when it was last written or asked for."""

    name: str
    size: int
    modified: float


class Objects(Protocol):
    """Where bytes lie. Names are relative, with slashes."""

    #: the folder or the address that they lie at
    url: str
    #: whether `append` adds to a file; where not, every append needs a new name
    appends: bool

    def check(self, store: str) -> None:
        """Raise a `StoreError` where nothing can be written; ``store`` is whose values they are."""

    def has(self, name: str) -> bool:
        """Whether it is there; if so, it counts as just written, and garbage collection waits."""

    def write(self, name: str, parts: Sequence[Buffer]) -> None:
        """Write all or nothing."""

    def append(self, name: str, offset: int, parts: Sequence[Buffer]) -> None:
        """Add at the end, which is at `offset`; all or nothing."""

    def read(self, name: str, offset: int, length: int) -> memoryview:
        """Bytes of the caller's own."""

    def map(self, name: str, size: int) -> memoryview:
        """The whole as bytes of the caller's own, loaded when touched where that is possible."""

    def modified(self, name: str) -> float | None:
        """When it was last written or asked for; None where it is gone."""

    def remove(self, name: str) -> None:
        """Remove it; no matter if it is gone."""

    def walk(self) -> Iterator[Stored]:
        """Everything there is."""


class LocalObjects:
    """Objects in a folder of this machine."""

    appends = True

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = str(root)

    def check(self, store: str) -> None:
        """Raise a `StoreError` where nothing can be written."""
        partial = self.root / f".{uuid.uuid4().hex}"
        try:
            with writing(self.root):
                self.root.mkdir(parents=True, exist_ok=True)
                partial.touch()
        except OSError as error:
            raise store_error(
                f"Values cannot be kept in {self.root}: {error.strerror}.",
                "Take a folder that can be made and written: `objects` or NBFLOW_OBJECTS names it.",
            ) from error
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)

    def has(self, name: str) -> bool:
        """Whether it is there; if so, it counts as just written."""
        try:
            os.utime(self.root / name)
        except FileNotFoundError:
            return False
        return True

    def write(self, name: str, parts: Sequence[Buffer]) -> None:
        """Write all or nothing: under another name first."""
        path = self.root / name
        partial = path.with_name(f".{uuid.uuid4().hex}")
        try:
            with writing(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                with open(partial, "xb", buffering=0) as file:
                    _write_all(file.fileno(), parts)
                    os.fchmod(file.fileno(), 0o444)
                os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)

    def append(self, name: str, offset: int, parts: Sequence[Buffer]) -> None:
        """Add at the end; on failure the file is as long as before."""
        path = self.root / name
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "ab", buffering=0) as file:
                try:
                    _write_all(file.fileno(), parts)
                except BaseException:
                    file.truncate(offset)
                    raise

    def read(self, name: str, offset: int, length: int) -> memoryview:
        """Bytes of the caller's own."""
        with _opened(self.root / name) as file:
            file.seek(offset)
            data = bytearray(length)
            filled = file.readinto(data)
        if filled != length:
            raise damaged(self.root / name)
        return memoryview(data)

    def map(self, name: str, size: int) -> memoryview:
        """A private memory map; read outright where the process has many maps already."""
        path = self.root / name
        with _opened(path) as file:
            if os.fstat(file.fileno()).st_size != size:
                raise damaged(path)
            if size and _MAPS.admit():
                # a map holds a file descriptor of its own, and there may be none left
                with contextlib.suppress(OSError):
                    mapped = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY)
                    _MAPS.add(mapped)
                    return memoryview(mapped)
        return self.read(name, 0, size)

    def modified(self, name: str) -> float | None:
        """When it was last written or asked for; None where it is gone."""
        try:
            return (self.root / name).stat().st_mtime
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        """Remove it; no matter if it is gone."""
        (self.root / name).unlink(missing_ok=True)

    def walk(self) -> Iterator[Stored]:
        """Everything there is, half-written leftovers included."""
        for folder in ("objects", "packs"):
            for parent, _, names in os.walk(self.root / folder):
                for name in names:
                    path = Path(parent, name)
                    with contextlib.suppress(FileNotFoundError):
                        stat = path.stat()
                        relative = path.relative_to(self.root).as_posix()
                        yield Stored(relative, stat.st_size, stat.st_mtime)


class _LiveMaps:
    """Counts memory maps in use: each keeps a file open, and a process may open only so many."""

    def __init__(self) -> None:
        self._live: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()
        self._lock = threading.Lock()

    def admit(self) -> bool:
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        with self._lock:
            return soft == resource.RLIM_INFINITY or len(self._live) < soft // 2

    def add(self, mapped: mmap.mmap) -> None:
        with self._lock:
            self._live.add(mapped)


_MAPS = _LiveMaps()


def _write_all(descriptor: int, parts: Sequence[Buffer]) -> None:
    for part in parts:
        view = memoryview(part).cast("B")
        while view.nbytes:
            view = view[os.write(descriptor, view) :]


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say in a sentence why something can't be written to this file."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise store_error(
                f"The disk that holds the store is full: {path} could not be written.",
                "Free some space (`nbflow gc --keep-last N` deletes old runs), then run again.",
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise store_error(
                f"The store cannot be written: {error.strerror}: {path}.",
                "Check who owns the folder.",
            ) from error
        raise


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with open(path, "rb", buffering=0) as file:
            yield file
    except FileNotFoundError:
        raise missing(path) from None


def missing(path: Path | str) -> StoreError:
    """The error of bytes that should be there."""
    return corrupt_value(
        f"The stored bytes {path} are gone.",
        "Run the step that made the value again with `--no-cache`.",
    )


def damaged(path: Path | str) -> StoreError:
    """The error of bytes that are others than those written."""
    return corrupt_value(
        f"The stored bytes {path} are not those that were written: the file is damaged.",
        "Run the step that made the value again with `--no-cache`.",
    )
