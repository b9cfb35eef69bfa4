"""Known: what the finished tasks of a run have made, as identities: what cache keys are made of."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from nbflow.runtime.shape import depth_of
from nbflow.runtime.spec import CallSpec, FlowSpec, InputSpec, Key, StepSpec, read_key
from nbflow.store.records import TaskRecord

if TYPE_CHECKING:
    from nbflow.store import Store
    from nbflow.store.items import Items


class Known:
    """Grows with the records of a run; says which contents an input has."""

    def __init__(self, spec: FlowSpec, store: Store, params: Mapping[str, Any]) -> None:
        self.spec = spec
        self._store = store
        self._params = params
        self._made: dict[str, dict[Key, dict[str, str]]] = {}
        self._items: dict[tuple[str, Key], Items] = {}
        self._fanouts: dict[tuple[str, Key], str] = {}

    def add(self, record: TaskRecord) -> None:
        """Take in a task that ended well, or whose failure was caught."""
        key = read_key(record.key)
        if record.part == "items":
            if "items" in record.artifacts:
                self._items[record.step, key] = self._store.items(record.ref("items"))
        elif record.status in ("succeeded", "cached"):
            self._made.setdefault(record.step, {})[key] = {
                name: identity(ref) for name, ref in record.artifacts.items()
            }

    def load(self, run: int, steps: set[str]) -> None:
        """Take in what a run of the past has recorded for these steps."""
        for step in steps:
            for part in ("items", "main"):
                for record in self._store.tasks(run, step, part=part):
                    self.add(record)

    def inputs(self, step: StepSpec, call: CallSpec, key: Key) -> dict[str, str]:
        """The identity of every input of a call."""
        line = step.line[: len(key)]
        return {one.name: self._input(one, line, key) for one in call.inputs}

    def item(self, step: str, key: Key) -> str:
        """The identity of a fan-out's item; empty where there is none."""
        items = self._items.get((step, key[:-1]))
        return items.digest(key[-1]) if items is not None and key[-1] < len(items) else ""

    def label(self, step: str, key: Key) -> Any:
        """The item in short."""
        items = self._items.get((step, key[:-1]))
        return items.label(key[-1]) if items is not None and key[-1] < len(items) else None

    def _input(self, one: InputSpec, line: tuple[str, ...], key: Key) -> str:
        if one.fanout:
            source = self.spec.step(one.sources[0])
            return self._fanout(source, key[: depth_of(line, source.line, fanout=True)])
        for name in one.sources:
            source = self.spec.step(name)
            at = key[: depth_of(line, source.line, fanout=False)]
            made = self._made.get(name, {}).get(at)
            if made is None:
                continue
            if one.name in made:
                return made[one.name]
            for depth, fanout in enumerate(source.line, start=1):
                if one.name in self.spec.step(fanout).targets:
                    return f"item:{self.item(fanout, at[:depth])}:{one.name}"
        return f"parameter:{self._params.get(one.name)!r}" if one.parameter else ""

    def _fanout(self, source: StepSpec, prefix: Key) -> str:
        """One identity for all tasks of a fan-out, which have all ended when it is asked for."""
        at = (source.name, prefix)
        if at not in self._fanouts:
            digest = blake2b(digest_size=16)
            made = self._made.get(source.name, {})
            for key in sorted(one for one in made if one[: len(prefix)] == prefix):
                item = self.item(source.line[-1], key)
                digest.update(f"{key}{item}{sorted(made[key].items())}".encode())
            self._fanouts[at] = f"fan-out:{digest.hexdigest()}"
        return self._fanouts[at]


def identity(ref: Mapping[str, Any]) -> str:
    """`Ref.identity` of a ref in its JSON form."""
    member = ref.get("member")
    return f"{ref['codec']}:{ref['oid']}" + (f":{member}" if member is not None else "")
