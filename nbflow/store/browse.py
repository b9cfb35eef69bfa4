"""Browse: the questions of viewers that page through runs of any size; nothing here writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nbflow.store.database import Row
from nbflow.store.records import RunRecord, TaskRecord
from nbflow.store.run_table import RUN_COLUMNS, run_record
from nbflow.store.store import Store
from nbflow.store.task_table import task_record

#: runs that are looked through where no index helps
_NEWEST = 5000

#: what tasks can be sorted by; nulls come first
_SORTS = {
    "key": "",
    "status": "status",
    "started": "COALESCE(started, 0)",
    "seconds": "COALESCE(finished - started, -1)",
    "attempt": "attempt",
}
SORTS = tuple(_SORTS)


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task in the fewest facts."""

    key: str
    status: str
    started: float | None
    finished: float | None


@dataclass(frozen=True, slots=True)
class Splits:
    """The splits of a step in a run: how many there were, and their items in all."""

    splits: int
    items: int


@dataclass(frozen=True, slots=True)
class TaskQuery:
    """Which tasks of a run, in which order. ``after`` is the `place` of the last one seen."""

    step: str | None = None
    statuses: tuple[str, ...] = ()
    search: str = ""
    sort: str = "key"
    descending: bool = False
    limit: int = 100
    after: tuple[Any, str, str] | None = None


def count_runs(
    store: Store,
    flow: str | None = None,
    status: str | None = None,
    branch: str | None = None,
    tag: str | None = None,
) -> int | None:
    """How many runs there are, by indexes alone; None where more than one is asked for."""
    asked = {
        column: value
        for column, value in {"flow": flow, "status": status, "branch": branch, "tag": tag}.items()
        if value is not None
    }
    if len(asked) > 1:
        return None
    if tag is not None:
        every, gone = (
            "SELECT COUNT(*) AS n FROM run_tags WHERE tag = ?",
            "SELECT COUNT(*) AS n FROM runs JOIN run_tags ON run_id = id"
            " WHERE deleted IS NOT NULL AND tag = ?",
        )
    else:
        where = "".join(f" {column} = ?" for column in asked)
        every = f"SELECT COUNT(*) AS n FROM runs{' WHERE' if where else ''}{where}"
        gone = "SELECT COUNT(*) AS n FROM runs WHERE deleted IS NOT NULL"
        gone += f" AND{where}" if where else ""
    values = tuple(asked.values())
    return _number(store.db.one(every, values)) - _number(store.db.one(gone, values))


def tags(store: Store) -> list[str]:
    """All tags that runs have."""
    return [row["tag"] for row in store.db.query("SELECT DISTINCT tag FROM run_tags ORDER BY tag")]


def branches(store: Store) -> list[str]:
    """All branches that runs belong to."""
    rows = store.db.query(
        "SELECT DISTINCT branch FROM runs WHERE branch IS NOT NULL ORDER BY branch"
    )
    return [row["branch"] for row in rows]


def engines(store: Store) -> list[str]:
    """The engines of the newest runs."""
    rows = store.db.query(
        "SELECT DISTINCT engine FROM"
        f" (SELECT engine FROM runs ORDER BY id DESC LIMIT {_NEWEST}) AS newest ORDER BY engine"
    )
    return [row["engine"] for row in rows if row["engine"]]


def notebooks_of_runs(store: Store) -> list[str]:
    """The files of the notebooks of the newest runs."""
    rows = store.db.query(
        "SELECT DISTINCT notebook FROM (SELECT notebook FROM runs WHERE deleted IS NULL"
        f" ORDER BY id DESC LIMIT {_NEWEST}) AS newest ORDER BY notebook"
    )
    return [row["notebook"] for row in rows]


def runs_of_notebook(store: Store, files: Sequence[str], limit: int) -> list[RunRecord]:
    """The newest runs of a notebook, among the newest of all; ``files`` is where it was, or is."""
    rows = store.db.query(
        f"SELECT {RUN_COLUMNS} FROM (SELECT {RUN_COLUMNS} FROM runs WHERE deleted IS NULL"
        f" ORDER BY id DESC LIMIT {_NEWEST}) AS newest"
        f" WHERE notebook IN ({', '.join('?' * len(files))}) ORDER BY id DESC LIMIT ?",
        (*files, limit),
    )
    return [run_record(row) for row in rows]


def active_runs(store: Store) -> list[RunRecord]:
    """The runs that are going on."""
    rows = store.db.query(
        f"SELECT {RUN_COLUMNS} FROM runs WHERE status IN ('pending', 'running')"
        " AND deleted IS NULL ORDER BY id"
    )
    return [run_record(row) for row in rows]


def runs_after(store: Store, run: int, limit: int) -> list[RunRecord]:
    """Runs made after the one of this id, oldest first."""
    rows = store.db.query(
        f"SELECT {RUN_COLUMNS} FROM runs WHERE id > ? AND deleted IS NULL ORDER BY id LIMIT ?",
        (run, limit),
    )
    return [run_record(row) for row in rows]


def newest_id(store: Store) -> int:
    """The id of the newest run; 0 where there is none."""
    return _number(store.db.one("SELECT COALESCE(MAX(id), 0) AS n FROM runs"))


def marks(store: Store) -> tuple[int, ...]:
    """Numbers that differ when runs were deleted or tagged."""
    gone = store.db.one(
        "SELECT COUNT(*) AS n, COALESCE(MAX(deleted), 0) AS last FROM runs"
        " WHERE deleted IS NOT NULL"
    )
    tagged = store.db.one(
        "SELECT COUNT(*) AS n, COALESCE(MAX(tagged), 0) AS last FROM runs WHERE tagged IS NOT NULL"
    )
    assert gone is not None
    assert tagged is not None
    return tuple(int(1000 * one) for one in (*gone, *tagged))


def splits(store: Store, run: int) -> dict[str, Splits]:
    """For each step that fans out, what its splits have found."""
    rows = store.db.query(
        'SELECT step, COUNT(*) AS n, COALESCE(SUM("count"), 0) AS items FROM tasks'
        " WHERE run_id = ? AND part = 'items'"
        " AND status IN ('succeeded', 'cached', 'skipped') GROUP BY step",
        (run,),
    )
    return {row["step"]: Splits(row["n"], int(row["items"])) for row in rows}


def task_lines(store: Store, run: int, step: str) -> list[TaskLine]:
    """All tasks of a step in key order."""
    rows = store.db.query(
        'SELECT "key", status, started, finished FROM tasks'
        " WHERE run_id = ? AND step = ? AND part = 'main' ORDER BY ord",
        (run, step),
    )
    return [TaskLine(*row) for row in rows]


def count_tasks(store: Store, run: int, query: TaskQuery) -> int:
    """How many tasks a query finds, on all its pages."""
    where, values = _where(run, query)
    return _number(store.db.one(f"SELECT COUNT(*) AS n FROM tasks WHERE {where}", values))


def task_page(
    store: Store, run: int, query: TaskQuery
) -> list[tuple[TaskRecord, tuple[Any, str, str]]]:
    """Tasks with their places: give the last one's to `after` to have those that follow."""
    where, values = _where(run, query)
    by = _SORTS[query.sort]
    sign, direction = ("<", " DESC") if query.descending else (">", "")
    if query.after is not None:
        at, step, order = query.after
        on = ">" if by else sign
        later = f"(step {on} ? OR (step = ? AND ord {on} ?))"
        where += f" AND ({by} {sign} ? OR ({by} = ? AND {later}))" if by else f" AND {later}"
        values += [at, at] if by else []
        values += [step, step, order]
    # tasks that are alike in what sorts them stand in the order of their keys
    sorting = f"{by}{direction}, step, ord" if by else f"step{direction}, ord{direction}"
    place = by or "''"
    rows = store.db.query(
        f"SELECT *, {place} AS place FROM tasks WHERE {where} ORDER BY {sorting} LIMIT ?",
        (*values, query.limit),
    )
    return [(task_record(row), (row["place"], row["step"], row["ord"])) for row in rows]


def _where(run: int, query: TaskQuery) -> tuple[str, list[Any]]:
    where = ["run_id = ?", "part = 'main'"]
    parameters: list[Any] = [run]
    if query.step is not None:
        where.append("step = ?")
        parameters.append(query.step)
    if query.statuses:
        where.append(f"status IN ({', '.join('?' * len(query.statuses))})")
        parameters += query.statuses
    for word in query.search.split():
        where.append(
            "(step || '/' || \"key\" || ' ' || COALESCE(item, '') || ' ' || COALESCE(worker, '')"
            " || ' ' || COALESCE(error, '')) LIKE ? ESCAPE '\\'"
        )
        escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        parameters.append(f"%{escaped}%")
    return " AND ".join(where), parameters


def _number(row: Row | None) -> int:
    return 0 if row is None else int(row["n"])


def read_place(data: Sequence[Any], sort: str = "key") -> tuple[Any, str, str]:
    """A place as it came back from a viewer; ValueError where it is none of this order."""
    kind: Any = str if sort in ("key", "status") else int | float
    if len(data) != 3 or not isinstance(data[0], kind) or isinstance(data[0], bool):
        raise ValueError("not a place")
    return data[0], str(data[1]), str(data[2])
