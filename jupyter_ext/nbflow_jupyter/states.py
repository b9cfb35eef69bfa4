"""States: how far each step of a run is, summed up from the records."""

from __future__ import annotations

from typing import cast

from nbflow.runtime.spec import FlowSpec, StepSpec
from nbflow.store import Store
from nbflow.store.browse import Splits, TaskQuery, splits, task_page
from nbflow.store.records import FINAL, RunRecord, StepSummary
from nbflow_jupyter.wire import StepState, TaskStatus

#: the status of a step: the first of these that any of its tasks has
_WORST = ("failed", "lost", "running", "cancelled", "pending")
_BEST = ("succeeded", "cached", "skipped")


def step_states(store: Store, run: RunRecord, spec: FlowSpec) -> list[StepState]:
    """The state of every step, in notebook order."""
    summary = store.step_summary(run.id)
    found = splits(store, run.id)
    over = run.status in FINAL
    states = [
        _state(step, summary.get(step.name), expected(spec, step, found), over, run.started or 0.0)
        for step in spec.steps
    ]
    for state in states:
        # a task is recorded before it runs only where there is a reason to tell
        if state["counts"].get("pending") and not over:
            query = TaskQuery(step=state["name"], statuses=("pending",), limit=1)
            state["waits"] = next(
                (task.reason for task, _ in task_page(store, run.id, query)), None
            )
    return states


def expected(spec: FlowSpec, step: StepSpec, found: dict[str, Splits]) -> int | None:
    """How many tasks a step has in all; None while that is open."""
    if not step.line:
        return 1
    split = found.get(step.line[-1])
    outer = step.line[:-1]
    parent = spec.step(outer[-1]) if outer else None
    parents = 1 if parent is None else expected(spec, parent, found)
    if split is None or parents is None or split.splits < parents:
        return None
    return split.items


def _state(
    step: StepSpec, summary: StepSummary | None, total: int | None, over: bool, began: float
) -> StepState:
    counts = dict(summary.counts) if summary else {}
    recorded = sum(counts.values())
    done = sum(count for status, count in counts.items() if status in FINAL)
    return {
        "name": step.name,
        "status": _status(counts, done, total, over),
        "counts": counts,
        "done": done,
        "total": recorded if over and total is None else total,
        # the times of a cached task are those of the run that made it
        "started": max(summary.started, began) if summary and summary.started else None,
        "finished": max(summary.finished, began) if summary and summary.finished else None,
        "waits": None,
    }


def _status(counts: dict[str, int], done: int, total: int | None, over: bool) -> TaskStatus:
    if counts.get("running"):
        return "running"
    if not over and done and (total is None or done < total):
        return "running"
    for status in (*_WORST, *_BEST):
        if counts.get(status):
            return cast(TaskStatus, status)
    # a fan-out over no items has succeeded once that is known
    return "succeeded" if total == 0 else "pending"
