"""Shape: which tasks of a flow wait for which, worked out once from its spec."""

from __future__ import annotations

from dataclasses import dataclass

from nbflow.runtime.spec import FlowSpec, StepSpec


@dataclass(frozen=True, slots=True)
class Need:
    """A step that must have ended first: all its tasks whose key begins as ours, to ``depth``."""

    step: str
    depth: int


@dataclass(frozen=True, slots=True)
class StepShape:
    """What the machine knows of a step."""

    name: str
    line: tuple[str, ...]
    splits: bool
    needs: tuple[Need, ...]
    #: for each input, the needs that may supply it; where all of them are absent, it is skipped
    supplies: tuple[tuple[Need, ...], ...]
    retry: int = 0
    retry_delay: float = 0.0
    catch: bool = False

    @property
    def depth(self) -> int:
        """How many numbers the key has of what is started first: the split, or the task."""
        return len(self.line) - self.splits


def shape(spec: FlowSpec) -> tuple[StepShape, ...]:
    """The shapes of a flow's steps, each after those it needs."""
    lines = {step.name: step.line for step in spec.steps}
    return tuple(_step(step, lines) for step in spec.in_order())


def depth_of(line: tuple[str, ...], source: tuple[str, ...], *, fanout: bool) -> int:
    """How much of its key a task in ``line`` shares with the tasks of ``source`` that it reads.

    Outside a branch a fan-out is all its tasks; a fan-out nested in our own branch is that
    branch's part of it.
    """
    shared = 0
    while shared < min(len(line), len(source)) and line[shared] == source[shared]:
        shared += 1
    return min(shared, len(source) - 1) if fanout and source else shared


def _step(step: StepSpec, lines: dict[str, tuple[str, ...]]) -> StepShape:
    outer = step.line[: len(step.line) - step.splits]

    def need(name: str, fanout: bool = False) -> Need:
        return Need(name, depth_of(outer, lines[name], fanout=fanout))

    supplies = tuple(
        tuple(need(source, one.fanout) for source in one.sources) for one in step.inputs
    )
    ordered = [need(name) for name in step.depends]
    read = [need(source, one.fanout) for one in step.inputs for source in one.sources]
    needs = _widest([*ordered, *read])
    return StepShape(
        step.name,
        step.line,
        step.splits,
        needs,
        supplies,
        step.retry,
        step.retry_delay,
        step.catch,
    )


def _widest(needs: list[Need]) -> tuple[Need, ...]:
    """Of several needs of one step, the one that waits for most."""
    depths: dict[str, int] = {}
    for one in needs:
        depths[one.step] = min(one.depth, depths.get(one.step, one.depth))
    return tuple(Need(step, depth) for step, depth in depths.items())
