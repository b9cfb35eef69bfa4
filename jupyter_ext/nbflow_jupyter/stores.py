"""Stores: which stores and notebooks a request may name, and the open stores behind the names.

A store is named by the folder that holds it, relative to the server's root; the default one has
the empty name. Nothing outside the root can be named, but for stores that the server itself found
in its configuration or in a project's.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path, PurePosixPath

from nbflow.config import load_config
from nbflow.store import Store, open_store
from nbflow.store.store import FOLDER, find_store
from nbflow_jupyter.refusal import Refusal
from nbflow_jupyter.wire import StoreInfo

#: how deep, and through how many folders, stores are looked for below the root
_DEPTH = 3
_FOLDERS = 2000
#: seconds that a look around holds
_FRESH = 30.0

#: folders that hold no projects of their own
_PASSED = frozenset({"node_modules", "__pycache__", "site-packages", "venv"})

SUFFIXES = (".ipynb", ".py")


class Stores:
    """The stores below ``root``, opened when first asked for."""

    def __init__(self, root: Path, configured: str = "") -> None:
        self.root = root.resolve()
        self._configured = configured or load_config(self.root).store or ""
        self._folders: dict[str, Path] = {"": self._default()}
        self._open: dict[str, tuple[Store, int]] = {}
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._seen: tuple[str, ...] = ()

    def get(self, name: str = "") -> Store | None:
        """The store of that name; None where there is none yet."""
        with self._lock:
            file = self._folder(name) / "nbflow.db"
            now = _identity(file)
            store, held = self._open.get(name, (None, None))
            if store is not None and held != now:
                # the folder was removed, and perhaps a new one made
                del self._open[name]
                store.close()
                store = None
            if store is None and now is not None:
                store = open_store(file.parent, create=False)
                self._open[name] = (store, now)
            return store

    def need(self, name: str = "") -> Store:
        """The store of that name; a refusal where there is none."""
        store = self.get(name)
        if store is None:
            raise Refusal(404, "There are no runs here yet.")
        return store

    def opened(self) -> dict[str, Store]:
        """The stores that have been asked for and are still there, by name."""
        found = {name: self.get(name) for name in ("", *list(self._open))}
        return {name: store for name, store in found.items() if store is not None}

    def for_notebook(self, notebook: Path) -> tuple[str, Path]:
        """The name and the folder of the store that serves a notebook; it need not exist."""
        folder = self._folders[""]
        if not self._configured:
            location = load_config(notebook.parent).store
            folder = find_store(notebook) if location is None else _store_folder(location)
        with self._lock:
            for name, known in self._folders.items():
                if known == folder:
                    return name, folder
            within = folder.name == FOLDER and folder.parent.is_relative_to(self.root)
            # one outside the root is known from now on by its whole path
            name = self._name(folder.parent) if within else folder.as_posix()
            self._folders[name] = folder
            return name, folder

    def listed(self) -> list[StoreInfo]:
        """The default store, those in use, and those lying below the root."""
        with self._lock:
            known = dict(self._folders)
        for name in self._look():
            known.setdefault(name, self.root / name / FOLDER)
        return [
            {"name": name, "exists": (folder / "nbflow.db").is_file(), "default": name == ""}
            for name, folder in known.items()
        ]

    def notebook(self, path: str) -> Path:
        """The file of a notebook, whose path is relative to the root; a refusal for any other."""
        file = self.inside(path)
        if file.suffix not in SUFFIXES:
            raise Refusal(400, f"{path!r} is not a notebook: it must be an .ipynb or a .py file.")
        if not file.is_file():
            raise Refusal(404, f"There is no notebook {path!r}.")
        return file

    def inside(self, path: str) -> Path:
        """The place of a path relative to the root; a refusal where it leads out of it."""
        pure = PurePosixPath(path.lstrip("/"))
        if not path or "\0" in path or ".." in pure.parts or "\\" in path:
            raise Refusal(400, f"{path[:200]!r} is not a path below the server's root.")
        if any(part.startswith(".") for part in pure.parts):
            raise Refusal(400, f"{path[:200]!r} is hidden.")
        place = (self.root / pure).resolve()
        if not place.is_relative_to(self.root):
            raise Refusal(400, f"{path[:200]!r} leads out of the server's root.")
        return place

    def relative(self, file: str) -> str | None:
        """A file's path relative to the root, as Jupyter has it; None for one outside."""
        try:
            return Path(file).relative_to(self.root).as_posix()
        except ValueError:
            return None

    def close(self) -> None:
        """Let go of all stores."""
        with self._lock:
            stores, self._open = self._open, {}
        for store, _ in stores.values():
            store.close()

    def _default(self) -> Path:
        return _store_folder(self._configured) if self._configured else find_store(self.root)

    def _folder(self, name: str) -> Path:
        if name in self._folders:
            return self._folders[name]
        folder = self.inside(name) / FOLDER
        if not folder.is_dir() or not folder.resolve().is_relative_to(self.root):
            raise Refusal(404, f"There is no store in {name[:200]!r}.")
        self._folders[name] = folder
        return folder

    def _name(self, folder: Path) -> str:
        return folder.relative_to(self.root).as_posix()

    def _look(self) -> tuple[str, ...]:
        if time.monotonic() - self._looked > _FRESH:
            self._seen = tuple(self._around())
            self._looked = time.monotonic()
        return self._seen

    def _around(self) -> list[str]:
        """Folders below the root that hold a store."""
        found: list[str] = []
        level, left = [self.root], _FOLDERS
        for _ in range(_DEPTH):
            below: list[Path] = []
            for folder in level:
                try:
                    inner = [one for one in folder.iterdir() if _passable(one)]
                except OSError:
                    continue
                below += sorted(inner)[: max(0, left)]
                left -= len(inner)
            found += [self._name(one) for one in below if (one / FOLDER / "nbflow.db").is_file()]
            level = below
        return found


def _passable(folder: Path) -> bool:
    name = folder.name
    return (
        not name.startswith(".")
        and name not in _PASSED
        and not folder.is_symlink()
        and folder.is_dir()
    )


def _identity(file: Path) -> int | None:
    """A number that another file of the same name would not have; None where there is none."""
    try:
        return file.stat().st_ino
    except OSError:
        return None


def _store_folder(location: str) -> Path:
    """The store's own folder, of an address that may be the folder that holds it."""
    path = Path(location).expanduser().absolute()
    return path if path.name == FOLDER or (path / "nbflow.db").exists() else path / FOLDER
