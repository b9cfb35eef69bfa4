"""Explain: what a run would run and what it would take from the cache, and why, without running."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nbflow.runtime.known import Known
from nbflow.runtime.machine import AttemptEnded, Begun, Event, Machine, Part, Skip, Start
from nbflow.runtime.request import RunRequest
from nbflow.runtime.run import Plan, plan_run
from nbflow.runtime.shape import shape
from nbflow.runtime.spec import FlowSpec, Key, key_text, read_key
from nbflow.store.records import TaskRecord


@dataclass(frozen=True, slots=True)
class Explanation:
    """Tasks of a step that share a fate. ``keys`` is empty where they are not known yet."""

    step: str
    part: Part
    keys: tuple[str, ...]
    #: `run`, `cached` or `skipped`
    fate: str
    reason: str


def explain(request: RunRequest) -> list[Explanation]:
    """In the order of the flow; raises a `UserError` for what `run_flow` would refuse."""
    return explain_plan(plan_run(request))


def explain_plan(plan: Plan) -> list[Explanation]:
    """The same for a plan in hand."""
    walk = _Walk(plan)
    walk.go()
    return walk.told()


class _Walk:
    """The machine of a run of which only the cached tasks ever end."""

    def __init__(self, plan: Plan) -> None:
        self._spec: FlowSpec = plan.spec
        self._known = Known(plan.spec, plan.store, plan.params)
        self._cache = plan.cache(self._known, plan.root())
        self._machine = Machine(shape(plan.spec))
        self._found: dict[str, list[Explanation]] = {}
        #: steps of which at least a task would run: what comes after is not known
        self._anew: set[str] = set()

    def go(self) -> None:
        """Let everything happen that needs no task to run."""
        events: list[Event] = [Begun()]
        while events:
            actions = self._machine.handle(events)
            events = []
            for action in actions:
                if isinstance(action, Start):
                    events += self._start(action)
                elif isinstance(action, Skip):
                    self._add(
                        action.step, action.part, action.keys, "skipped", "what it reads is skipped"
                    )

    def told(self) -> list[Explanation]:
        """What was found, and for the steps that were not reached, what they wait for."""
        rows: list[Explanation] = []
        for step in self._spec.in_order():
            rows += self._found.get(step.name, ())
            if any(row.part == "main" for row in self._found.get(step.name, ())):
                continue
            waits = [name for name in step.depends if name in self._anew]
            if waits:
                reason = f"{', '.join(waits)} {'runs' if len(waits) == 1 else 'run'} before it"
            elif step.name in self._anew:
                reason = "its items are made anew"
            else:
                continue  # a fan-out over nothing
            self._anew.add(step.name)
            rows.append(Explanation(step.name, "main", (), "run", reason))
        return rows

    def _start(self, start: Start) -> list[Event]:
        step = self._spec.step(start.step)
        found = self._cache.find(step, start.part, start.keys)
        reasons: dict[str, list[Key]] = {}
        for key, (_, reason) in zip(found.missing, found.plans, strict=True):
            reasons.setdefault(reason, []).append(key)
        for reason, keys in reasons.items():
            self._anew.add(step.name)
            self._add(step.name, start.part, keys, "run", reason)
        if found.records:
            self._known_cached(step.name, start.part, found.records)
        return [self._ended(record) for record in found.records]

    def _known_cached(self, step: str, part: Part, records: Sequence[TaskRecord]) -> None:
        text = tuple(record.key for record in records)
        reason = "nothing that it depends on has changed"
        self._found.setdefault(step, []).append(Explanation(step, part, text, "cached", reason))

    def _ended(self, record: TaskRecord) -> AttemptEnded:
        self._known.add(record)
        key = read_key(record.key)
        return AttemptEnded(record.step, key, record.part, 1, "cached", record.count)

    def _add(self, step: str, part: Part, keys: Sequence[Key], fate: str, reason: str) -> None:
        text = tuple(key_text(key) for key in keys)
        self._found.setdefault(step, []).append(Explanation(step, part, text, fate, reason))
