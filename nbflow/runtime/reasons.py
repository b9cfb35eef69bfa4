"""Reasons: why a task runs, told by what differs from the flow's last run that had it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbflow.environments.locks import identities, locks_from_json
from nbflow.runtime.cachekey import CacheKeys, Parts, difference
from nbflow.runtime.environment import identity_of
from nbflow.runtime.known import Known
from nbflow.runtime.machine import Part
from nbflow.runtime.spec import FlowSpec, Key, StepSpec, key_text, read_spec
from nbflow.store.records import RunRecord

if TYPE_CHECKING:
    from nbflow.store import Store

_NONE = "no earlier result"


class Reasons:
    """Compares with one earlier run, of which only the steps that are asked for are read."""

    def __init__(self, store: Store, keys: CacheKeys, earlier: RunRecord | None) -> None:
        self._store = store
        self._keys = keys
        self._earlier = earlier
        self._before: _Before | None = None
        #: what all tasks of a split share has been compared once
        self._shared: dict[tuple[str, Part, Key], str | None] = {}

    def reason(self, step: StepSpec, part: Part, key: Key) -> str:
        """Why this task has to run."""
        if self._earlier is None:
            return _NONE
        if not step.cache:
            return "the step says --no-cache"
        if self._before is None:
            self._before = _Before(self._store, self._earlier)
        before = self._before
        old = before.step(step.name)
        if old is None or old.splits != step.splits or len(old.line) != len(step.line):
            return _NONE
        outer = key[:-1] if part == "main" and step.splits else key
        at = (step.name, part, outer)
        if at not in self._shared:
            now = self._keys.common(step, part, outer)
            self._shared[at] = difference(now, before.common(old, part, outer), step.name)
        shared = self._shared[at]
        if shared is not None:
            return shared
        if part == "main" and step.splits:
            item = self._keys.parts(step, part, key).item
            if item not in before.items(old, outer):
                return "a new item"
        status = before.status(old, part, key)
        return _NONE if status in (None, "succeeded", "cached") else f"it {_WORDS[status]} before"


_WORDS = {
    "failed": "failed",
    "skipped": "was skipped",
    "cancelled": "was cancelled",
    "lost": "was lost",
    "running": "had not ended",
    "pending": "had not started",
}


class _Before:
    """The earlier run, read as far as needed."""

    def __init__(self, store: Store, run: RunRecord) -> None:
        version = store.version(run.version)
        self._store = store
        self._run = run
        self._spec: FlowSpec = read_spec(version.manifest)
        recorded = store.environment(run)
        environment = identity_of(version.manifest, version.files, recorded.get("python"))
        others = identities(version.manifest, locks_from_json(recorded))
        self._known = Known(self._spec, store, run.params)
        self._keys = CacheKeys(
            self._spec, self._known, run.params, environment, environments=others
        )
        self._loaded: set[str] = set()
        self._digests: dict[tuple[str, Key], frozenset[str]] = {}

    def step(self, name: str) -> StepSpec | None:
        return next((step for step in self._spec.steps if step.name == name), None)

    def common(self, step: StepSpec, part: Part, outer: Key) -> Parts:
        read = {source for one in step.inputs for source in one.sources}
        around = {name for source in read for name in self._spec.step(source).line}
        self._load({*read, *around, *step.line})
        return self._keys.common(step, part, outer)

    def items(self, step: StepSpec, outer: Key) -> frozenset[str]:
        at = (step.name, outer)
        if at not in self._digests:
            self._digests[at] = frozenset(self._each(step.name, outer))
        return self._digests[at]

    def status(self, step: StepSpec, part: Part, key: Key) -> str | None:
        if step.splits and part == "main":
            return None  # a fan-out's item may have moved: its place says nothing
        record = self._store.task(self._run.id, step.name, key_text(key), part)
        return record.status if record is not None else "pending"

    def _each(self, step: str, outer: Key) -> list[str]:
        digests: list[str] = []
        while digest := self._known.item(step, (*outer, len(digests))):
            digests.append(digest)
        return digests

    def _load(self, steps: set[str]) -> None:
        self._known.load(self._run.id, steps - self._loaded)
        self._loaded |= steps
