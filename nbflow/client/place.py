"""Place: the store that the client reads, and the code of a version while its values load."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbflow.store import Store

_swapping = RLock()
#: the modules of versions that were loaded before: a class is the same one at every load
_modules: dict[str, dict[str, ModuleType]] = {}
#: the folders of the versions that are in place at the moment
_active: list[str] = []


def the_store(store: Store | str | Path | None = None) -> Store:
    """The store given, or named, or else the one that serves the working directory."""
    from nbflow.config import load_config

    if store is None or isinstance(store, (str, Path)):
        location = load_config().store if store is None else str(store)
        return _opened(location, Path.cwd())
    return store


@lru_cache(maxsize=16)
def _opened(location: str | None, start: Path) -> Store:
    from nbflow.store import open_store

    return open_store(location, start, create=False)


@contextmanager
def code_of(store: Store, version: str, package: str) -> Iterator[None]:
    """Inside, ``package`` is that version's: what its values refer to is found.

    Values of two versions may be loaded in one session, and the user may have a module of that
    name: so the modules are put in place for the moment of loading only.
    """
    with _swapping:
        folder = str(store.code_dir(version))
        if folder in _active:  # within another load, of a whole column say
            yield
            return
        others = _take(package)
        sys.modules.update(_modules.get(folder, {}))
        sys.path.insert(0, folder)
        _active.append(folder)
        try:
            yield
        finally:
            _active.remove(folder)
            sys.path.remove(folder)
            _modules[folder] = _take(package)
            sys.modules.update(others)


def _take(package: str) -> dict[str, ModuleType]:
    names = [n for n in sys.modules if n == package or n.startswith(f"{package}.")]
    return {name: sys.modules.pop(name) for name in names}
