"""Shapes: runs, tasks and artifacts as the JSON that the verbs print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbcompile.diagnostics import Diagnostic
    from nbflow.cli.paths import Found
    from nbflow.client.artifact import Artifact
    from nbflow.client.run import Run
    from nbflow.client.task import Task
    from nbflow.runtime.explain import Explanation


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
    flags = [one.to_json() for one in found.run.flags]
    return {
        **run_json(found.run),
        "steps": steps,
        "environment": found.run.environment,
        "flags": flags,
    }


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
        "files": record.files,
        "error": record.error,
        "artifacts": {name: _artifact_json(one) for name, one in task.artifacts.items()},
    }


def _artifact_json(artifact: Artifact) -> dict[str, Any]:
    shown = {"value": artifact.text()} if artifact.plain else {"preview": artifact.preview}
    return {"type": artifact.type, "size": artifact.size, **shown}


def result(run: Run, *, explain: bool = False) -> dict[str, Any]:
    """What `run --json` prints of a run that has ended."""
    from nbflow.cli.progress import overall
    from nbflow.client.show import step_rows

    caught = {step.name for step in run.spec.steps if step.catch}
    steps: dict[str, Any] = {}
    for name, counts, _ in step_rows(run):
        told = {k: n for k, n in counts.items() if name not in caught or k != "failed"}
        steps[name] = {
            "status": overall(told or counts),
            "tasks": sum(counts.values()),
            "cached": counts.get("cached", 0),
            "failed": counts.get("failed", 0),
        }
    shown = {
        "run": run.path,
        "status": run.status,
        "duration": run.duration,
        "steps": steps,
        "error": run.record.error,
    }
    return {**shown, "explain": reasons(run)} if explain else shown


def reasons(run: Run) -> dict[str, list[dict[str, Any]]]:
    """For each step how many tasks ended how, and why."""
    found: dict[str, list[dict[str, Any]]] = {}
    for step in run.spec.steps:
        counts = Counter((r.status, r.reason or "") for r in run.store.tasks(run.id, step.name))
        found[step.name] = [
            {"status": status, "tasks": tasks, "reason": reason}
            for (status, reason), tasks in counts.items()
        ]
    return found


def foreseen(rows: Sequence[Explanation]) -> list[dict[str, Any]]:
    """What `run --dry-run --json` prints; `tasks` is null where it is not known yet."""
    return [
        {
            "step": row.step,
            "part": row.part,
            "fate": row.fate,
            "tasks": len(row.keys) or None,
            "reason": row.reason,
        }
        for row in rows
    ]


def not_started(diagnostics: Sequence[Diagnostic]) -> dict[str, Any]:
    """What `run --json` prints where there is no run: the same keys, and the diagnostics."""
    first = next((one for one in diagnostics if one.severity == "error"), None)
    error = None
    if first is not None:
        error = {
            "step": None,
            "task": None,
            "cell": first.cell,
            "line": first.line,
            "type": first.code,
            "message": first.message,
            "traceback": None,
        }
    said = [one.to_json() for one in diagnostics]
    shown: dict[str, Any] = {"run": None, "status": "failed", "duration": None, "steps": {}}
    return {**shown, "error": error, "diagnostics": said}
