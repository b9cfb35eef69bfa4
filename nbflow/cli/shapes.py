"""Shapes: runs, tasks and artifacts as the JSON that the verbs print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbflow.cli.paths import Found
    from nbflow.client.artifact import Artifact
    from nbflow.client.run import Run
    from nbflow.client.task import Task


def run_json(run: Run) -> dict[str, Any]:
    """A run as JSON, as `runs` and `show` print it."""
    record = run.record
    return {
        "run": run.path,
        "status": record.status,
        "params": record.params,
        "metrics": record.metrics,
        "tags": list(record.tags),
        "branch": record.branch,
        "version": record.version,
        "engine": record.engine,
        "created": record.created,
        "duration": run.duration,
        "error": record.error,
    }


def found_json(found: Found) -> Any:
    """What a path names, as `show --json` prints it."""
    from nbflow.client.show import step_rows

    if found.artifact is not None:
        return _artifact_json(found.artifact)
    if found.task is not None:
        return task_json(found.task)
    if found.step is not None:
        tasks = [task_json(task) for task in found.step]
        return {"step": found.step.path, "counts": found.step.counts, "tasks": tasks}
    steps = {name: {"counts": n, "took": took} for name, n, took in step_rows(found.run)}
    return {**run_json(found.run), "steps": steps, "environment": found.run.environment}


def task_json(task: Task) -> dict[str, Any]:
    """A task with previews of its artifacts."""
    record = task.record
    return {
        "task": task.path,
        "status": task.status,
        "item": record.item,
        "attempt": record.attempt,
        "started": record.started,
        "finished": record.finished,
        "worker": record.worker,
        "cached_from": record.cached_from,
        "reason": record.reason,
        "error": record.error,
        "artifacts": {name: _artifact_json(one) for name, one in task.artifacts.items()},
    }


def _artifact_json(artifact: Artifact) -> dict[str, Any]:
    shown = {"value": artifact.text()} if artifact.plain else {"preview": artifact.preview}
    return {"type": artifact.type, "size": artifact.size, **shown}
