"""Wire, runs: lists, one run, starting, tagging, comparing."""

from __future__ import annotations

from typing import Any, TypedDict

from nbflow_jupyter.wire.common import ErrorNote, RunError, RunStatus, StepState


class RunRow(TypedDict):
    """A run in a list. Long values of `params` and `metrics` are cut to a short text.

    `notebook` is relative to the server's root, null where it lies outside. `steps` is filled
    for active runs only. `flags` counts what is a warning among the flags of a run that has ended.
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
    flags: int
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
    """Everything recorded of a run as a whole; `lost` says of a lost one what became of it."""

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
    lost: str | None


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
