"""Store: everything a flow leaves behind, in one place with two sides: records and values."""

from __future__ import annotations

import os
from pathlib import Path

from nbflow.errors import store_error
from nbflow.store.database import Database
from nbflow.store.objects import LocalObjects, Objects, RemoteObjects
from nbflow.store.run_table import RunTable
from nbflow.store.schema import migrate
from nbflow.store.task_table import TaskTable
from nbflow.store.values import ValueSide
from nbflow.store.version_table import VersionTable

FOLDER = ".nbflow"


class Store(VersionTable, RunTable, TaskTable, ValueSide):
    """A folder `.nbflow`: a database of records, and values as files there or in an object store.

    Safe to use from several threads and processes at once.
    """

    def __init__(self, root: Path, objects: str | None = None) -> None:
        self.root = root
        self.db = Database(root / "nbflow.db")
        migrate(self.db)
        url = self._objects_url(objects)
        self.objects: Objects
        if url is None:
            self.objects = LocalObjects(root)
        elif "://" not in url or url.startswith("file://"):
            self.objects = LocalObjects(Path(url.removeprefix("file://")))
        else:
            self.objects = RemoteObjects(url, root / "cache")

    @property
    def url(self) -> str:
        """The short string that opens this store elsewhere: `open_store(store.url)`."""
        return str(self.root)

    def close(self) -> None:
        """Let go of the database."""
        self.db.close()

    def _objects_url(self, wanted: str | None) -> str | None:
        """Where values lie is settled when the store is made, and the same ever after."""
        if wanted is not None:
            self.db.execute(
                "INSERT INTO settings (name, value) VALUES ('objects', ?)"
                " ON CONFLICT (name) DO NOTHING",
                (wanted,),
            )
        row = self.db.one("SELECT value FROM settings WHERE name = 'objects'")
        held = None if row is None else str(row["value"])
        if wanted is not None and held != wanted:
            raise store_error(
                f"The store {self.root} keeps its values at {held}, not at {wanted}.",
                "Take that address, or make a new store.",
            )
        return held


def open_store(
    location: str | Path | None = None,
    start: str | Path | None = None,
    *,
    objects: str | None = None,
    create: bool = True,
) -> Store:
    """The store at ``location``, else the one that serves the folder ``start``.

    ``location`` is a `.nbflow` folder or the folder that holds it; without one, `NBFLOW_STORE`
    names it; without that, it is the nearest `.nbflow` from ``start`` (this folder by default) up
    to the root of the project, and else a new one in ``start``. A new store keeps its values at
    ``objects``, an address such as `s3://bucket/folder`.
    """
    named = location if location is not None else os.environ.get("NBFLOW_STORE")
    root = find_store(Path(start or ".")) if not named else _folder(Path(named))
    if not (root / "nbflow.db").exists():
        if not create:
            raise store_error(
                f"There is no store in {root.parent}.",
                "`nbflow run NOTEBOOK` makes one beside the notebook; `--store` names another.",
            )
        _make(root)
    return Store(root, objects)


def find_store(start: Path) -> Path:
    """The store folder that serves ``start``, whether it exists or not."""
    start = start.resolve()
    if start.is_file():
        start = start.parent
    candidates = [start, *start.parents]
    project = next(
        (
            folder
            for folder in candidates
            if (folder / "pyproject.toml").exists() or (folder / ".git").exists()
        ),
        start,
    )
    for folder in candidates:
        if (folder / FOLDER / "nbflow.db").exists():
            return folder / FOLDER
        if folder == project:
            break
    return start / FOLDER


def _folder(path: Path) -> Path:
    path = path.expanduser().absolute()
    return path if path.name == FOLDER or (path / "nbflow.db").exists() else path / FOLDER


def _make(root: Path) -> None:
    try:
        root.mkdir(parents=True, exist_ok=True)
        ignore = root / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    except OSError as error:
        raise store_error(
            f"No store can be made in {root.parent}: {error.strerror}.",
            "Check the folder's permissions, or name another with `--store`.",
        ) from error
