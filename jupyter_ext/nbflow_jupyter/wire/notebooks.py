"""Wire, notebooks: compiled in hand, their forms, their runs, and the live stream."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from nbflow_jupyter.wire.common import Diagnostic, StepState, TaskStatus
from nbflow_jupyter.wire.runs import ParameterField, RunRow
from nbflow_jupyter.wire.tasks import Graph


class CompileCell(TypedDict, total=False):
    """A cell of a notebook as the editor has it; all but `source` is optional."""

    source: str
    kind: Literal["code", "markdown", "raw"]
    tags: list[str]
    id: str


class CompileRequest(TypedDict, total=False):
    """A notebook that need not be saved. `path` is relative to the server's root.

    With `code`, the compiled code of each step is wanted too.
    """

    path: str
    cells: list[CompileCell]
    variants: dict[str, str]
    code: bool


class CompiledStep(TypedDict):
    """A step's module and its hash: equal to a node's `code` in a run of the same code.

    Both are null where a diagnostic is an error, or where the code was not asked for.
    """

    name: str
    code: str | None
    text: str | None


class Compiled(TypedDict):
    """What a notebook compiles to. `cell_steps` has the step of each cell, null for none."""

    flow: str
    graph: Graph
    diagnostics: list[Diagnostic]
    parameters: list[ParameterField]
    steps: list[CompiledStep]
    cell_steps: list[str | None]
    seconds: float


class StepRun(TypedDict):
    """A step in one run: for the badge of its cell and the history behind it."""

    run: str
    status: TaskStatus
    created: float
    started: float | None
    finished: float | None
    engine: str
    code: str


class NotebookStep(TypedDict):
    """A step of a notebook over its newest runs, newest first."""

    name: str
    runs: list[StepRun]


class NotebookState(TypedDict):
    """What the runs of a notebook say of its steps; for the badges of its cells."""

    path: str
    store: str
    runs: list[RunRow]
    steps: list[NotebookStep]


class InteractiveTask(TypedDict):
    """One execution of a step's cell by hand. `made` has its small values, others by their kind."""

    id: int
    status: TaskStatus
    started: float
    finished: float
    code: str
    made: dict[str, Any]
    shown: str


class InteractiveTasks(TypedDict):
    """What a user tried of a step, cell by cell, in any kernel, newest first."""

    step: str
    tasks: list[InteractiveTask]


class Parameters(TypedDict):
    """The form to start a saved notebook with."""

    flow: str
    notebook: str
    parameters: list[ParameterField]
    variants: dict[str, list[str]]
    diagnostics: list[Diagnostic]


class Change(TypedDict):
    """A message of the live stream; `seq` counts up by one for each of this server.

    `hello` comes first and has the last `seq`; `run` has a run that is new or has changed;
    `steps` those steps of a run that have changed; `deleted` names a run that is gone;
    `reset` says that anything may have changed: ask again.
    """

    seq: int
    kind: Literal["hello", "run", "steps", "deleted", "reset"]
    store: str
    path: str | None
    run: RunRow | None
    steps: list[StepState]


class Changes(TypedDict):
    """The changes after a `seq`; `reset` where they are too many or too old to tell."""

    seq: int
    reset: bool
    changes: list[Change]
