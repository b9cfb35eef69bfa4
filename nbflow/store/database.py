"""Database: a thin face over SQLite, so that everything above speaks plain portable SQL."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbflow.errors import StoreError, store_error

#: seconds that a writer waits for another one
BUSY = 30.0

Row = sqlite3.Row


class Database:
    """One database file: a connection for each thread, opened when first used."""

    #: what a SELECT in a transaction ends in, so that its row stays as it is until the end: here
    #: nothing, as only one transaction writes at a time
    share = ""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """All rows of a SELECT."""
        with self._translated():
            return self._connection().execute(sql, parameters).fetchall()

    def each(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        """The rows of a SELECT one by one, for tables too large to hold."""
        with self._translated():
            yield from self._connection().execute(sql, parameters)

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        """The first row, or None."""
        with self._translated():
            row: Row | None = self._connection().execute(sql, parameters).fetchone()
            return row

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Change rows; returns how many. Outside `transaction` it is one of its own."""
        with self._translated():
            return self._connection().execute(sql, parameters).rowcount

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Change many rows, in one transaction."""
        with self.transaction(), self._translated():
            self._connection().executemany(sql, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Takes the write lock at once; an inner one joins the outer."""
        connection = self._connection()
        if connection.in_transaction:
            yield
            return
        with self._translated():
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                # a full disk has already rolled back
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def clock(self) -> float:
        """Seconds since the epoch, by the one clock that all who use the database go by."""
        return time.time()

    def close(self) -> None:
        """Close the connections of all threads; a later use opens a new one."""
        with self._lock:
            connections, self._connections = self._connections, []
            self._local = threading.local()
        for connection in connections:
            connection.close()

    def _connection(self) -> sqlite3.Connection:
        # a connection must not be carried over a fork
        held: tuple[int, sqlite3.Connection] | None = getattr(self._local, "held", None)
        if held is not None and held[0] == os.getpid():
            return held[1]
        connection = self._connect()
        self._local.held = (os.getpid(), connection)
        with self._lock:
            self._connections.append(connection)
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=BUSY, isolation_level=None, check_same_thread=False
        )
        try:
            connection.row_factory = sqlite3.Row
            _use_wal(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA temp_store = MEMORY")
        except BaseException:
            connection.close()
            raise
        return connection

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
                "Free some space (`nbflow gc` frees what no run reaches), then run again.",
            )
        if "readonly" in text or "unable to open" in text:
            return store_error(
                f"The store {self.path} cannot be opened or written: {text}.",
                "Check that the folder exists and that you may write there.",
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
