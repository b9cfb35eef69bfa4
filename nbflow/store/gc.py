"""Collection of garbage: a plan of what no kept run reaches, and then exactly that is freed."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from nbflow.store.database import Database
from nbflow.store.objects import Objects, Stored
from nbflow.store.records import FINAL, HEARTBEAT
from nbflow.store.store import Store

#: seconds for which new bytes are left alone: their refs may not be published yet
GRACE = 3600.0
#: the folder of the store that holds the reports of runs
REPORTS = "reports"

#: of a version that a run was made of, or that is deployed
_NEEDED = (
    "SELECT 1 FROM runs WHERE version = ? UNION ALL SELECT 1 FROM deployments WHERE version = ?"
)
_AT = re.compile(r'"at": ?"(o/[0-9a-f]+|p/[^"/]+)')


@dataclass(frozen=True, slots=True)
class GcPlan:
    """What can be freed: deleted runs, what of versions and values nothing needs any more."""

    runs: tuple[int, ...]
    versions: tuple[str, ...]
    files: tuple[Stored, ...]
    #: reports of the runs, in the store's folder
    reports: tuple[Stored, ...] = ()

    @property
    def bytes(self) -> int:
        """Bytes of the files and of the reports."""
        return sum(file.size for file in (*self.files, *self.reports))


def plan_gc(store: Store, grace: float = GRACE, without: Collection[int] = ()) -> GcPlan:
    """What `apply_gc` would free; changes nothing. Runs in ``without`` count as deleted.

    A deleted run stays while a run is active that began before it was deleted, as that one may
    have taken over results from it; so do those in ``without`` while any run is active. Bytes
    written or asked for lately stay, and all since the oldest active run began. A pack is freed
    when nothing in it is reached.
    """
    now = time.time()
    active = store.db.one(
        "SELECT MIN(created) AS began FROM runs"
        " WHERE status IN ('pending', 'running') AND heartbeat >= ?",
        (store.db.clock() - 2 * HEARTBEAT,),
    )
    began = float("inf") if active is None or active["began"] is None else float(active["began"])
    idle = began > now
    runs = tuple(
        int(row["id"])
        for row in store.db.query("SELECT id, status, deleted FROM runs ORDER BY id")
        if (row["deleted"] is not None and row["deleted"] < began)
        or (idle and row["id"] in without and row["status"] in FINAL)
    )
    # file times are coarser than the clock
    horizon = min(now - grace, began - 1.0)
    gone = frozenset(runs)
    reached = set(_reached(store.db, gone))
    files = tuple(
        sorted(
            (f for f in store.objects.walk() if f.modified < horizon and f.name not in reached),
            key=lambda file: file.name,
        )
    )
    kept = {
        row["version"]
        for row in store.db.query("SELECT id, version FROM runs")
        if row["id"] not in gone
    } | {one.version for one in store.deployments()}
    versions = tuple(
        row["version"]
        for row in store.db.query(
            "SELECT version FROM versions WHERE created < ? ORDER BY version", (horizon,)
        )
        if row["version"] not in kept
    )
    return GcPlan(runs, versions, files, tuple(_reports(store, runs)))


def apply_gc(store: Store, plan: GcPlan) -> GcPlan:
    """Free what the plan names; returns what was freed.

    That is the plan itself, but for bytes that someone has come to need since it was made.
    """
    with store.db.transaction(alone=True):
        for run in plan.runs:
            for table, column in (
                ("tasks", "run_id"),
                ("attempts", "run_id"),
                ("run_tags", "run_id"),
                ("orders", "run_id"),
                ("posted", "run_id"),
                ("live_tasks", "run_id"),
                ("live_output", "run_id"),
                ("run_facts", "run_id"),
                ("runs", "id"),
            ):
                store.db.execute(f"DELETE FROM {table} WHERE {column} = ?", (run,))
        # a run may have been made of it since
        versions = tuple(
            version
            for version in plan.versions
            if store.db.one(_NEEDED, (version, version)) is None
        )
        for version in versions:
            store.db.execute("DELETE FROM versions WHERE version = ?", (version,))
        store.db.execute("DELETE FROM environments WHERE id NOT IN (SELECT environment FROM runs)")
        reached = set(_reached(store.db, frozenset()))
    for version in versions:
        shutil.rmtree(store.root / "code" / version, ignore_errors=True)
    for report in plan.reports:
        (store.root / report.name).unlink(missing_ok=True)
    freed = tuple(
        file for file in plan.files if file.name not in reached and _unchanged(store.objects, file)
    )
    for file in freed:
        store.objects.remove(file.name)
    return GcPlan(plan.runs, versions, freed, plan.reports)


def _reports(store: Store, runs: Collection[int]) -> Iterator[Stored]:
    """The reports of these runs."""
    folder = store.root / REPORTS
    held = {file.name: file for file in folder.iterdir()} if folder.is_dir() else {}
    if not held:
        return
    for row in store.db.query("SELECT id, flow, number FROM runs ORDER BY id"):
        for ending in (".ipynb", ".html"):
            file = held.get(f"{row['flow']}-{row['number']}{ending}")
            if row["id"] in runs and file is not None:
                status = file.stat()
                yield Stored(f"{REPORTS}/{file.name}", status.st_size, status.st_mtime)


def _reached(db: Database[Any], without: frozenset[int]) -> Iterator[str]:
    """The names of the files that hold values of the runs, but for those ``without``."""
    held = {"tasks": "artifacts, log, outputs", "attempts": "log, outputs", "posted": "record"}
    for table, columns in held.items():
        for row in db.each(f"SELECT run_id, {columns} FROM {table}"):
            if row["run_id"] in without:
                continue
            for text in tuple(row)[1:]:
                if text is not None and '"at"' in text:
                    yield from map(_file_name, _AT.findall(text))


def _file_name(at: str) -> str:
    kind, _, name = at.partition("/")
    return f"objects/{name[:2]}/{name}" if kind == "o" else f"packs/{name}"


def _unchanged(objects: Objects, file: Stored) -> bool:
    """Whether nobody has written or asked for it since."""
    modified = objects.modified(file.name)
    return modified is not None and modified <= file.modified
