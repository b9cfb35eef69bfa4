"""PostgreSQL: the store's database on a server, for runs that several machines work on."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from nbflow.errors import StoreError, store_error
from nbflow.store.address import password_of, password_worked
from nbflow.store.database import BUSY, ConnectionLostError, Database, Row

if TYPE_CHECKING:
    import psycopg

R = TypeVar("R")

#: seconds for which a broken connection is made anew
PATIENCE = 10.0
#: seconds between two attempts to connect, at most
_PAUSE = 2.0
#: seconds after which the server is asked for the time again
_CLOCK = 60.0
#: one of all locks that applications can take in a database: that of `transaction(alone=True)`
_ALONE = 0x6E62666C6F77
#: rows that come at a time of a SELECT that is not held
_ROWS = 2000

_SETTINGS = {
    "connect_timeout": 10,
    "fallback_application_name": "nbflow",
    "client_encoding": "utf8",
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}


class Postgres(Database[Any]):
    """One database of a PostgreSQL server. A connection that breaks is made anew."""

    hold = " FOR UPDATE"

    def __init__(self, address: str, wait: float = 0.0) -> None:
        """``wait``: seconds that the first connection may take where no server answers."""
        super().__init__()
        self._address = address
        self.name = address.partition("?")[0]
        #: seconds for which a broken connection is made anew
        self.patience = max(wait, PATIENCE)
        self._reached = wait > 0
        self._clock = (0.0, float("-inf"))
        self._again = threading.local()

    def __del__(self) -> None:
        # whoever looks at a run in a notebook closes nothing
        try:  # noqa: SIM105 (as the interpreter ends, contextlib may be gone)
            self.close()
        except Exception:
            pass

    def each(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        """The rows of a SELECT as they come from the server."""
        with (
            self.transaction(),
            self._translated(),
            self._connection().cursor(name="nbflow_each") as cursor,
        ):
            cursor.itersize = _ROWS
            cursor.execute(_statement(sql), _values(parameters))
            yield from cursor

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Change many rows, in one transaction."""
        held = [_values(row) for row in rows]
        with (
            self.transaction(),
            self._translated(),
            self._connection().cursor() as cursor,
        ):
            cursor.executemany(_statement(sql), held)

    def again(self, action: Callable[[], R]) -> R:
        """Do it; where the connection breaks meanwhile, do all of it again for a while."""
        held = getattr(self._local, "held", None)
        if getattr(self._again, "within", False) or (held is not None and self._within(held[1])):
            return action()
        until: float | None = None
        pause = 0.05
        self._again.within = True
        try:
            while True:
                try:
                    return action()
                except ConnectionLostError:
                    self._drop()
                    now = time.monotonic()
                    until = until or now + self.patience
                    if now > until:
                        raise
                    time.sleep(pause)
                    pause = min(2 * pause, _PAUSE)
        finally:
            self._again.within = False

    def clock(self) -> float:
        """The server's time, by this machine's clock and how far the two are apart."""
        apart, asked = self._clock
        if time.monotonic() - asked > _CLOCK:
            began = time.time()
            row = self.one("SELECT CAST(extract(epoch FROM clock_timestamp()) AS FLOAT) AS now")
            assert row is not None
            apart = row["now"] - (began + time.time()) / 2
            self._clock = apart, time.monotonic()
        return time.time() + apart

    def version(self) -> object:
        """The snapshot of transactions: another one where anybody has written."""
        row = self.one("SELECT CAST(txid_current_snapshot() AS TEXT)")
        return None if row is None else row[0]

    def has_table(self, name: str) -> bool:
        """Whether there is a table of that name."""
        # not by `to_regclass`, which in a transaction may remember that there was none
        found = self.one(
            "SELECT 1 FROM pg_tables"
            " WHERE tablename = ? AND schemaname = ANY(current_schemas(false))",
            (name,),
        )
        return found is not None

    def _connect(self) -> Any:
        psycopg = _library()
        asked = {
            name: value
            for name, value in _SETTINGS.items()
            if name not in psycopg.conninfo.conninfo_to_dict(self._address)
        }
        password = password_of(self._address)
        if password is not None:
            asked["password"] = password
        try:
            connection = psycopg.connect(self._address, autocommit=True, row_factory=_rows, **asked)
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                password_worked(self._address, False)
            raise
        password_worked(self._address, True)
        try:
            connection.execute(
                "SELECT set_config('lock_timeout', %s, false)", (f"{BUSY * 1000:.0f}",)
            )
        except BaseException:
            connection.close()
            raise
        self._reached = True
        return connection

    def _close(self, connection: Any) -> None:
        connection.close()

    def _execute(self, connection: Any, sql: str, parameters: Sequence[Any] = ()) -> Any:
        return connection.execute(_statement(sql), _values(parameters))

    def _within(self, connection: Any) -> bool:
        from psycopg.pq import TransactionStatus

        idle = (TransactionStatus.IDLE, TransactionStatus.UNKNOWN)
        return not connection.closed and connection.info.transaction_status not in idle

    def _begin(self, connection: Any, alone: bool) -> None:
        connection.execute("BEGIN")
        if alone:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_ALONE,))

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        psycopg = _library()
        try:
            yield
        except psycopg.Error as error:
            translated = self._translate(error)
            if translated is None:
                raise
            raise translated from error

    def _translate(self, error: psycopg.Error) -> StoreError | None:
        """The error as a sentence, where it is about the server and not about our SQL."""
        psycopg = _library()
        state = error.sqlstate or ""
        text = " ".join(str(error).split()).partition(" Is the server running")[0]
        for known, sentence, fix in _SENTENCES:
            if state == known or (not state and known in text):
                return store_error(sentence.format(name=self.name, text=text), fix)
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            # a deadlock is no broken connection, but the way out is the same
            lost = not state or state.startswith(("08", "57P", "53300", "40P01"))
            sentence = f"The PostgreSQL server of {self.name} does not answer: {text}"
            fix = "Check host and port, and that the server runs and accepts connections."
            told = store_error(sentence.rstrip(".") + ".", fix)
            if lost and (self._reached or state == "53300" or _busy(text)):
                return ConnectionLostError(told.diagnostics)
            return told if lost else None
        return None


#: what PostgreSQL says, by state or by text where it was before the connection; what nbflow says
_SENTENCES = (
    (
        "password authentication failed",
        "PostgreSQL refuses the user of {name}: the password is wrong.",
        "Set PGPASSWORD, or put it into ~/.pgpass: nbflow keeps no passwords.",
    ),
    (
        "no password supplied",
        "PostgreSQL asks for the password of {name}, and there is none.",
        "Set PGPASSWORD, or put it into ~/.pgpass: nbflow keeps no passwords.",
    ),
    (
        "no pg_hba.conf entry",
        "PostgreSQL lets nobody in from here: {text}.",
        "Ask whoever runs the server for an entry in its pg_hba.conf.",
    ),
    (
        "does not exist",
        "There is no such database or user at {name}: {text}.",
        "Make the database (`createdb NAME`), or check the address.",
    ),
    (
        "not permitted to log in",
        "PostgreSQL refuses the user of {name}: {text}.",
        "Name another user: postgresql://USER@HOST/NAME.",
    ),
    (
        "53100",
        "The disk of the PostgreSQL server of {name} is full.",
        "Free some space there (`nbflow gc` frees what no run reaches), then run again.",
    ),
    (
        "42501",
        "The user of {name} may not do this: {text}.",
        "It needs the right to make and write tables in the database's schema.",
    ),
    (
        "25006",
        "The store {name} cannot be written: it is a read-only server, or its user may only read.",
        "Name the primary server, or another user.",
    ),
    (
        "55P03",
        "Another process has kept the store {name} locked for 30 seconds.",
        "Try again when it has ended.",
    ),
)


class _PostgresRow(tuple[Any, ...]):
    """A row that can be asked by name as well."""

    __slots__ = ()
    _places: ClassVar[dict[str, int]]

    def __getitem__(self, key: Any) -> Any:
        return tuple.__getitem__(self, self._places[key] if isinstance(key, str) else key)


def _rows(cursor: psycopg.Cursor[Any]) -> Callable[[Sequence[Any]], Row]:
    return _row_class(tuple(column.name for column in cursor.description or ()))


@lru_cache(256)
def _row_class(names: tuple[str, ...]) -> type[_PostgresRow]:
    places = {name: place for place, name in enumerate(names)}
    return type("Row", (_PostgresRow,), {"__slots__": (), "_places": places})


@lru_cache(512)
def _statement(sql: str) -> Any:
    """The SQL as PostgreSQL takes it."""
    sql = sql.replace("%", "%%").replace("?", "%s").replace(" LIKE ", " ILIKE ")
    if sql.startswith(("CREATE TABLE", "ALTER TABLE")):
        # texts are compared by their bytes, whatever language the database was made for
        sql = sql.replace(" TEXT", ' TEXT COLLATE "C"').replace(" BLOB", " BYTEA")
        numbered = "id INTEGER GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"
        sql = re.sub(r"\bid INTEGER PRIMARY KEY", numbered, sql)
    return sql


def _values(parameters: Sequence[Any]) -> tuple[Any, ...]:
    # no text of PostgreSQL's can hold a NUL
    return tuple(
        one.replace("\0", "\ufffd") if isinstance(one, str) and "\0" in one else one
        for one in parameters
    )


def _busy(text: str) -> bool:
    """Whether a server that is there takes no connection for now."""
    return "too many clients" in text or "starting up" in text or "shutting down" in text


def _library() -> Any:
    try:
        import psycopg
    except ImportError:
        raise store_error(
            "A store in PostgreSQL needs psycopg, which is not installed here.",
            "pip install 'nbflow[postgres]'",
        ) from None
    return psycopg
