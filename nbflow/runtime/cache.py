"""Cache: which tasks need not run, as an earlier one with the same key has their result."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nbflow.runtime.cachekey import CacheKeys
from nbflow.runtime.known import Known
from nbflow.runtime.machine import Part
from nbflow.runtime.reads import FilesNow
from nbflow.runtime.reasons import Reasons
from nbflow.runtime.spec import Key, StepSpec, key_text
from nbflow.store.records import TaskRecord

if TYPE_CHECKING:
    from nbflow.store import Store


@dataclass(frozen=True, slots=True)
class Policy:
    """Which steps may take results over, and from where."""

    enabled: bool = True
    #: steps to be run whatever the cache has, and what made them so
    forced: Collection[str] = ()
    forced_by: str = ""
    #: the first of a chain of runs of which each resumes the last
    root: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Cached records, and what is missing: with the cache key and the reason of each."""

    records: list[TaskRecord]
    missing: tuple[Key, ...]
    plans: list[tuple[str, str]]


class Cache:
    """Looks up the tasks of one run."""

    def __init__(
        self, store: Store, keys: CacheKeys, known: Known, policy: Policy, reasons: Reasons
    ) -> None:
        self._store = store
        self._keys = keys
        self._known = known
        self._policy = policy
        self._reasons = reasons
        self._files = FilesNow()

    def find(self, step: StepSpec, part: Part, keys: Sequence[Key]) -> Found:
        """Results for these tasks of one step."""
        names = self._cache_keys(step, part, keys)
        why = self._refusal(step)
        hits = self._store.lookup_cache(names) if why is None else {}
        records: list[TaskRecord] = []
        missing: list[Key] = []
        plans: list[tuple[str, str]] = []
        for key, name in zip(keys, names, strict=True):
            hit = hits.get(name)
            changed = None if hit is None else self._files.changed(hit.task.files)
            if hit is None or changed is not None:
                missing.append(key)
                plans.append((name, why or changed or self._reasons.reason(step, part, key)))
                continue
            item = self._known.label(step.line[-1], key[: len(step.line)]) if step.line else None
            records.append(
                replace(
                    hit.task,
                    step=step.name,
                    key=key_text(key),
                    status="cached",
                    part=part,
                    attempt=1,
                    item=item if part == "main" else None,
                    cached_from=hit.task.cached_from or hit.path,
                    reason="nothing that it depends on has changed",
                )
            )
        return Found(records, tuple(missing), plans)

    def plans(self, step: StepSpec, part: Part, keys: Sequence[Key]) -> list[tuple[str, str]]:
        """The cache keys and reasons of tasks that are run, whatever the cache has."""
        names = self._cache_keys(step, part, keys)
        why = self._refusal(step)
        reasons = (why or self._reasons.reason(step, part, key) for key in keys)
        return list(zip(names, reasons, strict=True))

    def _cache_keys(self, step: StepSpec, part: Part, keys: Sequence[Key]) -> list[str]:
        """The keys of many tasks at once: those of one split share all but their item."""
        # what must not be taken from elsewhere may still be taken by a run that resumes this one
        salt = "" if step.cache else f"run {self._policy.root}"
        if part == "items" or not step.splits:
            return [self._keys.parts(step, part, key).key(salt) for key in keys]
        names: dict[Key, str] = {}
        branches: dict[Key, list[Key]] = {}
        for key in keys:
            branches.setdefault(key[:-1], []).append(key)
        for outer, inner in branches.items():
            common = self._keys.common(step, part, outer)
            items = [self._known.item(step.name, key) for key in inner]
            names.update(zip(inner, common.keys(items, salt), strict=True))
        return [names[key] for key in keys]

    def _refusal(self, step: StepSpec) -> str | None:
        if not self._policy.enabled:
            return "--no-cache"
        if step.name in self._policy.forced:
            return self._policy.forced_by
        return None
