"""Notebooks: what the newest runs of a notebook say of each of its steps, and what was tried."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from nbflow.runtime.environment import user
from nbflow.store import Store
from nbflow.store.browse import notebooks_of_runs, runs_of_notebook
from nbflow_jupyter import shapes, wire
from nbflow_jupyter.moved import notebook_now
from nbflow_jupyter.states import step_states
from nbflow_jupyter.versions import flow_version

#: runs of a notebook that are looked at
_RUNS = 5
#: executions by hand that are told, and interactive runs among which they are looked for
_TRIED = 20
_KERNELS = 200


def notebook_state(store: Store | None, name: str, path: str, file: Path) -> wire.NotebookState:
    """The state of a notebook's steps in its newest runs; empty where it has none."""
    rows: list[wire.RunRow] = []
    steps: dict[str, list[wire.StepRun]] = {}
    if store is not None:
        files = _names_of(store, file, notebooks_of_runs(store))
        for run in runs_of_notebook(store, files, _RUNS):
            flow = flow_version(store, run.version)
            states = step_states(store, run, flow.spec)
            rows.append(shapes.run_row(run, path, states))
            codes = {step.name: step.code for step in flow.spec.steps}
            for state in states:
                steps.setdefault(state["name"], []).append(
                    {
                        "run": run.path,
                        "status": state["status"],
                        "created": run.created,
                        "started": state["started"],
                        "finished": state["finished"],
                        "engine": run.engine,
                        "code": codes[state["name"]],
                    }
                )
    return {
        "path": path,
        "store": name,
        "runs": rows,
        "steps": [{"name": step, "runs": runs} for step, runs in steps.items()],
    }


def interactive_tasks(store: Store | None, step: str, file: Path) -> wire.InteractiveTasks:
    """What this user tried of a step in any kernel; empty where nothing is remembered."""
    if store is None:
        return {"step": step, "tasks": []}
    kept = {run.notebook for run in store.interactive_runs(_KERNELS)}
    found = [
        task
        for name in _names_of(store, file, kept)
        for task in store.interactive_tasks(notebook=name, user=user(), step=step, limit=_TRIED)
    ]
    found.sort(key=lambda task: task.id, reverse=True)
    tasks: list[wire.InteractiveTask] = [
        {
            "id": task.id,
            "status": task.status,
            "started": task.started,
            "finished": task.finished,
            "code": task.code,
            "made": task.made,
            "shown": task.shown,
        }
        for task in found[:_TRIED]
    ]
    return {"step": step, "tasks": tasks}


def _names_of(store: Store, file: Path, recorded: Iterable[str]) -> list[str]:
    """The notebook as records name it: by where it is, and by where it was before it moved."""
    wanted = str(file)
    return [wanted, *(n for n in recorded if n != wanted and notebook_now(store, n) == wanted)]
