"""Stores: which stores and notebooks a request may name, and the open stores behind the names.

A store is named by the folder that holds it, relative to the server's root; the default one has
the empty name. Nothing outside the root can be named, but for stores that the server itself found
in its configuration or in a project's: folders elsewhere, and databases, by their address.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path, PurePosixPath

from nbflow.config import load_config
from nbflow.store import Store, open_store
from nbflow.store.address import is_database, keep_password
from nbflow.store.store import FOLDER, find_store, has_store, store_folder
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
        #: the folder or the address behind each name that is known
        self._places: dict[str, str] = {"": self._default()}
        self._open: dict[str, tuple[Store, int]] = {}
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._seen: tuple[str, ...] = ()

    def get(self, name: str = "") -> Store | None:
        """The store of that name; None where there is none yet."""
        with self._lock:
            place = self._place(name)
            now = _identity(place)
            store, held = self._open.get(name, (None, None))
            if store is not None and held != now:
                # the folder was removed, and perhaps a new one made
                del self._open[name]
                store.close()
                store = None
            if store is None and now is not None and has_store(place):
                store = open_store(place, create=False)
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

    def for_notebook(self, notebook: Path) -> tuple[str, str]:
        """The name and the place of the store that serves a notebook; it need not exist."""
        place = self._places[""]
        if not self._configured:
            location = load_config(notebook.parent).store
            place = str(find_store(notebook)) if location is None else _store_place(location)
        with self._lock:
            for name, known in self._places.items():
                if known == place:
                    return name, place
            folder = Path(place)
            within = folder.name == FOLDER and folder.parent.is_relative_to(self.root)
            # one outside the root is known from now on by its whole path
            name = self._name(folder.parent) if within else place
            self._places[name] = place
            return name, place

    def listed(self) -> list[StoreInfo]:
        """The default store, those in use, and those lying below the root."""
        with self._lock:
            known = dict(self._places)
        for name in self._look():
            known.setdefault(name, str(self.root / name / FOLDER))
        return [
            {"name": name, "exists": _identity(place) is not None, "default": name == ""}
            for name, place in known.items()
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

    def _default(self) -> str:
        return _store_place(self._configured) if self._configured else str(find_store(self.root))

    def _place(self, name: str) -> str:
        if name in self._places:
            return self._places[name]
        folder = self.inside(name) / FOLDER
        if not folder.is_dir() or not folder.resolve().is_relative_to(self.root):
            raise Refusal(404, f"There is no store in {name[:200]!r}.")
        self._places[name] = str(folder)
        return str(folder)

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


def _identity(place: str) -> int | None:
    """A number that another store of the same name would not have; None where there is none."""
    if is_database(place):
        return 0
    try:
        return Path(place, "nbflow.db").stat().st_ino
    except OSError:
        return None


def _store_place(location: str) -> str:
    """The store's own folder, or the address of its database without the password."""
    return keep_password(location) if is_database(location) else str(store_folder(location))
