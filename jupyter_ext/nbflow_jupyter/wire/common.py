"""Wire, what all share: statuses, diagnostics, errors, the state of a step."""

from __future__ import annotations

from typing import Literal, TypedDict

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
    """A step of a run as it stands. `total` is null while a fan-out's items are unknown.

    `waits` says why a task of it that was started does not run yet.
    """

    name: str
    status: TaskStatus
    counts: dict[str, int]
    done: int
    total: int | None
    started: float | None
    finished: float | None
    waits: str | None
