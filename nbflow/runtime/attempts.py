"""Attempts: what the driver makes of the records of attempts that have ended."""

from __future__ import annotations

from dataclasses import replace

from nbflow.runtime.machine import AttemptEnded
from nbflow.runtime.spec import read_key
from nbflow.runtime.traceback import task_error
from nbflow.store.records import AttemptRecord, TaskRecord


def ended(record: TaskRecord) -> AttemptEnded:
    """What the machine has to know of an attempt that has ended."""
    return AttemptEnded(
        record.step,
        read_key(record.key),
        record.part,
        record.attempt,
        record.status,  # type: ignore[arg-type]
        record.count,
    )


def interrupted(record: TaskRecord) -> TaskRecord:
    """The record of a task that ended as cancelled though nobody cancels the run: it has failed."""
    said = "The task was interrupted, though nobody has cancelled the run."
    error = record.error or {}
    return replace(
        record,
        status="failed",
        reason=None,
        error={**task_error(record.step, record.key, "KeyboardInterrupt", said), **error},
    )


def unseen(step: str, name: str) -> str:
    """What a step did that the compiler had not seen; process state is named in words."""
    if name.isidentifier():
        return (
            f"`{step}` may have changed `{name}` in place: if it did, a later step gets the value "
            "as it was before."
        )
    return (
        f"`{step}` changed {name}, which the flow seeds, and nbflow did not see it: in the "
        "notebook its draws go on where earlier cells stopped, and later ones after it. Give "
        "what draws there a seed or generator of its own (`random_state=…`), or seed in the step."
    )


def planned(r: TaskRecord, cache_key: str, reason: str) -> TaskRecord:
    """`replace` for the one place where its cost a task is felt."""
    return TaskRecord(
        r.step,
        r.key,
        r.status,
        r.part,
        r.attempt,
        r.started,
        r.finished,
        cache_key,
        r.artifacts,
        r.item,
        r.count,
        r.log,
        r.outputs,
        r.error,
        r.worker,
        r.cached_from,
        r.reason or reason,
        r.changed,
        r.files,
    )


def failed_attempt(record: TaskRecord) -> AttemptRecord:
    return AttemptRecord(
        record.step,
        record.key,
        record.attempt,
        record.status,
        record.part,
        record.started,
        record.finished,
        record.worker,
        record.log,
        record.outputs,
        record.error,
    )
