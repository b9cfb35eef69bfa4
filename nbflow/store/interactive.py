"""InteractiveTable: what a person ran cell by cell, as the tasks of one run for each kernel.

These runs are of no version and have no number: they stand in tables of their own, so that no list
of runs, no cache and no collection of garbage has to tell them apart. Each person keeps so many
tasks, of so many bytes, and no more.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from nbflow.store.database import Database, Row
from nbflow.store.records import Status

#: tasks that each person keeps
KEPT = 2000
#: after how many new ones the oldest go
_EVERY = 50


@dataclass(frozen=True, slots=True)
class InteractiveTask:
    """One execution of a step's cell in a kernel. Times are seconds since the epoch."""

    step: str
    cell: str | None
    status: Status
    started: float
    finished: float
    code: str
    #: small values that it made, and what larger ones were
    made: dict[str, Any]
    #: what it printed and showed, cut off
    shown: str
    #: given by the store
    id: int = 0
    run: int = 0


@dataclass(frozen=True, slots=True)
class InteractiveRun:
    """A kernel's time with a notebook, and how many tasks of it are kept."""

    id: int
    notebook: str
    user: str
    host: str
    started: float
    #: when its last task ended
    finished: float
    tasks: int
    #: steps of which tasks are kept, by name
    steps: tuple[str, ...]


class InteractiveTable:
    """The part of the store that keeps interactive runs."""

    db: Database[Any]

    def interactive_run(
        self, kernel: str, notebook: str, user: str, host: str, started: float
    ) -> int:
        """The id of a kernel's run, made when first asked for; ``kernel`` is a word of its own."""
        self.db.execute(
            'INSERT INTO interactive_runs (kernel, notebook, "user", host, started)'
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (kernel) DO NOTHING",
            (kernel, notebook, user, host, started),
        )
        row = self.db.one("SELECT id FROM interactive_runs WHERE kernel = ?", (kernel,))
        assert row is not None
        return int(row["id"])

    def add_interactive(self, run: int, task: InteractiveTask) -> None:
        """Keep a task; from time to time its owner's oldest ones go."""
        with self.db.transaction():
            self.db.execute(
                "INSERT INTO interactive_tasks"
                " (run_id, step, cell, status, started, finished, code, made, shown)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    run,
                    task.step,
                    task.cell,
                    task.status,
                    task.started,
                    task.finished,
                    task.code,
                    json.dumps(task.made, default=str),
                    task.shown,
                ),
            )
            row = self.db.one(
                "SELECT COUNT(*) AS n FROM interactive_tasks WHERE run_id = ?", (run,)
            )
            if row is not None and row["n"] % _EVERY == 1:
                self._prune(run)

    def interactive_tasks(
        self,
        *,
        notebook: str | None = None,
        user: str | None = None,
        step: str | None = None,
        run: int | None = None,
        limit: int = 30,
    ) -> list[InteractiveTask]:
        """Tasks, newest first."""
        asked = {"r.notebook": notebook, 'r."user"': user, "t.step": step, "r.id": run}
        where = [f"{column} = ?" for column, value in asked.items() if value is not None]
        values = [value for value in asked.values() if value is not None]
        rows = self.db.query(
            "SELECT t.* FROM interactive_tasks t JOIN interactive_runs r ON r.id = t.run_id"
            f"{' WHERE ' * bool(where)}{' AND '.join(where)} ORDER BY t.id DESC LIMIT ?",
            (*values, limit),
        )
        return [_task(row) for row in rows]

    def interactive_task(self, number: int) -> InteractiveTask | None:
        """A task by its id."""
        row = self.db.one("SELECT * FROM interactive_tasks WHERE id = ?", (number,))
        return None if row is None else _task(row)

    def interactive_runs(self, limit: int = 20) -> list[InteractiveRun]:
        """Interactive runs, those that were used last first."""
        rows = self.db.query(
            'SELECT r.id, r.notebook, r."user", r.host, r.started, COUNT(*) AS n,'
            " MAX(t.finished) AS finished"
            " FROM interactive_runs r JOIN interactive_tasks t ON t.run_id = r.id"
            ' GROUP BY r.id, r.notebook, r."user", r.host, r.started'
            " ORDER BY MAX(t.id) DESC LIMIT ?",
            (limit,),
        )
        return [
            InteractiveRun(
                row["id"],
                row["notebook"],
                row["user"],
                row["host"],
                row["started"],
                row["finished"],
                int(row["n"]),
                self._steps(row["id"]),
            )
            for row in rows
        ]

    def _steps(self, run: int) -> tuple[str, ...]:
        rows = self.db.query(
            "SELECT DISTINCT step FROM interactive_tasks WHERE run_id = ? ORDER BY step", (run,)
        )
        return tuple(row["step"] for row in rows)

    def _prune(self, run: int) -> None:
        """Forget the oldest tasks of the run's owner beyond `KEPT`, and runs left without any."""
        mine = (
            "SELECT id FROM interactive_runs WHERE"
            ' "user" = (SELECT "user" FROM interactive_runs WHERE id = ?)'
        )
        last = self.db.one(
            f"SELECT id FROM interactive_tasks WHERE run_id IN ({mine})"
            " ORDER BY id DESC LIMIT 1 OFFSET ?",
            (run, KEPT),
        )
        if last is None:
            return
        self.db.execute(
            f"DELETE FROM interactive_tasks WHERE run_id IN ({mine}) AND id <= ?", (run, last["id"])
        )
        self.db.execute(
            "DELETE FROM interactive_runs WHERE id <> ? AND"
            " NOT EXISTS (SELECT 1 FROM interactive_tasks t WHERE t.run_id = interactive_runs.id)"
            f" AND id IN ({mine})",
            (run, run),
        )


def _task(row: Row) -> InteractiveTask:
    return InteractiveTask(
        row["step"],
        row["cell"],
        row["status"],
        row["started"],
        row["finished"],
        row["code"],
        json.loads(row["made"]),
        row["shown"],
        row["id"],
        row["run_id"],
    )
