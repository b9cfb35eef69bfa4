"""Objects: named bytes in a folder or in an object store, written whole or appended."""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import threading
import time
import uuid
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from nbflow.errors import StoreError, corrupt_value, store_error
from nbflow.values.layout import Buffer

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


#: seconds after which an object store's copy is written anew, to count as just written
_FRESH = 1200.0


@dataclass(frozen=True, slots=True)
class Stored:
    """A file of the store: its name, its size, and when it was last written or asked for."""

    name: str
    size: int
    modified: float


class Objects(Protocol):
    """Where bytes lie. Names are relative, with slashes."""

    #: whether `append` adds to a file; where not, every append needs a new name
    appends: bool

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
            with _writing(path):
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
        with _writing(path):
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
            raise _damaged(self.root / name)
        return memoryview(data)

    def map(self, name: str, size: int) -> memoryview:
        """A private memory map; read outright where the process has many maps already."""
        path = self.root / name
        with _opened(path) as file:
            if os.fstat(file.fileno()).st_size != size:
                raise _damaged(path)
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


class RemoteObjects:
    """Objects in any file system that fsspec knows."""

    appends = False

    def __init__(self, url: str, cache: Path) -> None:
        import fsspec  # type: ignore[import-untyped,unused-ignore]

        self.fs: Any
        self.fs, self.prefix = fsspec.core.url_to_fs(url, use_listings_cache=False)
        self._cache = LocalObjects(cache)

    def has(self, name: str) -> bool:
        """Whether it is there, and new enough that nobody is about to free it."""
        modified = self.modified(name)
        return modified is not None and time.time() - modified < _FRESH

    def write(self, name: str, parts: Sequence[Buffer]) -> None:
        """Write it; object stores show it when it is complete."""
        with self.fs.open(self._path(name), "wb") as file:
            for part in parts:
                file.write(part)

    def append(self, name: str, offset: int, parts: Sequence[Buffer]) -> None:
        """A new file: there is no adding to one."""
        assert offset == 0
        self.write(name, parts)

    def read(self, name: str, offset: int, length: int) -> memoryview:
        """Bytes of the caller's own."""
        try:
            data = self.fs.cat_file(self._path(name), start=offset, end=offset + length)
        except FileNotFoundError:
            raise _missing(self._path(name)) from None
        if len(data) != length:
            raise _damaged(self._path(name))
        return memoryview(bytearray(data))

    def map(self, name: str, size: int) -> memoryview:
        """A memory map of a local copy, which is made at the first use."""
        if not self._cache.has(name):
            target = self._cache.root / name
            partial = target.with_name(f".{uuid.uuid4().hex}")
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with _writing(target):
                    self.fs.get_file(self._path(name), str(partial))
                os.replace(partial, target)
            except FileNotFoundError:
                raise _missing(self._path(name)) from None
            finally:
                partial.unlink(missing_ok=True)
        return self._cache.map(name, size)

    def modified(self, name: str) -> float | None:
        """When it was last written; None where it is gone."""
        try:
            return _modified(self.fs.info(self._path(name)))
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        """Remove it and its local copy; no matter if they are gone."""
        with contextlib.suppress(FileNotFoundError):
            self.fs.rm_file(self._path(name))
        self._cache.remove(name)

    def walk(self) -> Iterator[Stored]:
        """Everything there is."""
        for folder in ("objects", "packs"):
            top = self._path(folder)
            if not self.fs.exists(top):
                continue
            for path, info in self.fs.find(top, detail=True).items():
                name = folder + path[path.index(top) + len(top) :]
                yield Stored(name, int(info["size"]), _modified(info))

    def _path(self, name: str) -> str:
        return f"{self.prefix}/{name}"


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
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise store_error(
                f"The disk that holds the store is full: {path} could not be written.",
                "Free some space (`nbflow gc` frees what no run reaches), then run again.",
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
        raise _missing(path) from None


def _modified(info: dict[str, Any]) -> float:
    for name in ("mtime", "LastModified", "last_modified", "created"):
        held = info.get(name)
        if held is not None:
            return float(held.timestamp()) if hasattr(held, "timestamp") else float(held)
    return 0.0


def _missing(path: Path | str) -> StoreError:
    return corrupt_value(
        f"The stored bytes {path} are gone.",
        "Run the step that made the value again with `--no-cache`.",
    )


def _damaged(path: Path | str) -> StoreError:
    return corrupt_value(
        f"The stored bytes {path} are not those that were written: the file is damaged.",
        "Run the step that made the value again with `--no-cache`.",
    )
