"""Store: everything a flow leaves behind, in one place with two sides: records and values."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from nbflow.errors import store_error
from nbflow.store.address import cache_folder, is_database, keep_password
from nbflow.store.database import Database
from nbflow.store.deployment_table import DeploymentTable
from nbflow.store.interactive import InteractiveTable
from nbflow.store.objects import LocalObjects, Objects
from nbflow.store.remote import RemoteObjects
from nbflow.store.run_table import RunTable
from nbflow.store.schema import migrate
from nbflow.store.sqlite import SQLite
from nbflow.store.task_table import TaskTable
from nbflow.store.values import ValueSide
from nbflow.store.version_table import VersionTable

FOLDER = ".nbflow"


class Store(VersionTable, RunTable, TaskTable, DeploymentTable, InteractiveTable, ValueSide):
    """A database of records, and values as files: here, on a shared volume or in an object store.

    With a folder `.nbflow`, the database is a file there. Safe to use from several threads and
    processes at once.
    """

    def __init__(
        self, root: Path, db: Database[Any], url: str, objects: str | None, new_objects: str | None
    ) -> None:
        #: a folder of this machine's: the store itself, or a cache of one that is elsewhere
        self.root = root
        self.db = db
        #: the short string that opens this store elsewhere, without a password
        self.url = url
        try:
            migrate(db, objects or new_objects)
            held = self._objects_url(objects)
        except BaseException:
            db.close()
            raise
        self.objects: Objects = _objects(held, root)

    @property
    def folder(self) -> Path | None:
        """The folder that all of the store is in; None where its records are in a database."""
        return None if "://" in self.url else self.root

    def close(self) -> None:
        """Let go of the database."""
        self.db.close()

    def _objects_url(self, wanted: str | None) -> str | None:
        """Where values lie is settled when the store is made, and the same ever after."""
        row = self.db.one("SELECT value FROM settings WHERE name = 'objects'")
        held = None if row is None else str(row["value"])
        if wanted is not None and held != wanted:
            where = held or "the store's folder"
            raise store_error(
                f"The store {self.url} keeps its values at {where}, not at {wanted}.",
                "Take that address, or make a new store.",
            )
        return held


def open_store(
    location: str | Path | None = None,
    start: str | Path | None = None,
    *,
    objects: str | None = None,
    new_objects: str | None = None,
    create: bool = True,
    wait: float = 0.0,
) -> Store:
    """The store at ``location``, else the one that serves the folder ``start``.

    ``location`` is a `.nbflow` folder, the folder that holds it, or the address of a PostgreSQL
    database, `postgresql://[USER@]HOST[:PORT]/NAME`; without one, `NBFLOW_STORE` names it; without
    that, it is the nearest `.nbflow` from ``start`` (this folder by default) up to the root of the
    project, and else a new one in ``start``. A new store keeps its values at ``objects``, else at
    ``new_objects``, else at `NBFLOW_OBJECTS`: a folder, or an address such as
    `s3://bucket/folder`; a store that keeps them elsewhere than at ``objects`` is a `StoreError`.
    ``wait`` is for how many seconds to try where a server does not answer.
    """
    named = location if location is not None else os.environ.get("NBFLOW_STORE")
    objects = objects_address(objects)
    new_objects = objects_address(new_objects or os.environ.get("NBFLOW_OBJECTS"))
    if named and is_database(named):
        return _open_database(str(named), objects, new_objects, create, wait)
    root = find_store(Path(start or ".")) if not named else store_folder(named)
    if not _holds_store(root):
        if not create:
            raise store_error(
                f"There is no store in {root.parent}.",
                "`nbflow run NOTEBOOK` makes one beside the notebook; `--store` names another.",
            )
        if objects or new_objects:
            _objects(objects or new_objects, root).check(str(root))
        _make(root)
    return Store(root, SQLite(root / "nbflow.db"), str(root), objects, new_objects)


def _open_database(
    location: str, objects: str | None, new_objects: str | None, create: bool, wait: float
) -> Store:
    from nbflow.store.postgres import Postgres

    url = keep_password(location)
    db = Postgres(url, wait)
    if not db.has_table("migrations"):
        db.close()
        if not create:
            raise store_error(
                f"There is no store in the database {db.name}.",
                "`nbflow run NOTEBOOK` with this --store makes one.",
            )
        if not objects and not new_objects:
            raise store_error(
                f"A new store in the database {db.name} needs a place for its values.",
                "Set NBFLOW_OBJECTS, or `objects` in [tool.nbflow], to an address such as "
                "s3://BUCKET/FOLDER or to a folder that all machines share.",
            )
        try:
            _objects(objects or new_objects, cache_folder(url)).check(url)
        except BaseException:
            db.close()
            raise
    return Store(cache_folder(url), db, url, objects, new_objects)


def has_store(location: str | Path) -> bool:
    """Whether there is a store already in this folder or database."""
    if not is_database(location):
        return _holds_store(store_folder(location))
    from nbflow.store.postgres import Postgres

    db = Postgres(keep_password(str(location)))
    try:
        return db.has_table("migrations")
    finally:
        db.close()


def _objects(held: str | None, root: Path) -> Objects:
    """Values at the address that is settled; in the store's folder where there is none."""
    if held is None:
        return LocalObjects(root)
    if "://" not in held or held.startswith("file://"):
        return LocalObjects(Path(held.removeprefix("file://")))
    return RemoteObjects(held, root / "cache")


def objects_address(named: str | None) -> str | None:
    """The address of values as it is kept: a folder by its whole path."""
    if not named:
        return None
    if "://" in named and "@" in named.partition("://")[2].partition("/")[0]:
        raise store_error(
            "The address of the values has a key in it, and would be kept with it.",
            "Give keys by the environment or a profile, for S3 AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, and only s3://BUCKET/FOLDER as the address.",
        )
    return named if "://" in named else str(Path(named).expanduser().absolute())


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
        if _holds_store(folder / FOLDER):
            return folder / FOLDER
        if folder == project:
            break
    return start / FOLDER


def store_folder(location: str | Path) -> Path:
    """The store's own folder, of a location that may be the folder that holds it."""
    path = Path(location).expanduser().absolute()
    return path if path.name == FOLDER or _holds_store(path) else path / FOLDER


def _holds_store(folder: Path) -> bool:
    try:
        (folder / "nbflow.db").stat()
    except PermissionError:
        raise store_error(
            f"You may not look into {folder}.",
            "Ask its owner for the right to, or name another store with `--store`.",
        ) from None
    except (OSError, ValueError):
        return False
    return True


def _make(root: Path) -> None:
    file = next((one for one in (root, *root.parents) if os.path.isfile(one)), None)
    if file is not None:
        raise store_error(
            f"No store can be made in {root}: {file} is a file, not a folder.",
            "Move it away, or name another folder with `--store`.",
        )
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
