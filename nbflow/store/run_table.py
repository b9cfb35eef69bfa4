"""RunTable: the runs, their numbers, their signs of life, and the questions asked about them."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from hashlib import blake2b
from typing import Any

from nbflow.errors import ReadOnlyError, UserError, user_error
from nbflow.store.database import Row, lasting
from nbflow.store.lease import LeaseTable
from nbflow.store.records import FINAL, HEARTBEAT, RunRecord, Status

#: what `run_record` reads
RUN_COLUMNS = (
    'id, flow, number, version, status, params, options, tags, branch, "user", host, git,'
    " dirty, engine, environment, notebook, seed, parent, created, started, finished, heartbeat,"
    " cancel, metrics, error"
)

#: what `update_run` may change
_FIELDS = frozenset({"status", "started", "finished", "metrics", "error", "branch", "engine"})


class RunTable(LeaseTable):
    """The part of the store that keeps runs."""

    def create_run(
        self,
        flow: str,
        version: str,
        *,
        params: dict[str, Any] | None = None,
        tags: Sequence[str] = (),
        branch: str | None = None,
        user: str = "",
        host: str = "",
        git: str | None = None,
        dirty: bool = False,
        engine: str = "",
        environment: dict[str, Any] | None = None,
        notebook: str = "",
        seed: int | None = None,
        parent: int | None = None,
        options: dict[str, Any] | None = None,
        patience: float = 0.0,
    ) -> RunRecord:
        """A new pending run with the flow's next number, whoever else creates one meanwhile.

        It is lost where no driver claims it in time: two heartbeats, and ``patience`` seconds.
        """
        content = json.dumps(environment or {}, sort_keys=True)
        environment_id = blake2b(content.encode(), digest_size=16).hexdigest()
        names = tuple(dict.fromkeys(tags))
        now = time.time()
        # alone, so that a run of a higher id is never seen before one of a lower id
        with self.db.transaction(alone=True):
            self.db.execute(
                "INSERT INTO environments (id, content) VALUES (?, ?) ON CONFLICT (id) DO NOTHING",
                (environment_id, content),
            )
            self.db.execute(
                "INSERT INTO flows (name, last_number) VALUES (?, 1)"
                " ON CONFLICT (name) DO UPDATE SET last_number = flows.last_number + 1",
                (flow,),
            )
            self.db.execute(
                "INSERT INTO runs (flow, number, version, status, params, options, tags, branch,"
                ' "user", host, git, dirty, engine, environment, notebook, seed, parent,'
                " created, heartbeat)"
                f" SELECT name, last_number, ?, 'pending'{', ?' * 15}"
                " FROM flows WHERE name = ?",
                (
                    version,
                    json.dumps(params or {}),
                    json.dumps(options or {}),
                    json.dumps(names),
                    branch,
                    user,
                    host,
                    git,
                    int(dirty),
                    engine,
                    environment_id,
                    notebook,
                    seed,
                    parent,
                    now,
                    self.db.clock() + patience,
                    flow,
                ),
            )
            row = self.db.one(
                f"SELECT {RUN_COLUMNS} FROM runs WHERE flow = ? ORDER BY id DESC LIMIT 1", (flow,)
            )
            assert row is not None
            record = run_record(row)
            self.db.executemany(
                "INSERT INTO run_tags (tag, run_id) VALUES (?, ?)",
                [(tag, record.id) for tag in names],
            )
        return record

    @lasting
    def update_run(self, run: int, *, driver: str | None = None, **fields: Any) -> None:
        """Change `status`, `started`, `finished`, `metrics`, `error`, `branch` or `engine`.

        With ``driver``, only while that one drives the run; else a `LeaseLostError`.
        """
        unknown = set(fields) - _FIELDS
        if unknown:
            raise TypeError(f"update_run() cannot change {sorted(unknown)}")
        if not fields:
            return
        values = [
            json.dumps(value) if name in ("metrics", "error") and value is not None else value
            for name, value in fields.items()
        ]
        assignments = ", ".join(f"{name} = ?" for name in fields)
        with self.db.transaction():
            self.fence(run, driver)
            self.db.execute(f"UPDATE runs SET {assignments} WHERE id = ?", (*values, run))

    def request_cancel(self, run: int) -> bool:
        """Ask the run's driver to stop; False where the run has already ended."""
        self._note_lost()
        changed = self.db.execute(
            "UPDATE runs SET cancel = ? WHERE id = ? AND status IN ('pending', 'running')",
            (time.time(), run),
        )
        return changed > 0

    def run(self, run: str | int) -> RunRecord:
        """A run by its id or its path; `churn/latest` and `churn` are the flow's newest run."""
        self._note_lost()
        if isinstance(run, int):
            row = self.db.one(
                f"SELECT {RUN_COLUMNS} FROM runs WHERE id = ? AND deleted IS NULL", (run,)
            )
        else:
            flow, _, number = run.partition("/")
            if number in ("", "latest"):
                row = self.db.one(
                    f"SELECT {RUN_COLUMNS} FROM runs WHERE flow = ? AND deleted IS NULL"
                    " ORDER BY id DESC LIMIT 1",
                    (flow,),
                )
            elif number.isdecimal():
                row = self.db.one(
                    f"SELECT {RUN_COLUMNS} FROM runs WHERE flow = ? AND number = ?"
                    " AND deleted IS NULL",
                    (flow, int(number)),
                )
            else:
                row = None
        if row is None:
            raise self._no_run(run)
        return run_record(row)

    def _no_run(self, run: str | int) -> UserError:
        """What to say of a run that is not there: what the path may have meant."""
        fix = "`nbflow runs` lists those there are."
        if isinstance(run, str):
            flow, _, number = run.partition("/")
            known = self.flows()
            close = get_close_matches(flow, known, 1)
            if flow in known and "/" in number:
                fix = f"The run is {flow}/{number.partition('/')[0]}; run['…'] is a step of it."
            elif flow in known:
                fix = f"The newest run of {flow} is {self.run(flow).path}."
            elif close:
                fix = f"Did you mean {'/'.join(filter(None, (close[0], number)))!r}?"
        return user_error("NBF407", f"There is no run {run!r} in this store.", fix)

    def runs(
        self,
        flow: str | None = None,
        status: Status | None = None,
        tag: str | None = None,
        branch: str | None = None,
        limit: int = 50,
        before: int | None = None,
        search: str | None = None,
        engine: str | None = None,
    ) -> list[RunRecord]:
        """Runs, newest first; ``before`` is the id of the last one already seen.

        Every word of ``search`` occurs in the run's path, user, branch, parameters or tags.
        """
        self._note_lost()
        where = ["deleted IS NULL"]
        values: list[Any] = []
        asked = {"flow": flow, "status": status, "branch": branch, "engine": engine}
        for column, value in asked.items():
            if value is not None:
                where.append(f"{column} = ?")
                values.append(value)
        if tag is not None:
            where.append("id IN (SELECT run_id FROM run_tags WHERE tag = ?)")
            values.append(tag)
        if before is not None:
            where.append("id < ?")
            values.append(before)
        for word in (search or "").split():
            where.append(
                "(flow || '/' || number || ' ' || \"user\" || ' ' || COALESCE(branch, '')"
                " || ' ' || params || ' ' || tags) LIKE ? ESCAPE '\\'"
            )
            escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            values.append(f"%{escaped}%")
        rows = self.db.query(
            f"SELECT {RUN_COLUMNS} FROM runs WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?",
            (*values, limit),
        )
        return [run_record(row) for row in rows]

    def flows(self) -> list[str]:
        """The names of all flows that have runs."""
        rows = self.db.query(
            "SELECT name FROM flows WHERE EXISTS"
            " (SELECT 1 FROM runs WHERE flow = name AND deleted IS NULL) ORDER BY name"
        )
        return [row["name"] for row in rows]

    def environment(self, run: RunRecord) -> dict[str, Any]:
        """The environment that the run recorded: packages and versions, and the like."""
        row = self.db.one("SELECT content FROM environments WHERE id = ?", (run.environment,))
        content: dict[str, Any] = {} if row is None else json.loads(row["content"])
        return content

    def tag(self, run: int, *tags: str) -> None:
        """Add tags to a run."""
        self._change_tags(run, lambda held: [*held, *tags])

    def untag(self, run: int, *tags: str) -> None:
        """Take tags from a run."""
        self._change_tags(run, lambda held: [tag for tag in held if tag not in tags])

    def delete_run(self, run: int) -> None:
        """Hide a run from every list and from the cache; `gc` frees what only it reached.

        Its records stay until no run is active that may have taken results over from it.
        """
        record = self.run(run)
        if record.status not in FINAL:
            raise user_error(
                "NBF406",
                f"The run {record.path} is still {record.status}.",
                f"Cancel it first: `nbflow cancel {record.path}`.",
            )
        self.db.execute("UPDATE runs SET deleted = ? WHERE id = ?", (time.time(), record.id))

    def _change_tags(self, run: int, change: Any) -> None:
        with self.db.transaction(alone=True):
            record = self.run(run)
            names = tuple(dict.fromkeys(change(record.tags)))
            self.db.execute(
                "UPDATE runs SET tags = ?, tagged = ? WHERE id = ?",
                (json.dumps(names), time.time(), run),
            )
            self.db.execute("DELETE FROM run_tags WHERE run_id = ?", (run,))
            self.db.executemany(
                "INSERT INTO run_tags (tag, run_id) VALUES (?, ?)", [(tag, run) for tag in names]
            )

    def _note_lost(self) -> None:
        """Runs whose driver has been silent for two heartbeats are lost, and so are their tasks."""
        silent = self.db.clock() - 2 * HEARTBEAT
        question = "SELECT id FROM runs WHERE status IN ('pending', 'running') AND heartbeat < ?"
        if not self.db.query(question, (silent,)):
            return
        # who may only read sees them as they were when they last spoke
        with suppress(ReadOnlyError), self.db.transaction():
            for row in self.db.query(question, (silent,)):
                # asked again: its driver may have spoken meanwhile
                lost = self.db.execute(
                    "UPDATE runs SET status = 'lost', finished = heartbeat WHERE id = ?"
                    " AND status IN ('pending', 'running') AND heartbeat < ?",
                    (row["id"], silent),
                )
                if lost:
                    self.db.execute(
                        "UPDATE tasks SET status = 'lost' WHERE run_id = ? AND status = 'running'",
                        (row["id"],),
                    )


def run_record(row: Row) -> RunRecord:
    """The record of a row that has `RUN_COLUMNS`."""
    return RunRecord(
        id=row["id"],
        flow=row["flow"],
        number=row["number"],
        version=row["version"],
        status=row["status"],
        params=json.loads(row["params"]),
        options=json.loads(row["options"]),
        tags=tuple(json.loads(row["tags"])),
        branch=row["branch"],
        user=row["user"],
        host=row["host"],
        git=row["git"],
        dirty=bool(row["dirty"]),
        engine=row["engine"],
        environment=row["environment"],
        notebook=row["notebook"],
        seed=row["seed"],
        parent=row["parent"],
        created=row["created"],
        started=row["started"],
        finished=row["finished"],
        heartbeat=row["heartbeat"],
        cancel=row["cancel"],
        metrics=json.loads(row["metrics"]) if row["metrics"] else {},
        error=json.loads(row["error"]) if row["error"] else None,
    )
