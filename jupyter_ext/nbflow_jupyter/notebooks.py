"""Notebooks: what the newest runs of a notebook say of each of its steps."""

from __future__ import annotations

from pathlib import Path

from nbflow.store import Store
from nbflow.store.browse import runs_of_notebook
from nbflow_jupyter import shapes, wire
from nbflow_jupyter.states import step_states
from nbflow_jupyter.versions import flow_version

#: runs of a notebook that are looked at
_RUNS = 5


def notebook_state(store: Store | None, name: str, path: str, file: Path) -> wire.NotebookState:
    """The state of a notebook's steps in its newest runs; empty where it has none."""
    rows: list[wire.RunRow] = []
    steps: dict[str, list[wire.StepRun]] = {}
    for run in [] if store is None else runs_of_notebook(store, str(file), _RUNS):
        assert store is not None
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
