"""Cache key: everything that the result of a task depends on, as one short text. Never a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from nbflow.runtime.known import Known
from nbflow.runtime.machine import Part
from nbflow.runtime.spec import FlowSpec, Key, StepSpec


@dataclass(frozen=True, slots=True)
class Parts:
    """What a key is made of, kept apart so that one can say which of them changed."""

    code: str
    environment: str
    options: str
    parameters: tuple[tuple[str, str], ...]
    inputs: tuple[tuple[str, str], ...]
    item: str = ""

    def key(self, salt: str = "") -> str:
        """The cache key."""
        return self.keys([self.item], salt)[0]

    def keys(self, items: Iterable[str], salt: str = "") -> list[str]:
        """The cache keys of tasks that differ in their item only."""
        common = [self.code, self.environment, self.options, self.parameters, self.inputs, salt]
        base = blake2b(json.dumps(common).encode(), digest_size=20)
        keys: list[str] = []
        for item in items:
            one = base.copy()
            one.update(item.encode())
            keys.append(one.hexdigest())
        return keys


class CacheKeys:
    """Makes the parts for the tasks of one run."""

    def __init__(
        self,
        spec: FlowSpec,
        known: Known,
        params: Mapping[str, Any],
        environment: str,
        seed: int | None = None,
        environments: Mapping[str, str] | None = None,
    ) -> None:
        self._spec = spec
        self._known = known
        self._params = params
        self._environment = environment
        #: those of steps with `--env`, by name
        self._environments = environments or {}
        #: only a seed that somebody chose: a drawn one differs every time
        self._seed = seed

    def parts(self, step: StepSpec, part: Part, key: Key) -> Parts:
        """The parts for one task or one split."""
        outer = key[:-1] if part == "main" and step.splits else key
        item = self._known.item(step.name, key) if outer != key else ""
        return replace(self.common(step, part, outer), item=item)

    def common(self, step: StepSpec, part: Part, outer: Key) -> Parts:
        """The parts that all tasks of a fan-out in one branch share."""
        calls = [step.items] if part == "items" else [step.call]
        if step.when is not None and (part == "items" or not step.splits):
            calls.append(step.when)
        inputs: dict[str, str] = {}
        names: set[str] = set()
        for call in calls:
            assert call is not None
            inputs |= self._known.inputs(step, call, outer)
            names.update(call.parameters)
        options = [part, step.resources.image, step.env, step.variant, self._seed]
        return Parts(
            step.code,
            self._environments.get(step.env or "", self._environment),
            json.dumps(options),
            tuple((name, json.dumps(self._params.get(name))) for name in sorted(names)),
            tuple(sorted(inputs.items())),
        )


def difference(now: Parts, before: Parts, step: str) -> str | None:
    """Why a task that depended on ``before`` has to run again; None where nothing differs."""
    if now.code != before.code:
        return f"the code of {step} changed"
    old, new = dict(before.parameters), dict(now.parameters)
    for name in sorted({*old, *new}):
        if name in old and name in new and old[name] != new[name]:
            return f"parameter {name} changed {old[name]} → {new[name]}"
        if (name in old) != (name in new):
            return f"the parameters that {step} reads changed"
    had, have = dict(before.inputs), dict(now.inputs)
    changed = [name for name in have if had.get(name) != have[name]]
    if changed or set(had) != set(have):
        return f"input {', '.join(changed)} changed" if changed else "the inputs changed"
    if now.item != before.item:
        return "the item changed"
    if now.environment != before.environment:
        return "the environment changed"
    if now.options != before.options:
        return "the options or the seed changed"
    return None
