"""SQLite: the store's database as a file of its own, in WAL mode."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbflow.errors import StoreError, read_only, store_error
from nbflow.store.database import BUSY, Database, Row


class SQLite(Database[sqlite3.Connection]):
    """One database file. A transaction takes the write lock at once, so that each is alone."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.name = str(path)

    def each(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        """The rows of a SELECT one by one."""
        with self._translated():
            yield from self._connection().execute(sql, parameters)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Change many rows, in one transaction."""
        with self.transaction(), self._translated():
            self._connection().executemany(sql, rows)

    def version(self) -> object:
        """A number that changes when another connection has written."""
        row = self.one("PRAGMA data_version")
        return None if row is None else row[0]

    def has_table(self, name: str) -> bool:
        """Whether there is a table of that name."""
        found = self.one("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,))
        return found is not None

    def _connect(self) -> sqlite3.Connection:
        try:
            return self._open("rwc")
        except sqlite3.OperationalError as error:
            if not any(word in str(error) for word in ("readonly", "unable to open")):
                raise
            # a store that one may only read; without the log's files nobody writes to it
            unlogged = not os.path.exists(f"{self.path}-wal")
            try:
                return self._open("ro&immutable=1" if unlogged else "ro")
            except sqlite3.OperationalError:
                raise error from None

    def _open(self, mode: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}",
            timeout=BUSY,
            isolation_level=None,
            check_same_thread=False,
            uri=True,
        )
        try:
            connection.row_factory = sqlite3.Row
            if mode == "rwc":
                _use_wal(connection)
            else:
                connection.execute("SELECT 1 FROM sqlite_master")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA temp_store = MEMORY")
        except BaseException:
            connection.close()
            raise
        return connection

    def _close(self, connection: sqlite3.Connection) -> None:
        connection.close()

    def _execute(
        self, connection: sqlite3.Connection, sql: str, parameters: Sequence[Any] = ()
    ) -> sqlite3.Cursor:
        return connection.execute(sql, parameters)

    def _within(self, connection: sqlite3.Connection) -> bool:
        return connection.in_transaction

    def _begin(self, connection: sqlite3.Connection, alone: bool) -> None:
        connection.execute("BEGIN IMMEDIATE")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            translated = self._translate(error)
            if translated is None:
                raise
            raise translated from error

    def _translate(self, error: sqlite3.DatabaseError) -> StoreError | None:
        """The error as a sentence, where it is about the file and not about our SQL."""
        text = str(error)
        if "disk is full" in text or "disk I/O" in text:
            return store_error(
                f"The disk that holds the store {self.path} is full or cannot be written.",
                "Free a megabyte there by hand; then `nbflow gc --keep-last N` deletes old runs.",
            )
        if "readonly" in text:
            return read_only(f"The store {self.path} can only be read: you may not write there.")
        if "unable to open" in text:
            return store_error(
                f"The store {self.path} cannot be opened: {text}.",
                "Check that the folder exists and that you may read it.",
            )
        if "not a database" in text or "malformed" in text:
            return store_error(
                f"{self.path} is not a store of nbflow, or it is damaged: {text}.",
                "Move the file away, or name another store.",
            )
        if "locked" in text:
            return store_error(
                f"Another process has kept the store {self.path} locked for {BUSY:.0f} seconds.",
                "Try again when it has ended.",
            )
        return None


def _use_wal(connection: sqlite3.Connection) -> None:
    # SQLite does not wait for the lock when two processes switch a new file to WAL at once
    until = time.monotonic() + BUSY
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)
