"""Wire, tasks: the graph of a run, its tasks, what they printed, showed and kept, its code."""

from __future__ import annotations

from typing import Any, TypedDict

from nbflow_jupyter.wire.common import ErrorNote, Part, RunError, RunStatus, StepState, TaskStatus


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
    `start` is seconds after the run's start, null for a cached task, which took no time.
    `total` counts tasks that have no record yet too.
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
