"""PostedTable: what a run's driver and its tasks on other machines leave for each other."""

from __future__ import annotations

import dataclasses
import json
import secrets
from collections.abc import Sequence
from typing import Any

from nbflow.errors import user_error
from nbflow.store.database import lasting
from nbflow.store.lease import LeaseTable
from nbflow.store.records import Part, TaskRecord


class PostedTable(LeaseTable):
    """The part of the store for orders (what a pod is to do) and posts (how it went)."""

    def put_order(self, run: int, name: str, order: dict[str, Any]) -> None:
        """Keep what a process elsewhere is to do, so that only its name crosses an orchestrator."""
        self.db.execute(
            "INSERT INTO orders (run_id, name, content) VALUES (?, ?, ?)"
            " ON CONFLICT (run_id, name) DO UPDATE SET content = excluded.content",
            (run, name, json.dumps(order, separators=(",", ":"))),
        )

    def order(self, run: int, name: str) -> dict[str, Any]:
        """The order of this name; a `UserError` where the run has none."""
        row = self.db.one("SELECT content FROM orders WHERE run_id = ? AND name = ?", (run, name))
        if row is None:
            raise user_error(
                "NBF407",
                f"The run {run} has no order {name!r}.",
                "Orders are the engine's own, and gone when the run has ended.",
            )
        content: dict[str, Any] = json.loads(row["content"])
        return content

    @lasting
    def post(self, run: int, token: str, records: Sequence[TaskRecord]) -> None:
        """Leave attempts that have ended for the run's driver, all or none.

        ``token`` is a word of the engine's, by which it knows who posts. What the same one posts
        twice counts once.
        """
        self.db.executemany(
            'INSERT INTO posted (run_id, step, part, "key", attempt, token, record, taken)'
            " VALUES (?, ?, ?, ?, ?, ?, ?, 0)"
            ' ON CONFLICT (run_id, step, part, "key", attempt, token) DO NOTHING',
            [
                (
                    run,
                    record.step,
                    record.part,
                    record.key,
                    record.attempt,
                    token,
                    json.dumps(dataclasses.asdict(record), separators=(",", ":")),
                )
                for record in records
            ],
        )

    def take_posted(self, run: int, driver: str | None = None) -> list[tuple[str, TaskRecord]]:
        """What was posted since the last time, in the order of posting, with who posted it.

        Each is given once to a driver. It is gone from the store when the attempt is published:
        a driver that dies in between has lost nothing, as the next one's claim brings it back.
        With ``driver``, only while that one drives the run, as it would keep them from the next
        one; else a `LeaseLostError`.
        """
        # a mark of this call's own: it can be done again where nobody knows whether it was
        mark = secrets.randbits(30) + 1
        return self._take(run, mark, driver)

    @lasting
    def _take(self, run: int, mark: int, driver: str | None) -> list[tuple[str, TaskRecord]]:
        with self.db.transaction():
            self.fence(run, driver)
            self.db.execute(
                "UPDATE posted SET taken = ? WHERE run_id = ? AND taken = 0", (mark, run)
            )
            rows = self.db.query(
                "SELECT token, record FROM posted WHERE run_id = ? AND taken = ? ORDER BY id",
                (run, mark),
            )
        return [(row["token"], _record(json.loads(row["record"]))) for row in rows]

    def settle_posted(self, run: int, ended: Sequence[tuple[str, Part, str, int]]) -> None:
        """Inside a transaction: forget posts of attempts (step, part, key, number) now recorded."""
        if ended and self.db.one("SELECT 1 FROM posted WHERE run_id = ?", (run,)) is not None:
            self.db.executemany(
                'DELETE FROM posted WHERE run_id = ? AND step = ? AND part = ? AND "key" = ?'
                " AND attempt <= ?",
                [(run, *at) for at in ended],
            )

    @lasting
    def clear_posted(self, run: int) -> None:
        """Forget all posts and orders of a run that is over."""
        with self.db.transaction():
            self.db.execute("DELETE FROM posted WHERE run_id = ?", (run,))
            self.db.execute("DELETE FROM orders WHERE run_id = ?", (run,))


def _record(fields: dict[str, Any]) -> TaskRecord:
    return TaskRecord(**fields | {"changed": tuple(fields["changed"])})
