"""Records: the frozen rows of the store, as the rest of nbflow sees them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from nbflow.values.ref import Ref

Status = Literal[
    "pending", "running", "succeeded", "failed", "skipped", "cached", "cancelled", "lost"
]

#: what a run can be
RUN_STATUSES = ("pending", "running", "succeeded", "failed", "cancelled", "lost")

#: `main` is the task itself, `items` the split before a fan-out's tasks
Part = Literal["main", "items"]

#: statuses of a run or a task that will not change any more
FINAL: frozenset[str] = frozenset({"succeeded", "failed", "skipped", "cached", "cancelled", "lost"})

#: seconds between two signs of life of a run's driver; silent for two of them, it is lost
HEARTBEAT = 5.0


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """A compiled version of a flow: its manifest, its files and the notebook it came from."""

    version: str
    flow: str
    created: float
    manifest: dict[str, Any]
    files: dict[str, str]
    notebook: bytes


@dataclass(frozen=True, slots=True)
class DeploymentRecord:
    """A version of a flow that something outside starts, on a branch of its own."""

    flow: str
    branch: str
    version: str
    #: seconds since the epoch
    created: float
    user: str
    #: what starts it: `kubernetes`
    target: str
    #: what a run of it is asked for with: parameters, tags, settings and the like
    request: dict[str, Any]
    #: where and when it is started, as the target has it
    place: dict[str, Any]

    @property
    def path(self) -> str:
        """What users call it: `churn@main`."""
        return f"{self.flow}@{self.branch}"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One execution of a version of a flow. Times are seconds since the epoch."""

    id: int
    flow: str
    number: int
    version: str
    status: Status
    params: dict[str, Any]
    tags: tuple[str, ...]
    branch: str | None
    user: str
    host: str
    git: str | None
    dirty: bool
    engine: str
    #: id of the recorded environment; `Store.environment` gives its content
    environment: str
    notebook: str
    seed: int | None
    #: id of the run that this one resumes
    parent: int | None
    created: float
    started: float | None = None
    finished: float | None = None
    heartbeat: float | None = None
    #: when someone asked for the run to be cancelled
    cancel: float | None = None
    #: how the run was asked for: variants, cache or not, where it started
    options: dict[str, Any] = field(default_factory=dict)
    #: final small scalars of the run, written at its end
    metrics: dict[str, Any] = field(default_factory=dict)
    #: the first error: `{"step", "task", "cell", "line", "type", "message", "traceback"}`
    error: dict[str, Any] | None = None

    @property
    def path(self) -> str:
        """What users call it: `churn/42`."""
        return f"{self.flow}/{self.number}"

    @property
    def duration(self) -> float | None:
        """Seconds from start to end; None before either is known."""
        if self.started is None or self.finished is None:
            return None
        return self.finished - self.started


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task of a run as it stands: its last attempt and what that published.

    ``artifacts``, ``log`` and ``outputs`` hold refs in their JSON form (`Ref.from_json`).
    """

    step: str
    key: str
    status: Status
    part: Part = "main"
    attempt: int = 1
    started: float | None = None
    finished: float | None = None
    cache_key: str | None = None
    artifacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: the item of a fan-out, short, in JSON
    item: Any = None
    #: number of items; only of a split
    count: int | None = None
    log: dict[str, Any] | None = None
    outputs: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    worker: str | None = None
    #: path of the task whose result this one took over
    cached_from: str | None = None
    #: why the task ran, or why not
    reason: str | None = None
    #: inputs that the task changed in place unseen by the compiler
    changed: tuple[str, ...] = ()
    #: files that the task's code read and did not write, by absolute path, with digests
    files: dict[str, str] = field(default_factory=dict)

    def ref(self, name: str) -> Ref:
        """The ref of an artifact; KeyError where the task published none of that name."""
        return Ref.from_json(self.artifacts[name])


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """An earlier, failed attempt of a task. It published nothing but its log and its error."""

    step: str
    key: str
    attempt: int
    status: Status
    part: Part = "main"
    started: float | None = None
    finished: float | None = None
    worker: str | None = None
    log: dict[str, Any] | None = None
    outputs: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class LiveTask:
    """An attempt that runs, as it has told the store itself: see `Store.live_write`."""

    step: str
    part: Part
    key: str
    attempt: int
    worker: str
    started: float
    #: its last sign of life, by the store's clock
    seen: float = 0.0


@dataclass(frozen=True, slots=True)
class CachedTask:
    """A task found by its cache key, and the path of the run that has it."""

    run: str
    task: TaskRecord

    @property
    def path(self) -> str:
        """`churn/42/train/3`."""
        return task_path(self.run, self.task.step, self.task.key)


@dataclass(frozen=True, slots=True)
class StepSummary:
    """A step of a run in numbers: how many tasks have which status, and when it began and ended."""

    step: str
    counts: dict[str, int]
    started: float | None
    finished: float | None

    @property
    def tasks(self) -> int:
        """All recorded tasks of the step."""
        return sum(self.counts.values())


def task_path(run: str, step: str, key: str) -> str:
    """`churn/42/train/3`; without a key, `churn/42/train`."""
    return f"{run}/{step}/{key}" if key else f"{run}/{step}"


def key_order(key: str) -> str:
    """A text that sorts as the key's numbers do, and is as unique: `3.10` comes after `3.2`."""
    return ".".join(f"{int(part):08x}" for part in key.split(".")) if key else ""
