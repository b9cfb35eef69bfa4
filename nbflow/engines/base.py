"""Base: the seam between the driver of a run and what its tasks run on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from nbflow.errors import user_error
from nbflow.runtime.machine import Part
from nbflow.runtime.spec import FlowSpec, StepSpec

if TYPE_CHECKING:
    from nbflow.store import Store
    from nbflow.store.records import TaskRecord


@dataclass(frozen=True, slots=True)
class Job:
    """The flow that an engine is opened for."""

    store: Store
    spec: FlowSpec
    max_workers: int | None = None
    #: what the configuration says of the engine, `[tool.nbflow.NAME]`
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Work:
    """Tasks of one step that are ready, in the order in which to start them."""

    step: StepSpec
    part: Part
    attempt: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Tasks of one step that run one after another in one process."""

    number: int
    step: str
    part: Part
    attempt: int
    keys: tuple[str, ...]
    timeout: float | None = None
    #: the GPUs that the tasks may use; None where nobody hands them out
    devices: tuple[str, ...] | None = None


class UnderWay(NamedTuple):
    """A batch that was started and has not ended."""

    batch: Batch
    #: when it was started
    since: float
    #: why it does not run yet, in a few words: `waiting for a node: insufficient nvidia.com/gpu`
    waits: str | None = None


class Engine(Protocol):
    """Runs tasks. All calls come from one thread, and none but `wait` takes long."""

    name: str

    def open(self, job: Job) -> None:
        """Get ready. A `UserError` where a request can't be honoured or nothing is there."""
        ...

    def begin(self, run: int) -> None:
        """The run has its id: tasks of it will come."""
        ...

    def submit(self, work: Work) -> None:
        """Take these tasks; each is the subject of exactly one record that `wait` returns."""
        ...

    def wait(self, seconds: float) -> list[TaskRecord]:
        """Records of attempts that have ended; waits so long for the first."""
        ...

    def under_way(self) -> list[UnderWay]:
        """The batches that were started and have not ended."""
        ...

    def interrupt(self) -> None:
        """The driver was interrupted: in a signal handler, end a task of this very process.

        A `KeyboardInterrupt` may be raised, but only where no record is lost by it.
        """
        ...

    def stop(self, hard: bool) -> None:
        """End all tasks; those under way are given a moment to end unless ``hard``."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class Adopting(Engine, Protocol):
    """An engine whose tasks outlive the driver that has started them."""

    def adopt(self, run: int) -> list[tuple[str, Part, str, int]]:
        """Take over what an earlier driver of the run has started: step, part, key, attempt.

        Called once, after `begin`; each is as if it had been submitted.
        """
        ...


def refuse(steps: Sequence[StepSpec], engine: str, option: str, why: str, fix: str) -> None:
    """Raise that the engine can't do what these steps ask for; nothing where there are none."""
    if steps:
        names = ", ".join(f"`{step.name}`" for step in steps)
        cell = steps[0].cells[0] if steps[0].cells else None
        raise user_error(
            "NBF403",
            f"The {engine} engine cannot honour `--{option}` of {names}: {why}.",
            fix,
            cell=cell,
            line=1,
        )


def refuse_images(job: Job, engine: str) -> None:
    """No container images without something that starts them."""
    steps = job.spec.steps
    asking = [step for step in steps if step.resources.image]
    fix = "Run on an engine that starts containers, or take the option away."
    refuse(asking, engine, "image", "it runs tasks in this Python environment", fix)


def refuse_environments(job: Job, engine: str) -> None:
    """No environments of steps where all tasks run in one process."""
    asking = [step for step in job.spec.steps if step.env]
    fix = "Run on dask, which builds the environment, or take the option away."
    refuse(asking, engine, "env", "it runs all tasks in this process", fix)
