"""History of tinkering: what each execution of a tagged cell was and gave, in a small file.

"What did I try an hour ago?" These are no runs: they stand in a file of their own beside the store,
which holds a bounded number of bounded rows, so that it can neither fill the disk nor keep `gc`
from freeing anything. `%nbflow history off` turns it off; so does `NBFLOW_HISTORY=0`.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: executions that are kept, and what is kept of each
KEPT = 2000
_CODE = 16_000
_SHOWN = 2_000
_VALUE = 200
_VALUES = 4_000
_NAMES = 40

_SCHEMA = """
create table if not exists execution (
    id integer primary key,
    kernel text not null,
    step text not null,
    cell text,
    started real not null,
    seconds real not null,
    status text not null,
    code text not null,
    made text not null,
    shown text not null
);
create index if not exists execution_step on execution (step, id);
"""


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution of a tagged cell; ``made`` are its small values, and what larger ones were."""

    id: int
    kernel: str
    step: str
    cell: str | None
    started: float
    seconds: float
    status: str
    code: str
    made: dict[str, Any]
    shown: str


class Executions(Sequence[Execution]):
    """Executions as a table, newest first."""

    def __init__(self, rows: Iterable[Execution]) -> None:
        self._rows = tuple(rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]

    def __repr__(self) -> str:
        from nbflow.client.text import duration, when

        if not self._rows:
            return "No tagged cell has run here yet."
        return "\n".join(
            f"{one.id:>5}  {when(one.started)}  {one.step:<16} {one.status:<9} "
            f"{duration(one.seconds):>8}  {_brief(one.made)}"
            for one in self._rows
        )

    def _repr_html_(self) -> str:
        from nbflow.client.html import cell, code, dim, folded, page, status, table, title
        from nbflow.client.text import duration, when

        rows = [
            (
                cell(one.id),
                dim(when(one.started)),
                cell(one.step),
                status(one.status),
                cell(duration(one.seconds)),
                cell(_brief(one.made)),
                folded("code", code(one.code) + (code(one.shown) if one.shown else "")),
            )
            for one in self._rows
        ]
        head = ("", "when", "step", "", "took", "made", "")
        return page(title("What ran in the kernel"), table(head, rows))


class History:
    """The file of executions; it comes to be with the first one."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "kernel.db"
        self.on = os.environ.get("NBFLOW_HISTORY", "1") not in ("0", "off", "false")
        self.kernel = f"{time.strftime('%Y-%m-%d %H:%M')} {os.getpid()}"
        self._connection: sqlite3.Connection | None = None

    def add(
        self,
        step: str,
        cell: str | None,
        started: float,
        status: str,
        code: str,
        made: Mapping[str, Any],
        shown: str = "",
    ) -> None:
        """Remember an execution; a file that cannot be written turns the history off."""
        if not self.on:
            return
        row = (
            self.kernel,
            step,
            cell,
            started,
            time.time() - started,
            status,
            code[:_CODE],
            _encode(made),
            shown[:_SHOWN],
        )
        try:
            connection = self._open()
            with connection:
                added = connection.execute(
                    "insert into execution values (null, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row
                ).lastrowid
                connection.execute("delete from execution where id <= ?", ((added or 0) - KEPT,))
        except (sqlite3.Error, OSError):
            self.on = False

    def newest(self, step: str | None = None, count: int = 30) -> Executions:
        """The newest executions, of one step or of all."""
        return self._select("where ? is null or step = ? order by id desc", (step, step), count)

    def one(self, number: int) -> Execution | None:
        """An execution by its number."""
        found = self._select("where id = ?", (number,), 1)
        return found[0] if found else None

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _select(self, where: str, values: tuple[Any, ...], count: int) -> Executions:
        if not self.file.exists():
            return Executions(())
        query = f"select * from execution {where} limit ?"
        with closing(self._open().execute(query, (*values, count))) as cursor:
            return Executions(_execution(row) for row in cursor.fetchall())

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self.file, timeout=1, check_same_thread=False)
            # losing the last rows in a power cut does not matter; waiting for the disk would
            self._connection.execute("pragma synchronous = off")
            self._connection.execute("pragma journal_mode = wal")
            self._connection.executescript(_SCHEMA)
        return self._connection


def small(value: Any) -> Any:
    """A value as history shows it: itself where it is plain and small, else what it is."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return value if len(value) <= _VALUE else f"{value[:_VALUE]}…"
    kind = type(value).__name__
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return value.item()  # a number of numpy's
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"{kind} {' by '.join(map(str, shape))}"
    if isinstance(value, (list, tuple, dict, set)):
        return _short(value, _VALUE) if len(value) <= 20 else f"{kind} of {len(value)}"
    return kind


def shown_text(outputs: Iterable[Any]) -> str:
    """What a cell printed and showed, from the outputs that IPython remembers of it."""
    parts: list[str] = []
    for output in outputs:
        bundle = output.bundle
        parts.extend(bundle.get("stream") or [f"{bundle.get('text/plain', '')}\n"])
        if sum(map(len, parts)) > _SHOWN:
            break
    return "".join(parts)


def _execution(row: tuple[Any, ...]) -> Execution:
    number, kernel, step, cell, started, seconds, status, code, made, shown = row
    values = json.loads(made)
    return Execution(number, kernel, step, cell, started, seconds, status, code, values, shown)


def _encode(made: Mapping[str, Any]) -> str:
    kept: dict[str, Any] = {}
    size = 0
    for name, value in made.items():
        kept[name] = small(value)
        size += len(name) + len(str(kept[name]))
        if size > _VALUES or len(kept) == _NAMES:
            break
    return json.dumps(kept, default=str)


def _short(value: Any, limit: int) -> str:
    """A container's text, cut off: large things in it are not printed whole either."""
    import reprlib

    shortener = reprlib.Repr()
    shortener.maxlist = shortener.maxtuple = shortener.maxdict = shortener.maxset = 20
    try:
        return shortener.repr(value)[:limit]
    except Exception:
        return type(value).__name__


def _brief(made: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in made.items())[:160]
