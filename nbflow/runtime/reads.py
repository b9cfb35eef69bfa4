"""Reads: the files that a task's code opens, with digests that tell whether they have changed."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

#: files of one task that are noted; one that reads more is never taken from the cache
MOST = 1000
#: stands for them all where there are more
MANY = "*"
#: bytes: what is larger is looked at by its time, and in blocks spread over it
WHOLE = 64 << 20
_BLOCKS, _BLOCK = 256, 1 << 16
_CODE = (".py", ".pyc", ".pyi", ".so", ".pyd", ".dll", ".pth")
_SYSTEM = ("/proc", "/sys", "/dev", "/etc", "/usr", "/lib", "/lib64", "/bin", "/sbin")


class Reads:
    """Listens to what is opened in this process, in a `with`; then `files` has what was read.

    ``names`` may be files as well: where they are, they count as read.

    It hears what goes through Python's own `open` (pandas', NumPy's and joblib's readers do), by
    the audit event of that name (https://docs.python.org/3/library/audit_events.html); not what
    other processes open, nor libraries that read with C++ of their own: for those are the names.
    """

    def __init__(self, apart: Iterable[str | Path] = ()) -> None:
        folders = (sys.prefix, sys.base_prefix, *_SYSTEM, *apart)
        self._apart = tuple(f"{os.path.realpath(one)}{os.sep}" for one in folders)
        self._read: dict[str, tuple[int, int] | None] = {}
        self._written: set[str] = set()
        self._names: tuple[str, ...] = ()
        #: what was read and not written, by absolute path, with digests
        self.files: dict[str, str] = {}

    def naming(self, names: Iterable[str]) -> Reads:
        """The same, with these names."""
        self._names = tuple(names)
        return self

    def __enter__(self) -> Reads:
        global _listening
        self._read, self._written = {}, set()
        _install()
        _listening = self
        return self

    def __exit__(self, *_: object) -> None:
        global _listening
        _listening = None
        self.files = self._found()

    def _found(self) -> dict[str, str]:
        written = {os.path.realpath(one) for one in self._written}
        read = {name: _stamp(name) for name in self._names if os.path.isfile(name)} | self._read
        if len(read) > MOST:
            return {MANY: ""}
        found: dict[str, str] = {}
        for name, stamp in read.items():
            path = os.path.realpath(name)
            if path not in written and path not in found and self._is_data(path):
                digest = digest_of(path)
                if digest is not None:
                    # of a file that changed since it was read, nobody knows what was read
                    found[path] = digest if _stamp(path) == stamp else ""
        return found

    def hear(self, path: Any, flags: Any) -> None:
        """One file is opened."""
        if not isinstance(path, str | bytes | os.PathLike):
            return  # a descriptor
        name = os.fsdecode(path)
        if name.endswith(_CODE):
            return
        if not os.path.isabs(name):
            name = os.path.join(os.getcwd(), name)
        if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR):
            self._written.add(name)
        elif len(self._read) <= MOST and name not in self._read and self._is_data(name):
            self._read[name] = _stamp(name)

    def _is_data(self, path: str) -> bool:
        """Neither the system's nor Python's, nor of a hidden file or folder (settings, secrets)."""
        if path.startswith(self._apart) or f"{os.sep}site-packages{os.sep}" in path:
            return False
        home = os.path.expanduser("~")
        below = os.path.relpath(path, home) if path.startswith(f"{home}{os.sep}") else path
        return not (below.startswith(".") or os.path.basename(path).startswith("."))


def _stamp(path: str) -> tuple[int, int] | None:
    """What tells at no cost that a file has been written to."""
    with contextlib.suppress(OSError):
        kind = os.stat(path)
        return kind.st_size, kind.st_mtime_ns
    return None


def names_in(function: Any, values: Mapping[str, Any]) -> list[str]:
    """The texts of a function's code, and of what it is given, that may be names of files."""
    texts: list[Any] = list(values.values())
    codes = [function.__code__] if isinstance(function, FunctionType) else []
    while codes:
        for one in codes.pop().co_consts:
            (codes if isinstance(one, CodeType) else texts).append(one)
    names = [os.fsdecode(one) for one in texts if isinstance(one, str | os.PathLike)]
    return [one for one in names if 0 < len(one) < 1024 and one.isprintable()]


def digest_of(path: str) -> str | None:
    """A short text that another content of the file does not have; None where there is no file.

    Of a file above `WHOLE` its size, when it was written and 256 blocks spread over it count.
    """
    with contextlib.suppress(OSError):
        kind = os.stat(path)
        if stat.S_ISREG(kind.st_mode):
            digest = blake2b(str(kind.st_size).encode(), digest_size=16)
            with open(path, "rb") as file:
                if kind.st_size <= WHOLE:
                    while block := file.read(1 << 20):
                        digest.update(block)
                else:
                    digest.update(str(kind.st_mtime_ns).encode())
                    for number in range(_BLOCKS):
                        file.seek(number * (kind.st_size - _BLOCK) // (_BLOCKS - 1))
                        digest.update(file.read(_BLOCK))
            return digest.hexdigest()
    return None


class FilesNow:
    """Compares digests with the files as they are now; one that nobody touches is read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, int, int], str | None] = {}

    def changed(self, files: dict[str, str]) -> str | None:
        """Why what was made from these files has to be made again; None where all are the same."""
        for path, digest in files.items():
            now = self._digest(path)
            if path == MANY:
                return f"it read more than {MOST:,} files"
            if now is None:
                return f"the file {path} is not there"
            if now != digest:
                return f"the file {path} changed"
        return None

    def _digest(self, path: str) -> str | None:
        try:
            kind = os.stat(path)
        except OSError:
            return None
        at = (path, kind.st_ino, kind.st_size, kind.st_mtime_ns)
        if at not in self._known:
            self._known[at] = digest_of(path)
        return self._known[at]


_listening: Reads | None = None
_installed = False


def _install() -> None:
    """Once a process: hooks cannot be taken away again."""
    global _installed
    if not _installed:
        _installed = True
        sys.addaudithook(_hear)


def _hear(event: str, args: tuple[Any, ...]) -> None:
    if event == "open" and _listening is not None:
        # what goes wrong here must not keep the file from being opened
        with contextlib.suppress(Exception):
            _listening.hear(args[0], args[2])
