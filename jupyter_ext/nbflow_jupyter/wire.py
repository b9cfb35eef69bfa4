"""Wire: every JSON shape that the server extension takes or gives, in one place.

The front end mirrors them in `labextension/src/wire.ts`, each name with an `I` before it; a test
compares the fields. Times are seconds since the epoch, sizes are bytes, cells count from 0 and
lines from 1. What is unknown is null, never absent. A list that may be long is a page: `next` is
the `cursor` to ask for the following one with, null at the end.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

#: counts up when a field changes its meaning or goes away
API_VERSION = 1

RunStatus = Literal["pending", "running", "succeeded", "failed", "cancelled", "lost"]
TaskStatus = Literal[
    "pending", "running", "succeeded", "failed", "skipped", "cached", "cancelled", "lost"
]
Part = Literal["main", "items"]

#: one letter for a task's status, in a `HeatStrip`
LETTERS: dict[str, str] = {
    "pending": "p",
    "running": "r",
    "succeeded": "s",
    "failed": "f",
    "skipped": "k",
    "cached": "c",
    "cancelled": "x",
    "lost": "l",
}


class Diagnostic(TypedDict):
    """One finding, as the compiler says it."""

    code: str
    severity: Literal["error", "warning", "info"]
    message: str
    cell: int | None
    line: int | None
    column: int | None
    fix: str | None


class Problem(TypedDict):
    """The body of every answer whose status is 400 or more."""

    message: str
    diagnostics: list[Diagnostic]


class StoreInfo(TypedDict):
    """A store that this server can show: `name` is its folder below the server's root.

    Every request takes `store=NAME`; without it, the default one is meant.
    """

    name: str
    exists: bool
    default: bool


class Stores(TypedDict):
    """The stores there are; `serving` is the one of the notebook that was asked for."""

    stores: list[StoreInfo]
    serving: str | None


class EngineInfo(TypedDict):
    """An engine to start runs on."""

    name: str
    title: str


class Info(TypedDict):
    """What the front end has to know first."""

    version: str
    api: int
    stores: list[StoreInfo]
    engines: list[EngineInfo]


class ErrorNote(TypedDict):
    """An error in short."""

    step: str
    task: str
    cell: int | None
    line: int | None
    type: str
    message: str


class RunError(TypedDict):
    """An error in full. `cell` and `line` are those of the notebook that ran."""

    step: str
    task: str
    cell: int | None
    line: int | None
    type: str
    message: str
    traceback: str


class StepState(TypedDict):
    """A step of a run as it stands. `total` is null while a fan-out's items are unknown."""

    name: str
    status: TaskStatus
    counts: dict[str, int]
    done: int
    total: int | None
    started: float | None
    finished: float | None


class RunRow(TypedDict):
    """A run in a list. Long values of `params` and `metrics` are cut to a short text.

    `notebook` is relative to the server's root, null where it lies outside. `steps` is filled
    for active runs only.
    """

    run: str
    id: int
    flow: str
    number: int
    status: RunStatus
    created: float
    started: float | None
    finished: float | None
    engine: str
    branch: str | None
    tags: list[str]
    user: str
    version: str
    notebook: str | None
    params: dict[str, Any]
    metrics: dict[str, Any]
    error: ErrorNote | None
    cancelling: bool
    steps: list[StepState]


class RunPage(TypedDict):
    """Runs, newest first. `total` is null where counting would cost more than it tells."""

    runs: list[RunRow]
    next: str | None
    total: int | None
    seq: int


class Facets(TypedDict):
    """What the runs of a store can be filtered by."""

    flows: list[str]
    tags: list[str]
    branches: list[str]
    engines: list[str]


class ParameterField(TypedDict):
    """A parameter as a form shows it. `schema` is a JSON Schema of its values.

    `value` is the default, or what the run had. `source` is the default as the notebook has it.
    """

    name: str
    type: str
    annotation: str | None
    source: str
    value: Any
    schema: dict[str, Any]
    help: str
    cell: int | None
    line: int | None


class RunDetail(TypedDict):
    """Everything recorded of a run as a whole."""

    row: RunRow
    parameters: list[ParameterField]
    environment: dict[str, Any]
    options: dict[str, Any]
    git: str | None
    dirty: bool
    host: str
    seed: int | None
    parent: str | None
    error: RunError | None


class NodeInput(TypedDict):
    """A name that a step reads, and the steps that may have written it, nearest first."""

    name: str
    sources: list[str]
    kind: str


class GraphNode(TypedDict):
    """A step in the graph. `line` are the fan-outs that its tasks are in, outermost first."""

    name: str
    cells: list[int]
    doc: str
    foreach: str | None
    when: str | None
    each: str | None
    line: list[str]
    inputs: list[NodeInput]
    parameters: list[str]
    outputs: list[str]
    crossing: list[str]
    resources: dict[str, Any]
    options: dict[str, Any]
    code: str


class GraphEdge(TypedDict):
    """What passes from one step to another; no names where it is order alone."""

    source: str
    target: str
    names: list[str]


class Graph(TypedDict):
    """Steps and edges in notebook order; `states` is empty for a notebook that has not run."""

    nodes: list[GraphNode]
    edges: list[GraphEdge]
    states: list[StepState]


class Steps(TypedDict):
    """The states of a run's steps, in notebook order."""

    status: RunStatus
    steps: list[StepState]


class HeatStrip(TypedDict):
    """All tasks of a step in few bytes, in key order: a column each.

    `status` has one letter a task (`LETTERS`). `keys` is null where they are 0, 1, 2, …
    `start` is seconds after the run's start. `total` counts tasks that have no record yet too.
    """

    step: str
    count: int
    total: int | None
    status: str
    keys: list[str] | None
    start: list[float | None]
    seconds: list[float | None]


class TaskRow(TypedDict):
    """A task in a list. `values` are its small values, long ones left out."""

    step: str
    key: str
    part: Part
    path: str
    status: TaskStatus
    attempt: int
    item: Any
    started: float | None
    finished: float | None
    worker: str | None
    cached_from: str | None
    reason: str | None
    values: dict[str, Any]
    error: ErrorNote | None


class TaskPage(TypedDict):
    """Tasks as sorted and filtered; `total` counts all that match."""

    tasks: list[TaskRow]
    next: str | None
    total: int


class Attempt(TypedDict):
    """An earlier attempt of a task, which failed. Its log is had by its number."""

    attempt: int
    part: Part
    status: TaskStatus
    started: float | None
    finished: float | None
    worker: str | None
    error: RunError | None


class ArtifactInfo(TypedDict):
    """A kept value, shown without loading it. `text` is it in short; `preview` has a `kind`.

    `image` says that `…/image` serves a picture of it.
    """

    name: str
    path: str
    type: str
    size: int
    codec: str
    oid: str
    text: str
    plain: bool
    preview: dict[str, Any] | None
    image: bool


class TaskDetail(TypedDict):
    """Everything recorded of a task. `log` and `outputs` say whether there are any."""

    row: TaskRow
    error: RunError | None
    attempts: list[Attempt]
    artifacts: list[ArtifactInfo]
    inputs: list[NodeInput]
    changed: list[str]
    cells: list[int]
    log: int | None
    outputs: bool


class LogChunk(TypedDict):
    """The bytes `start` to `end` of a log, as text. Ask again from `end` until `complete`.

    `size` is how much there is now. No character is torn apart.
    """

    start: int
    end: int
    size: int
    complete: bool
    text: str


class OutputItem(TypedDict):
    """A shown output. It stands for the bytes `start` to `end` of the log."""

    start: int
    end: int
    data: dict[str, Any]
    metadata: dict[str, Any]


class Outputs(TypedDict):
    """What a task has shown, in order."""

    outputs: list[OutputItem]


class CellSource(TypedDict):
    """A cell of the notebook that ran."""

    cell: int
    kind: str
    source: str


class StepCode(TypedDict):
    """The module of a step beside its cells. A row of `lines`: line in it, cell, line in that."""

    step: str
    path: str
    text: str
    cells: list[CellSource]
    lines: list[list[int]]


class CodeFile(TypedDict):
    """A file of the compiled package."""

    path: str
    text: str


class Code(TypedDict):
    """A version's code. `files` are those that belong to no single step."""

    version: str
    package: str
    steps: list[StepCode]
    files: list[CodeFile]


class CompareRow(TypedDict):
    """One name over the compared runs, in their order; null with `present` false: it has none."""

    name: str
    values: list[Any]
    present: list[bool]
    differs: bool


class CodeDiff(TypedDict):
    """A module's unified diff from the first run to each; empty where they are the same."""

    name: str
    diffs: list[str]


class Compare(TypedDict):
    """Runs side by side; the first one is the baseline.

    A value of `data` is `{"type", "size", "text", "preview"}`.
    """

    runs: list[RunRow]
    params: list[CompareRow]
    metrics: list[CompareRow]
    environment: list[CompareRow]
    data: list[CompareRow]
    code: list[CodeDiff]


class StartRequest(TypedDict, total=False):
    """Start a run of a notebook; `notebook` is relative to the server's root. The rest is optional.

    `params` are JSON values by name.
    """

    notebook: str
    params: dict[str, Any]
    engine: str | None
    max_workers: int | None
    tags: list[str]
    branch: str | None
    variants: dict[str, str]
    cache: bool
    start_from: str | None


class ResumeRequest(TypedDict, total=False):
    """Go on from what a run has finished. All is optional."""

    params: dict[str, Any]
    engine: str | None
    max_workers: int | None


class Started(TypedDict):
    """The run that was started, and the store it is in."""

    run: str
    store: str


class Cancelled(TypedDict):
    """Whether the run was still going on and has been asked to stop."""

    cancelling: bool


class TagRequest(TypedDict, total=False):
    """Tags to add and to take away."""

    add: list[str]
    remove: list[str]


class Tags(TypedDict):
    """The run's tags as they are now."""

    tags: list[str]


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
