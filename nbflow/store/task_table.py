"""TaskTable: the tasks of runs, published in batches and found by path, status or cache key."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from nbflow.store.database import Row, lasting
from nbflow.store.live_table import LiveTable
from nbflow.store.posted_table import PostedTable
from nbflow.store.records import (
    FINAL,
    AttemptRecord,
    CachedTask,
    Part,
    Status,
    StepSummary,
    TaskRecord,
    key_order,
)

_TASK_COLUMNS = (
    'run_id, step, part, ord, "key", status, attempt, started, finished, cache_key, artifacts,'
    ' item, "count", log, outputs, error, worker, cached_from, reason, changed, files'
)
_ATTEMPT_COLUMNS = (
    'run_id, step, part, ord, "key", attempt, status, started, finished, worker, log, outputs,'
    " error"
)

#: parameters in one statement; every database takes that many
_CHUNK = 500


class TaskTable(PostedTable, LiveTable):
    """The part of the store that keeps tasks and their attempts."""

    @lasting
    def publish(self, run: int, records: Sequence[TaskRecord], driver: str | None = None) -> None:
        """Write these tasks as they stand now, all or none; what was there is replaced.

        With ``driver``, only while that one drives the run; else a `LeaseLostError`.
        """
        ended = [(r.step, r.part, r.key, r.attempt) for r in records if r.status in FINAL]
        with self.db.transaction():
            self.fence(run, driver)
            self._write_tasks(run, records)
            self.settle_posted(run, ended)
            self.settle_live(run, ended)

    def _write_tasks(self, run: int, records: Sequence[TaskRecord]) -> None:
        self.db.executemany(
            _replace("tasks", _TASK_COLUMNS, "run_id, step, part, ord"),
            (
                (
                    run,
                    r.step,
                    r.part,
                    key_order(r.key),
                    r.key,
                    r.status,
                    r.attempt,
                    r.started,
                    r.finished,
                    r.cache_key,
                    json.dumps(r.artifacts, separators=(",", ":")),
                    _dump(r.item),
                    r.count,
                    _dump(r.log),
                    _dump(r.outputs),
                    _dump(r.error),
                    r.worker,
                    r.cached_from,
                    r.reason,
                    _dump(r.changed or None),
                    _dump(r.files or None),
                )
                for r in records
            ),
        )

    @lasting
    def add_attempts(
        self, run: int, records: Sequence[AttemptRecord], driver: str | None = None
    ) -> None:
        """Keep attempts that failed and were followed by another; ``driver`` as for `publish`."""
        ended = [(r.step, r.part, r.key, r.attempt) for r in records]
        with self.db.transaction():
            self.fence(run, driver)
            self._write_attempts(run, records)
            self.settle_posted(run, ended)
            self.settle_live(run, ended)

    def _write_attempts(self, run: int, records: Sequence[AttemptRecord]) -> None:
        self.db.executemany(
            _replace("attempts", _ATTEMPT_COLUMNS, "run_id, step, part, ord, attempt"),
            (
                (
                    run,
                    r.step,
                    r.part,
                    key_order(r.key),
                    r.key,
                    r.attempt,
                    r.status,
                    r.started,
                    r.finished,
                    r.worker,
                    _dump(r.log),
                    _dump(r.outputs),
                    _dump(r.error),
                )
                for r in records
            ),
        )

    def files_read(self, run: int) -> dict[str, str]:
        """What all tasks of a run have read, by path, with digests.

        Empty where it is not known, as of a file that two tasks have read with other contents.
        """
        found: dict[str, str] = {}
        for row in self.db.query(
            "SELECT DISTINCT files FROM tasks WHERE run_id = ? AND files IS NOT NULL", (run,)
        ):
            for path, digest in json.loads(row["files"]).items():
                found[path] = digest if found.get(path, digest) == digest else ""
        return found

    def tasks(
        self,
        run: int,
        step: str | None = None,
        status: Status | None = None,
        limit: int | None = None,
        after: str | None = None,
        part: Part = "main",
    ) -> list[TaskRecord]:
        """Tasks in the order of steps' names, then of keys.

        ``after`` is the key of the last one already seen; it needs a ``step``.
        """
        where = ["run_id = ?", "part = ?"]
        values: list[Any] = [run, part]
        if step is not None:
            where.append("step = ?")
            values.append(step)
        if status is not None:
            where.append("status = ?")
            values.append(status)
        if after is not None:
            if step is None:
                raise TypeError("tasks(after=…) needs a step")
            where.append("ord > ?")
            values.append(key_order(after))
        sql = f"SELECT * FROM tasks WHERE {' AND '.join(where)} ORDER BY step, ord"
        if limit is not None:
            sql += " LIMIT ?"
            values.append(limit)
        return [task_record(row) for row in self.db.query(sql, values)]

    def task(self, run: int, step: str, key: str = "", part: Part = "main") -> TaskRecord | None:
        """One task; None where the run has recorded none of that name."""
        row = self.db.one(
            "SELECT * FROM tasks WHERE run_id = ? AND step = ? AND part = ? AND ord = ?",
            (run, step, part, key_order(key)),
        )
        return None if row is None else task_record(row)

    def split(self, run: int, step: str, key: str = "") -> TaskRecord | None:
        """The split of a fan-out in the parent branch ``key``: its count and its items' ref."""
        return self.task(run, step, key, part="items")

    def attempts(self, run: int, step: str, key: str = "") -> list[AttemptRecord]:
        """The earlier, failed attempts of a task, first one first."""
        rows = self.db.query(
            "SELECT * FROM attempts WHERE run_id = ? AND step = ? AND ord = ?"
            " ORDER BY part DESC, attempt",
            (run, step, key_order(key)),
        )
        return [_attempt(row) for row in rows]

    def all_attempts(self, run: int) -> list[AttemptRecord]:
        """The earlier, failed attempts of all tasks of a run."""
        rows = self.db.query(
            "SELECT * FROM attempts WHERE run_id = ? ORDER BY step, part, ord, attempt", (run,)
        )
        return [_attempt(row) for row in rows]

    def step_summary(self, run: int) -> dict[str, StepSummary]:
        """Every step that has a task, in order of the first one's start."""
        rows = self.db.query(
            "SELECT step, status, COUNT(*) AS n, MIN(started) AS started,"
            " MAX(finished) AS finished"
            " FROM tasks WHERE run_id = ? AND part = 'main' GROUP BY step, status",
            (run,),
        )
        steps: dict[str, list[Row]] = {}
        for row in rows:
            steps.setdefault(row["step"], []).append(row)
        summaries = [_summary(step, group) for step, group in steps.items()]
        summaries.sort(key=lambda s: (s.started is None, s.started or 0.0, s.step))
        return {summary.step: summary for summary in summaries}

    def lookup_cache(self, keys: Sequence[str]) -> dict[str, CachedTask]:
        """For each cache key that is known, the newest finished task that has it."""
        found: dict[str, CachedTask] = {}
        for chunk in _chunks(keys):
            rows = self.db.query(
                "SELECT t.*, r.flow || '/' || r.number AS run_path"
                " FROM tasks t JOIN runs r ON r.id = t.run_id"
                f" WHERE t.cache_key IN ({', '.join('?' * len(chunk))})"
                " AND t.status IN ('succeeded', 'cached') AND r.deleted IS NULL"
                " ORDER BY t.run_id",
                chunk,
            )
            for row in rows:
                found[row["cache_key"]] = CachedTask(row["run_path"], task_record(row))
        return found


def _chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), _CHUNK):
        yield keys[start : start + _CHUNK]


def _replace(table: str, columns: str, key: str) -> str:
    names = [name.strip() for name in columns.split(",")]
    held = {name.strip() for name in key.split(",")}
    updates = ", ".join(f"{name} = excluded.{name}" for name in names if name not in held)
    return (
        f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * len(names))})"
        f" ON CONFLICT ({key}) DO UPDATE SET {updates}"
    )


def _dump(value: Any) -> str | None:
    return None if value is None else json.dumps(value, separators=(",", ":"))


def _load(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def task_record(row: Row) -> TaskRecord:
    """The record of a whole row."""
    return TaskRecord(
        step=row["step"],
        key=row["key"],
        status=row["status"],
        part=row["part"],
        attempt=row["attempt"],
        started=row["started"],
        finished=row["finished"],
        cache_key=row["cache_key"],
        artifacts=json.loads(row["artifacts"]),
        item=_load(row["item"]),
        count=row["count"],
        log=_load(row["log"]),
        outputs=_load(row["outputs"]),
        error=_load(row["error"]),
        worker=row["worker"],
        cached_from=row["cached_from"],
        reason=row["reason"],
        changed=tuple(_load(row["changed"]) or ()),
        files=_load(row["files"]) or {},
    )


def _attempt(row: Row) -> AttemptRecord:
    return AttemptRecord(
        step=row["step"],
        key=row["key"],
        attempt=row["attempt"],
        status=row["status"],
        part=row["part"],
        started=row["started"],
        finished=row["finished"],
        worker=row["worker"],
        log=_load(row["log"]),
        outputs=_load(row["outputs"]),
        error=_load(row["error"]),
    )


def _summary(step: str, rows: Sequence[Row]) -> StepSummary:
    # the times of cached tasks are those of the run that made them
    ran = [row for row in rows if row["status"] != "cached"] or rows
    started = [row["started"] for row in ran if row["started"] is not None]
    finished = [row["finished"] for row in ran if row["finished"] is not None]
    return StepSummary(
        step,
        {row["status"]: row["n"] for row in rows},
        min(started, default=None),
        max(finished, default=None),
    )
