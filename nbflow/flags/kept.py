"""Kept: the facts and flags of runs, worked out once and kept with them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nbflow.errors import StoreError, UserError
from nbflow.flags.facts import SCHEMA, Facts, collect_facts
from nbflow.flags.find import find_flags
from nbflow.flags.flag import WARNING, Flags, Since
from nbflow.runtime.spec import FlowSpec, read_spec
from nbflow.store.records import TaskRecord

if TYPE_CHECKING:
    from nbflow.store import Store
    from nbflow.store.records import RunRecord

#: earlier runs that a run is held against
BEFORE = 10
#: and among how many of the newest those with the same parameters are looked for
_NEWEST = 50
#: tasks of a step whose artifacts are looked at; of more, only so many, evenly spread
_MANY = 1000
#: runs that have flags: of others too much is missing to compare
_FLAGGED = ("succeeded", "failed")


def flags_of(store: Store, run: RunRecord, spec: FlowSpec | None = None) -> Flags:
    """The flags of a run; none while it goes on. Reads no values, and what was found before."""
    if run.status not in _FLAGGED:
        return Flags(run.path)
    row = store.db.one("SELECT flags FROM run_facts WHERE run_id = ?", (run.id,))
    if row is not None and row["flags"]:
        held = json.loads(row["flags"])
        if held.pop("schema") == SCHEMA:
            return Flags.from_json(held)
    before = _earlier(store, run)
    now, *facts = (
        _comparable(facts_of(store, one, spec if one is run else None), one, run)
        for one in (run, *before)
    )
    since = _since(store, run, before[0], now, facts[0]) if before else None
    found = find_flags(now, facts)
    flags = Flags(run.path, tuple(one.path for one in before), found, since)
    _keep(store, run.id, "flags", {"schema": SCHEMA, **flags.to_json()})
    return flags


def warnings_of(store: Store, runs: Sequence[int]) -> dict[int, int]:
    """How many flags that are warnings each run has, as far as they were worked out."""
    found: dict[int, int] = {}
    marks = ", ".join("?" * len(runs))
    for row in store.db.query(
        f"SELECT run_id, flags FROM run_facts WHERE flags IS NOT NULL AND run_id IN ({marks})",
        tuple(runs),
    ):
        held = json.loads(row["flags"])
        count = sum(one["weight"] >= WARNING for one in held["flags"])
        if count:
            found[row["run_id"]] = count
    return found


def _comparable(facts: Facts, one: RunRecord, run: RunRecord) -> Facts:
    there = (one.status, one.engine, one.host) == ("succeeded", run.engine, run.host)
    return facts if there else facts.timeless()


def facts_of(store: Store, run: RunRecord, spec: FlowSpec | None = None) -> Facts:
    """The facts of a run, as far as it has come."""
    row = store.db.one("SELECT facts FROM run_facts WHERE run_id = ?", (run.id,))
    if row is not None and row["facts"]:
        held = json.loads(row["facts"])
        if held["schema"] == SCHEMA:
            return Facts.from_json(held)
    if spec is None:
        spec = read_spec(store.version(run.version).manifest)
    every = {name: max(1, one.tasks // _MANY) for name, one in store.step_summary(run.id).items()}
    facts = collect_facts(spec, _records(store, run.id, every), every)
    if run.status in _FLAGGED:
        _keep(store, run.id, "facts", facts.to_json())
    return facts


def _records(store: Store, run: int, every: Mapping[str, int]) -> Iterator[TaskRecord]:
    """All tasks in short; of a wide fan-out only some with their artifacts."""
    seen: Counter[str] = Counter()
    for row in store.db.query(
        "SELECT step, status, started, finished, artifacts FROM tasks"
        " WHERE run_id = ? AND part = 'main' ORDER BY step, ord",
        (run,),
    ):
        step = row["step"]
        told = seen[step] % every.get(step, 1) == 0
        seen[step] += 1
        yield TaskRecord(
            step,
            "",
            row["status"],
            started=row["started"],
            finished=row["finished"],
            artifacts=json.loads(row["artifacts"]) if told else {},
        )


def _earlier(store: Store, run: RunRecord) -> Sequence[RunRecord]:
    """The runs to hold it against: with its parameters where there are any, else the newest."""
    newest = [
        one
        for one in store.runs(
            flow=run.flow, status="succeeded", branch=run.branch, before=run.id, limit=_NEWEST
        )
        if one.branch == run.branch
    ]
    alike = [one for one in newest if one.params == run.params]
    return (alike or newest)[:BEFORE]


def _since(store: Store, run: RunRecord, other: RunRecord, now: Facts, then: Facts) -> Since:
    names = dict.fromkeys([*run.params, *other.params])
    steps = [name for name, one in now.steps.items() if name in then.steps]
    packages: tuple[str, ...] = ()
    if run.environment != other.environment:
        a, b = (store.environment(one).get("packages") or {} for one in (other, run))
        packages = tuple(name for name in dict.fromkeys([*a, *b]) if a.get(name) != b.get(name))
    return Since(
        other.path,
        tuple(name for name in names if run.params.get(name) != other.params.get(name)),
        tuple(name for name in steps if now.steps[name].code != then.steps[name].code),
        packages,
    )


def _keep(store: Store, run: int, column: str, content: dict[str, Any]) -> None:
    text = json.dumps(content, separators=(",", ":"))
    # who may only read works it out again; nothing is lost
    with suppress(StoreError):
        store.db.execute(
            f"INSERT INTO run_facts (run_id, {column}) VALUES (?, ?)"
            f" ON CONFLICT (run_id) DO UPDATE SET {column} = excluded.{column}",
            (run, text),
        )


def note_flags(store: Store, run: RunRecord, spec: FlowSpec) -> None:
    """Work the flags of a run out when it has ended; what goes wrong with the store is left."""
    with suppress(UserError):
        flags_of(store, run, spec)
