"""Remote: named bytes in an object store, and in one sentence why they can't be had."""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from nbflow.errors import StoreError, UserError, store_error
from nbflow.store.objects import LocalObjects, Stored, damaged, missing, writing
from nbflow.values.layout import Buffer

#: seconds after which a copy is written anew, to count as just written
_FRESH = 1200.0
#: bytes that are sent in one request; more go up in parts, and are there when all of them are
_ONE = 32 * 1024 * 1024
#: what a message may have of an error of the file system's
_REASON = 200
#: what is written to see whether anything can be
_PROBE = "README.txt"
#: by what installs, of the file systems that fsspec has no code for itself
_PACKAGES = {"s3": "nbflow[s3]", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}


class RemoteObjects:
    """Objects in any file system that fsspec knows; the file system is opened at the first use."""

    appends = False

    def __init__(self, url: str, cache: Path) -> None:
        self.url = url.rstrip("/")
        self._cache = LocalObjects(cache)

    @cached_property
    def fs(self) -> Any:
        """The file system of fsspec's."""
        return self._opened[0]

    def check(self, store: str) -> None:
        """Raise a `StoreError` where nothing can be written."""
        told = f"Values of the nbflow store {store}: `nbflow gc` frees what no run needs.\n"
        self.write(_PROBE, [told.encode()])

    def has(self, name: str) -> bool:
        """Whether it is there, and new enough that nobody is about to free it."""
        modified = self.modified(name)
        return modified is not None and time.time() - modified < _FRESH

    def write(self, name: str, parts: Sequence[Buffer]) -> None:
        """Write all or nothing."""
        path = self._path(name)
        with self._reaching("write"):
            views = [memoryview(part).cast("B") for part in parts]
            if sum(view.nbytes for view in views) <= _ONE:
                self.fs.pipe_file(path, b"".join(views))
                return
            # closing it is no commit: what an interrupt leaves unfinished is never seen
            file = self.fs.open(path, "wb", autocommit=False)
            try:
                for view in views:
                    for start in range(0, view.nbytes, _ONE):
                        file.write(view[start : start + _ONE])
                file.close()
                file.commit()
            except BaseException:
                file.discard()
                raise

    def append(self, name: str, offset: int, parts: Sequence[Buffer]) -> None:
        """A new file: there is no adding to one."""
        assert offset == 0
        self.write(name, parts)

    def read(self, name: str, offset: int, length: int) -> memoryview:
        """Bytes of the caller's own."""
        path = self._path(name)
        with self._reaching("read", path):
            data = self.fs.cat_file(path, start=offset, end=offset + length)
        if len(data) != length:
            raise damaged(path)
        return memoryview(bytearray(data))

    def map(self, name: str, size: int) -> memoryview:
        """A memory map of a local copy, which is made at the first use."""
        if not self._cache.has(name):
            path = self._path(name)
            target = self._cache.root / name
            partial = target.with_name(f".{uuid.uuid4().hex}")
            with writing(target):
                target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with self._reaching("read", path), writing(target):
                    self.fs.get_file(path, str(partial))
                if partial.stat().st_size != size:
                    raise damaged(path)
                os.replace(partial, target)
            finally:
                partial.unlink(missing_ok=True)
        return self._cache.map(name, size)

    def modified(self, name: str) -> float | None:
        """When it was last written; None where it is gone."""
        with self._reaching("read"):
            try:
                return _modified(self.fs.info(self._path(name)))
            except FileNotFoundError:
                return None

    def remove(self, name: str) -> None:
        """Remove it and its local copy; no matter if they are gone."""
        with self._reaching("free"), contextlib.suppress(FileNotFoundError):
            self.fs.rm_file(self._path(name))
        self._cache.remove(name)

    def walk(self) -> Iterator[Stored]:
        """Everything there is."""
        for folder in ("objects", "packs"):
            top = self._path(folder)
            with self._reaching("list"):
                found = self.fs.find(top, detail=True)
            for path, info in found.items():
                name = folder + path[path.index(top) + len(top) :]
                yield Stored(name, int(info["size"]), _modified(info))

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        import fsspec  # type: ignore[import-untyped,unused-ignore]

        opened: tuple[Any, str] = fsspec.core.url_to_fs(self.url, use_listings_cache=False)
        return opened

    def _path(self, name: str) -> str:
        with self._reaching("reach"):
            return f"{self._opened[1]}/{name}"

    @contextlib.contextmanager
    def _reaching(self, verb: str, path: str | None = None) -> Iterator[None]:
        """Say in a sentence what the file system raises; ``path`` may be gone."""
        try:
            yield
        except UserError:
            raise
        except FileNotFoundError as error:
            if path is not None and "bucket" not in str(error):
                raise missing(path) from None
            raise store_error(
                f"There is no bucket for the values at {self.url}.",
                "Make it, or take another: where values lie is settled when a store is made.",
            ) from error
        except Exception as error:  # each file system has its own
            raise self._refusal(verb, error) from error

    def _refusal(self, verb: str, error: Exception) -> StoreError:
        scheme = self.url.partition("://")[0]
        reason = " ".join(str(error).split())[:_REASON].rstrip(".") or type(error).__name__
        what = f"The values at {self.url} cannot be {_DONE[verb]}: {reason}."
        kind = type(error).__name__
        if isinstance(error, ImportError):
            package = _PACKAGES.get(scheme, "the package that it names")
            return store_error(what, f"`pip install '{package}'`, here and where tasks run.")
        if isinstance(error, ValueError) and "rotocol not known" in reason:
            return store_error(what, "Take an address such as s3://BUCKET/FOLDER, or a folder.")
        if isinstance(error, PermissionError) or "Credential" in kind or "Profile" in kind:
            keys = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            held = f" ({keys})" if scheme == "s3" else ""
            return store_error(what, f"Check the keys{held} and what they are allowed to do.")
        where = " and AWS_ENDPOINT_URL" if scheme == "s3" else ""
        return store_error(what, f"Check the address{where}, and whether its server answers.")


_DONE = {
    "write": "written",
    "read": "read",
    "free": "freed",
    "list": "listed",
    "reach": "reached",
}


def _modified(info: dict[str, Any]) -> float:
    for name in ("mtime", "LastModified", "last_modified", "created"):
        held = info.get(name)
        if held is not None:
            return float(held.timestamp()) if hasattr(held, "timestamp") else float(held)
    return 0.0
