"""Database: a thin face over SQLite or PostgreSQL, so that all above speaks plain portable SQL.

Portable means: `?` stands for a parameter; types are `TEXT`, `INTEGER`, `BIGINT`, `DOUBLE
PRECISION` and `BLOB`; an `id INTEGER PRIMARY KEY` is given by the database; `LIKE` does not tell
upper case from lower; texts sort by their bytes. What a database has otherwise, its module
translates.
"""

from __future__ import annotations

import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any, Generic, Protocol, TypeVar, cast

from nbflow.errors import StoreError

F = TypeVar("F", bound=Callable[..., Any])
R = TypeVar("R")
#: a connection of the library's
C = TypeVar("C")

#: seconds that a writer waits for another one
BUSY = 30.0


#: seconds for which whatever works for a run puts up with a server that does not answer
OUTAGE = 120.0


class Row(Protocol):
    """A row: `row["name"]`, `row[0]`, `*row`."""

    def __getitem__(self, key: Any, /) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...


class ConnectionLostError(StoreError):
    """The connection broke while it was used; what was not committed is not there."""


class Database(ABC, Generic[C]):
    """One database: a connection for each thread, opened when first used."""

    #: what messages call it
    name: str
    #: seconds for which a broken connection is made anew
    patience = 0.0
    #: what a SELECT in a transaction ends in, so that its row stays as it is until the end
    hold = ""

    def __init__(self) -> None:
        self._local = threading.local()
        self._connections: list[tuple[threading.Thread, int, C]] = []
        self._lock = threading.Lock()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """All rows of a SELECT."""
        return self.again(lambda: self._run(sql, parameters).fetchall())

    @abstractmethod
    def each(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        """The rows of a SELECT one by one, for tables too large to hold."""

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        """The first row, or None."""
        row: Row | None = self.again(lambda: self._run(sql, parameters).fetchone())
        return row

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Change rows; returns how many. Outside `transaction` it is one of its own."""
        return self.again(lambda: int(self._run(sql, parameters).rowcount))

    @abstractmethod
    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Change many rows, in one transaction."""

    @contextmanager
    def transaction(self, *, alone: bool = False) -> Iterator[None]:
        """All or nothing; an inner one joins the outer.

        With ``alone``, no other transaction that says so goes on at the same time.
        """
        connection = self._connection()
        if self._within(connection):
            yield
            return
        connection = self.again(lambda: self._begun(alone))
        with self._translated():
            try:
                yield
            except BaseException:
                # a full disk or a lost connection has already rolled back
                if self._within(connection):
                    self._execute(connection, "ROLLBACK")
                raise
            self._execute(connection, "COMMIT")

    def again(self, action: Callable[[], R]) -> R:
        """Do it; where the connection breaks meanwhile, do all of it again for a while."""
        return action()

    def clock(self) -> float:
        """Seconds since the epoch, by the one clock that all who use the database go by."""
        return time.time()

    @abstractmethod
    def version(self) -> object:
        """Differs from an earlier one where others have written since; ask in one thread only."""

    @abstractmethod
    def has_table(self, name: str) -> bool:
        """Whether there is a table of that name."""

    def close(self) -> None:
        """Close the connections of all threads; a later use opens a new one."""
        with self._lock:
            connections, self._connections = self._connections, []
            self._local = threading.local()
        for _, process, connection in connections:
            # one that a fork has carried over is its parent's
            if process == os.getpid():
                self._close(connection)

    def __del__(self) -> None:
        # who has no more use for a store need not close it; from 3.13 on Python would warn of that
        with suppress(Exception):
            self.close()

    def _begun(self, alone: bool) -> C:
        connection = self._connection()
        with self._translated():
            self._begin(connection, alone)
        return connection

    def _run(self, sql: str, parameters: Sequence[Any]) -> Any:
        with self._translated():
            return self._execute(self._connection(), sql, parameters)

    def _connection(self) -> C:
        # a connection must not be carried over a fork
        held: tuple[int, C] | None = getattr(self._local, "held", None)
        if held is not None and held[0] == os.getpid():
            return held[1]
        with self._translated():
            connection = self._connect()
        self._local.held = (os.getpid(), connection)
        with self._lock:
            ended = [one for one in self._connections if not one[0].is_alive()]
            self._connections = [one for one in self._connections if one[0].is_alive()]
            self._connections.append((threading.current_thread(), os.getpid(), connection))
        for _, process, one in ended:
            if process == os.getpid():
                self._close(one)
        return connection

    def _drop(self) -> None:
        """Forget this thread's connection: it is broken."""
        held: tuple[int, C] | None = getattr(self._local, "held", None)
        if held is None:
            return
        self._local.held = None
        with self._lock:
            self._connections = [one for one in self._connections if one[2] is not held[1]]
        self._close(held[1])

    @abstractmethod
    def _connect(self) -> C: ...

    @abstractmethod
    def _close(self, connection: C) -> None: ...

    @abstractmethod
    def _execute(self, connection: C, sql: str, parameters: Sequence[Any] = ()) -> Any: ...

    @abstractmethod
    def _within(self, connection: C) -> bool:
        """Whether a transaction is open."""

    @abstractmethod
    def _begin(self, connection: C, alone: bool) -> None: ...

    @abstractmethod
    def _translated(self) -> Any:
        """A context that turns the library's errors into sentences."""


def lasting(method: F) -> F:
    """For a method that may be done twice: it outlasts a broken connection (`Database.again`)."""

    @wraps(method)
    def kept(self: Any, *args: Any, **kwargs: Any) -> Any:
        return self.db.again(lambda: method(self, *args, **kwargs))

    return cast(F, kept)
