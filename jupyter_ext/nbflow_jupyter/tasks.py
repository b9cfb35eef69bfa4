"""Tasks: a step's tasks as a strip, as pages, and one task with all that was recorded of it."""

from __future__ import annotations

import base64
import json
from typing import Any

from nbflow.runtime import printed
from nbflow.runtime.spec import FlowSpec
from nbflow.store import Store
from nbflow.store.browse import (
    TaskLine,
    TaskQuery,
    count_tasks,
    read_place,
    splits,
    task_lines,
    task_page,
)
from nbflow.store.records import FINAL, Part, RunRecord, TaskRecord, task_path
from nbflow.values.ref import Ref
from nbflow_jupyter import shapes, wire
from nbflow_jupyter.graph import inputs
from nbflow_jupyter.refusal import Refusal
from nbflow_jupyter.states import expected


def heat_strip(store: Store, run: RunRecord, spec: FlowSpec, name: str) -> wire.HeatStrip:
    """All tasks of a step, a letter and two numbers each."""
    try:
        step = spec.step(name)
    except KeyError:
        raise Refusal(404, f"{run.path} has no step {name[:80]!r}.") from None
    lines = task_lines(store, run.id, name)
    total = expected(spec, step, splits(store, run.id))
    keys = [line.key for line in lines]
    counted = all(key == str(at) for at, key in enumerate(keys))
    began = run.created if run.started is None else run.started
    return {
        "step": name,
        "count": len(lines),
        "total": len(lines) if total is None and run.status in FINAL else total,
        "status": "".join(wire.LETTERS[line.status] for line in lines),
        "keys": None if counted else keys,
        "start": [_rounded(one, one.started, began) for one in lines],
        "seconds": [_rounded(one, one.finished, one.started) for one in lines],
    }


def page(store: Store, run: RunRecord, query: TaskQuery) -> wire.TaskPage:
    """One page of tasks."""
    found = task_page(store, run.id, query)
    full = len(found) == query.limit
    return {
        "tasks": [shapes.task_row(run.path, record) for record, _ in found],
        "next": _cursor(found[-1][1]) if full else None,
        "total": count_tasks(store, run.id, query),
    }


def read_cursor(text: str, sort: str) -> tuple[Any, str, str]:
    """The place that a cursor stands for; a refusal where it is none of ours."""
    try:
        return read_place(json.loads(base64.urlsafe_b64decode(text.encode())), sort)
    except (ValueError, TypeError):
        raise Refusal(400, "The cursor is not one that this API gave.") from None


def find(store: Store, run: RunRecord, step: str, key: str, part: Part) -> TaskRecord:
    """A task; a refusal where the run has recorded none of that name."""
    try:
        record = store.task(run.id, step, key, part)
    except ValueError:  # a key that is no row of numbers
        record = None
    if record is not None:
        return record
    running = running_task(store, run, step, key, part)
    if running is None:
        raise Refusal(404, f"{task_path(run.path, step[:80], key[:80])} has not run.")
    return running


def running_task(
    store: Store, run: RunRecord, step: str, key: str, part: Part
) -> TaskRecord | None:
    """A task that a process is busy with; it has no record of its own yet."""
    found = printed.running_task(store, run.id, step, key, part)
    if found is None:
        return None
    task = found.task
    return TaskRecord(step, key, "running", part, task.attempt, started=task.started)


def detail(
    store: Store, run: RunRecord, manifest: dict[str, Any], record: TaskRecord
) -> wire.TaskDetail:
    """Everything recorded of a task."""
    path = task_path(run.path, record.step, record.key)
    step: dict[str, Any] = next(
        (one for one in manifest["steps"] if one["name"] == record.step), {}
    )
    return {
        "row": shapes.task_row(run.path, record),
        "error": shapes.run_error(record.error),
        "attempts": [
            shapes.attempt(one) for one in store.attempts(run.id, record.step, record.key)
        ],
        "artifacts": [
            shapes.artifact(path, name, Ref.from_json(data))
            for name, data in record.artifacts.items()
        ],
        "inputs": inputs(step) if step else [],
        "changed": list(record.changed),
        "cells": list(step.get("cells", ())),
        "log": Ref.from_json(record.log).size if record.log else None,
        "outputs": record.outputs is not None,
    }


def _rounded(line: TaskLine, to: float | None, since: float | None) -> float | None:
    """A time of a strip; the times of a cached task are not of this run."""
    return None if to is None or since is None or line.status == "cached" else round(to - since, 3)


def _cursor(place: tuple[Any, str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()
