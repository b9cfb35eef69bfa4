"""Groups: the kinds of Dask workers that a flow needs, and how many of each there should be.

Pure: what waits, what runs and what is there come in, numbers go out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nbflow.kubernetes.manifests import step_image
from nbflow.kubernetes.settings import Settings, Workers
from nbflow.runtime.machine import Part
from nbflow.runtime.spec import FlowSpec, ResourceSpec, StepSpec

#: seconds of work that make another worker worth its start
WORTH = 10.0
#: seconds without work after which a worker that need not be kept is let go
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Group:
    """Workers that are all alike: each runs one task at a time."""

    name: str
    resources: ResourceSpec
    image: str

    @property
    def mark(self) -> str:
        """What its workers offer, and its tasks take, as a resource of Dask's."""
        return f"nbflow-{self.name}"


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of a flow, the plain one first, and which step's tasks go to which."""

    groups: tuple[Group, ...]
    _of: Mapping[tuple[ResourceSpec, str], Group]
    _settings: Settings

    def of(self, step: StepSpec, part: Part) -> Group:
        """The group that runs this part of a step."""
        return self._of[_kind(self._settings, step, part)]


def groups_of(spec: FlowSpec, settings: Settings) -> Groups:
    """One group for each kind of resources and image that the steps of a flow ask for.

    The first is called `default`: steps that ask for nothing, or else the first step's.
    """
    parts: tuple[Part, ...] = ("main", "items")
    kinds = [
        _kind(settings, step, part)
        for step in spec.steps
        for part in parts
        if part == "main" or step.items is not None
    ]
    plain = (ResourceSpec(), settings.image or "")
    distinct = sorted(dict.fromkeys(kinds), key=lambda kind: kind != plain)
    found = {
        kind: Group(f"group{at}" if at else "default", *kind) for at, kind in enumerate(distinct)
    }
    return Groups(tuple(found.values()), found, settings)


def _kind(settings: Settings, step: StepSpec, part: Part) -> tuple[ResourceSpec, str]:
    asked = step.resources
    wanted = ResourceSpec(cpu=asked.cpu, memory=asked.memory, gpu=asked.gpu, disk=asked.disk)
    return (wanted if part == "main" else ResourceSpec()), step_image(settings, step) or ""


@dataclass(frozen=True, slots=True)
class Demand:
    """What there is to do for one group."""

    #: workers that tasks are at
    busy: int = 0
    #: tasks that are ready, and the seconds that each takes, of each kind
    waiting: tuple[tuple[int, float | None], ...] = ()

    @property
    def needs(self) -> int:
        """How many workers have something to do, and enough of it to be worth their start."""
        return self.busy + sum(
            number if seconds is None else min(number, math.ceil(number * seconds / WORTH))
            for number, seconds in self.waiting
        )


@dataclass(slots=True)
class Planner:
    """How many workers each group should have, from one look to the next."""

    workers: Workers
    names: Sequence[str]
    #: since when a group has had more workers than it needs
    _spare: dict[str, float] = field(default_factory=dict)

    def plan(
        self, demands: Mapping[str, Demand], have: Mapping[str, int], now: float
    ) -> dict[str, int]:
        """The number for each group. Together they are never more than `workers.most`."""
        needs = {name: demands.get(name, Demand()).needs for name in self.names}
        given = {name: min(demands.get(name, Demand()).busy, needs[name]) for name in self.names}
        room = self.workers.most - sum(given.values())
        while room > 0 and (short := [name for name in self.names if given[name] < needs[name]]):
            for name in short[:room]:
                given[name] += 1
                room -= 1
        home = self.names[0]
        given[home] += max(0, min(room, self.workers.least - sum(given.values())))
        return self._patient(given, have, now)

    def _patient(
        self, given: dict[str, int], have: Mapping[str, int], now: float
    ) -> dict[str, int]:
        """Workers that have nothing to do are kept for a while, unless others need the room."""
        room = self.workers.most - sum(given.values())
        kept = dict(given)
        for name, number in given.items():
            spare = have.get(name, 0) - number
            if spare <= 0:
                self._spare.pop(name, None)
            elif now - self._spare.setdefault(name, now) < PATIENCE:
                kept[name] += min(spare, room)
                room -= min(spare, room)
        return kept
