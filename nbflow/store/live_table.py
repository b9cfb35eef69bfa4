"""LiveTable: the output of running tasks, in rows, for stores whose tasks run on other machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nbflow.store.database import Database, lasting
from nbflow.store.records import FINAL, LiveTask, Part

#: bytes of output in one row
CHUNK = 64 * 1024

_AT = 'run_id = ? AND step = ? AND part = ? AND "key" = ? AND attempt = ?'


class LiveTable:
    """The part of the store that keeps what running tasks print, until they are published."""

    db: Database[Any]

    @lasting
    def live_write(self, run: int, task: LiveTask, at: int, data: bytes) -> None:
        """Note that an attempt runs, and that it has printed ``data`` from byte ``at`` on.

        Empty data is a sign of life. What is written twice at one place stands there once. Of a
        run that is over nothing is noted.
        """
        where = (run, task.step, task.part, task.key, task.attempt)
        with self.db.transaction():
            row = self.db.one("SELECT status FROM runs WHERE id = ?", (run,))
            if row is None or (row["status"] in FINAL and row["status"] != "lost"):
                return
            self.db.execute(
                'INSERT INTO live_tasks (run_id, step, part, "key", attempt, worker, started, seen)'
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                ' ON CONFLICT (run_id, step, part, "key", attempt) DO UPDATE SET'
                " worker = excluded.worker, started = excluded.started, seen = excluded.seen",
                (*where, task.worker, task.started, self.db.clock()),
            )
            self.db.executemany(
                'INSERT INTO live_output (run_id, step, part, "key", attempt, place, data)'
                " VALUES (?, ?, ?, ?, ?, ?, ?)"
                ' ON CONFLICT (run_id, step, part, "key", attempt, place) DO UPDATE SET'
                " data = excluded.data",
                [
                    (*where, at + start, data[start : start + CHUNK])
                    for start in range(0, len(data), CHUNK)
                ],
            )

    def live_tasks(self, run: int) -> list[LiveTask]:
        """The attempts of a run that have said that they run and are not published yet."""
        rows = self.db.query(
            'SELECT step, part, "key", attempt, worker, started, seen FROM live_tasks'
            " WHERE run_id = ? ORDER BY started, step",
            (run,),
        )
        return [LiveTask(*row) for row in rows]

    def live_read(self, run: int, task: LiveTask, since: int = 0) -> bytes:
        """What an attempt has printed from byte ``since`` on."""
        parts: list[bytes] = []
        rows = self.db.query(
            f"SELECT place, data FROM live_output WHERE {_AT} AND place >= ? ORDER BY place",
            (run, task.step, task.part, task.key, task.attempt, max(0, since - CHUNK + 1)),
        )
        for row in rows:
            data = bytes(row["data"])
            parts.append(data[max(0, since - row["place"]) :])
        return b"".join(parts)

    def live_size(self, run: int, task: LiveTask) -> int:
        """Bytes that an attempt has printed, as far as it has told."""
        row = self.db.one(
            f"SELECT MAX(place + LENGTH(data)) AS size FROM live_output WHERE {_AT}",
            (run, task.step, task.part, task.key, task.attempt),
        )
        return 0 if row is None or row["size"] is None else int(row["size"])

    def settle_live(self, run: int, ended: Sequence[tuple[str, Part, str, int]]) -> None:
        """Inside a transaction: forget the output of attempts whose log is now recorded."""
        if ended and self.db.one("SELECT 1 FROM live_tasks WHERE run_id = ?", (run,)) is not None:
            for table in ("live_tasks", "live_output"):
                self.db.executemany(
                    f'DELETE FROM {table} WHERE run_id = ? AND step = ? AND part = ? AND "key" = ?'
                    " AND attempt <= ?",
                    [(run, *at) for at in ended],
                )

    @lasting
    def clear_live(self, run: int) -> None:
        """Forget the output of all attempts of a run that is over."""
        with self.db.transaction():
            self.db.execute("DELETE FROM live_tasks WHERE run_id = ?", (run,))
            self.db.execute("DELETE FROM live_output WHERE run_id = ?", (run,))
