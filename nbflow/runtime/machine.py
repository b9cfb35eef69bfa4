"""Machine: the decisions of a run, pure. Events in, actions out; no I/O, clock or thread.

A step's tasks hang in a tree of *nodes* `(step, prefix of the key)`: the leaves are tasks, an inner
node is a fan-out that ends when all below it have ended. What waits for a step waits for one node.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from nbflow.runtime.shape import Need, StepShape
from nbflow.runtime.spec import Key

Part = Literal["main", "items"]
Ended = Literal["succeeded", "cached", "skipped", "failed", "cancelled"]


# --- events: what has happened


@dataclass(frozen=True, slots=True)
class Begun:
    """The run may start."""


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """An attempt that was started is over. A split that did not fail says how many items it has."""

    step: str
    key: Key
    part: Part
    attempt: int
    status: Ended
    count: int | None = None


@dataclass(frozen=True, slots=True)
class DelayEnded:
    """The wait before another attempt is over."""

    step: str
    key: Key
    part: Part


@dataclass(frozen=True, slots=True)
class CancelAsked:
    """Somebody wants the run to stop; ``hard`` when they asked again."""

    hard: bool = False


Event = Begun | AttemptEnded | DelayEnded | CancelAsked


# --- actions: what is to be done


@dataclass(frozen=True, slots=True)
class Start:
    """Run these tasks of one step, or their splits."""

    step: str
    part: Part
    attempt: int
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Skip:
    """Record these as skipped: what they read was never made."""

    step: str
    part: Part
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Delay:
    """Say `DelayEnded` in so many seconds."""

    step: str
    key: Key
    part: Part
    seconds: float


@dataclass(frozen=True, slots=True)
class Stop:
    """End what is running; ``hard`` without giving it time."""

    hard: bool


@dataclass(frozen=True, slots=True)
class End:
    """Nothing is running and nothing more will: the run is over."""

    status: Literal["succeeded", "failed", "cancelled"]


Action = Start | Skip | Delay | Stop | End

NodeState = Literal["open", "done", "absent", "failed"]


@dataclass(slots=True)
class Node:
    """A task, or all tasks of a step in one branch."""

    state: NodeState = "open"
    #: children that have not ended; None until their number is known
    left: int | None = None
    broken: bool = False
    #: `(step, key)` of what starts when this and all else it needs is done
    waiting: list[tuple[str, Key]] = field(default_factory=list)


class Machine:
    """All states of one run's tasks."""

    def __init__(self, steps: Sequence[StepShape]) -> None:
        self.steps = {step.name: step for step in steps}
        self.nodes: dict[tuple[str, Key], Node] = {}
        #: attempts that were started, or wait for their delay, by number
        self.running: dict[tuple[str, Key, Part], int] = {}
        self.delayed: set[tuple[str, Key, Part]] = set()
        #: needs that are not done, of what has not started
        self.missing: dict[tuple[str, Key], int] = {}
        self.failed = False
        self.cancelled = False
        self.ended = False
        self._ready: dict[tuple[str, Part, int], list[Key]] = {}
        self._skipped: dict[tuple[str, Part], list[Key]] = {}
        #: skipped, and not yet told to what waits: a queue, as chains of them may be long
        self._absentees: deque[tuple[StepShape, Key]] = deque()
        self._within: dict[str, list[StepShape]] = {}
        for step in steps:
            for name in step.line:
                self._within.setdefault(name, []).append(step)

    def handle(self, events: Iterable[Event]) -> list[Action]:
        """What to do, now that this has happened."""
        actions: list[Action] = []
        for event in events:
            match event:
                case Begun():
                    for step in self.steps.values():
                        if step.depth == 0:
                            self._appear(step, ())
                case AttemptEnded():
                    actions += self._attempt_ended(event)
                case DelayEnded():
                    self._delay_ended(event)
                case CancelAsked():
                    actions += self._cancel(event.hard)
        return actions + self._drain()

    def _drain(self) -> list[Action]:
        """The starts and skips that have gathered, and the end where there is nothing else."""
        while self._absentees:
            self._skip(*self._absentees.popleft())
        skipped, self._skipped = self._skipped, {}
        ready, self._ready = self._ready, {}
        actions: list[Action] = [
            Skip(name, part, tuple(keys)) for (name, part), keys in skipped.items()
        ]
        for (name, part, attempt), keys in ready.items():
            if self.cancelled:
                for key in keys:
                    self.running.pop((name, key, part), None)
            else:
                self.running.update(((name, key, part), attempt) for key in keys)
                actions.append(Start(name, part, attempt, tuple(keys)))
        if not self.running and not self.delayed and not self.ended:
            self.ended = True
            actions.append(End(self._status()))
        return actions

    def _status(self) -> Literal["succeeded", "failed", "cancelled"]:
        if self.cancelled:
            return "cancelled"
        return "failed" if self.failed else "succeeded"

    # --- what waits

    def _appear(self, step: StepShape, key: Key) -> None:
        """A split or a task exists from now on: it waits, or is ready at once."""
        missing = 0
        for need in step.needs:
            node = self._node(need, key)
            if node.state in ("open", "failed"):
                node.waiting.append((step.name, key))
                missing += 1
        if missing:
            self.missing[step.name, key] = missing
        else:
            self._begin(step, key)

    def _begin(self, step: StepShape, key: Key) -> None:
        part: Part = "items" if step.splits else "main"
        if any(self._absent(supply, key) for supply in step.supplies):
            self._skipped.setdefault((step.name, part), []).append(key)
            self._absentees.append((step, key))
        else:
            self._ready.setdefault((step.name, part, 1), []).append(key)

    def _absent(self, supply: tuple[Need, ...], key: Key) -> bool:
        return bool(supply) and all(self._node(need, key).state == "absent" for need in supply)

    def _node(self, need: Need, key: Key) -> Node:
        """The node that a need means; below a fan-out that is absent, everything is."""
        for depth in range(need.depth):
            outer = self.nodes.get((need.step, key[:depth]))
            if outer is not None and outer.state == "absent":
                return outer
        return self.nodes.setdefault((need.step, key[: need.depth]), Node())

    # --- what ends

    def _attempt_ended(self, event: AttemptEnded) -> list[Action]:
        at = (event.step, event.key, event.part)
        if self.running.get(at) != event.attempt or at in self.delayed:
            return []  # told twice, or too late: each attempt counts once
        step = self.steps[event.step]
        if event.status == "failed" and event.attempt <= step.retry and not self.cancelled:
            self.running[at] = event.attempt + 1
            if step.retry_delay:
                self.delayed.add(at)
                return [Delay(event.step, event.key, event.part, step.retry_delay)]
            self._again(at)
            return []
        del self.running[at]
        self._settle(step, event)
        return []

    def _settle(self, step: StepShape, event: AttemptEnded) -> None:
        if event.status == "cancelled":
            return
        if event.status == "skipped" or (event.status == "failed" and step.catch):
            if event.part == "items":
                self._skip(step, event.key)
            else:
                self._end(step, event.key, "absent")
        elif event.status == "failed":
            self.failed = True
            self._end(step, event.key, "failed")
        elif event.part == "items":
            self._open(step, event.key, event.count or 0)
        else:
            self._end(step, event.key, "done")

    def _delay_ended(self, event: DelayEnded) -> None:
        at = (event.step, event.key, event.part)
        if at in self.delayed:
            self.delayed.remove(at)
            self._again(at)

    def _again(self, at: tuple[str, Key, Part]) -> None:
        step, key, part = at
        self._ready.setdefault((step, part, self.running[at]), []).append(key)

    def _cancel(self, hard: bool) -> list[Action]:
        self.cancelled = True
        for at in self.delayed:
            del self.running[at]
        self.delayed.clear()
        return [Stop(hard)] if self.running else []

    def _open(self, step: StepShape, key: Key, count: int) -> None:
        """A split is done: the tasks of the step, and of those that stay in its branches, exist."""
        depth = len(key)
        branches = [(*key, index) for index in range(count)]
        for one in self._within[step.name]:
            node = self.nodes.setdefault((one.name, key), Node())
            node.left = count
            if not count:
                self._end(one, key, "done")
        if branches:
            self._ready.setdefault((step.name, "main", 1), []).extend(branches)
        for one in self._within[step.name]:
            if one is not step and one.depth == depth + 1:
                for branch in branches:
                    self._appear(one, branch)

    def _skip(self, step: StepShape, key: Key) -> None:
        """A split or a task is skipped, and with a split all that would be in its branches."""
        if not step.splits:
            self._end(step, key, "absent")
            return
        for one in self._within[step.name]:
            # none of its tasks will ever exist here: one record says so for all
            self._skipped.setdefault((one.name, "main"), []).append(key)
            self._end(one, key, "absent")

    def _end(self, step: StepShape, key: Key, state: NodeState) -> None:
        """A node has ended: tell what waits, and the branch it is in."""
        node = self.nodes.setdefault((step.name, key), Node())
        node.state = state
        if state != "failed":
            waiting, node.waiting = node.waiting, []
            for name, waiter in waiting:
                self._less(name, waiter)
        if not key:
            return
        outer = self.nodes[step.name, key[:-1]]
        outer.broken |= state == "failed"
        assert outer.left is not None
        outer.left -= 1
        if outer.left == 0:
            self._end(step, key[:-1], "failed" if outer.broken else "done")

    def _less(self, name: str, key: Key) -> None:
        self.missing[name, key] -= 1
        if not self.missing[name, key]:
            del self.missing[name, key]
            self._begin(self.steps[name], key)
