"""Branches of a run: a fan-out's tasks as the lazy sequence that reads them from the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbflow.branches import Branches, BranchSource, Loader, is_small
from nbflow.runtime.spec import FlowSpec, Key, StepSpec, read_key
from nbflow.runtime.targets import bind_item
from nbflow.values.ref import Ref

if TYPE_CHECKING:
    from nbflow.store import Store
    from nbflow.store.items import Items

#: what marks a reference to one item of a split
_ITEM = "item of"


@dataclass(frozen=True, slots=True)
class StoreLoader:
    """Loads what a branch refers to, when it is touched."""

    store: Store
    #: the items of splits that were asked for, by content: one read serves all branches
    _items: dict[str, Items] = field(default_factory=dict, compare=False, repr=False)

    def load(self, values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """The value of ``name``, and those stored together with it, which share parts."""
        data = values[name]
        if _ITEM in data:
            item = self._item(data[_ITEM], data["index"])
            return (
                bind_item(data["target"], data["names"], item) if "names" in data else {name: item}
            )
        if data.get("member") is None:
            return {name: self.store.get(Ref.from_json(data))}
        return self.store.get_many(
            {
                one: Ref.from_json(other)
                for one, other in values.items()
                if other.get("member") is not None and other.get("oid") == data["oid"]
            }
        )

    def small(self, values: Mapping[str, Any], name: str) -> bool:
        """Whether the value is plain and small: a column of a table."""
        data = values[name]
        return is_small(self.load(values, name)[name]) if _ITEM in data else "inline" in data

    def _item(self, items: Mapping[str, Any], index: int) -> Any:
        oid = items["oid"]
        if oid not in self._items:
            self._items[oid] = self.store.items(Ref.from_json(dict(items)))
        return self._items[oid][index]

    def __reduce__(self) -> tuple[Any, ...]:
        return _open_loader, (self.store.url,)


def _open_loader(url: str) -> StoreLoader:
    from nbflow.store import open_store

    return StoreLoader(open_store(url))


def branches_of(
    store: Store,
    run: int,
    spec: FlowSpec,
    step: StepSpec,
    prefix: Key = (),
    *,
    every: bool = False,
    loader: Loader | None = None,
) -> Branches:
    """The tasks of a fan-out within ``prefix`` that ended well, or whose failure was caught.

    With ``every`` all that are recorded, whatever their status.
    """
    return Branches(
        step.name, _sources(store, run, spec, step, prefix, every, loader or StoreLoader(store))
    )


def _sources(
    store: Store,
    run: int,
    spec: FlowSpec,
    step: StepSpec,
    prefix: Key,
    every: bool,
    loader: Loader,
) -> list[BranchSource]:
    outer = _outer(store, run, spec, step, loader)
    splits = {
        read_key(record.key): record.artifacts["items"]
        for record in store.tasks(run, step.line[-1], part="items")
        if "items" in record.artifacts
    }
    sources: list[BranchSource] = []
    for record in store.tasks(run, step.name):
        key = read_key(record.key)
        wanted = every or record.status in ("succeeded", "cached", "failed")
        if not wanted or not key or key[: len(prefix)] != prefix or key[:-1] not in splits:
            continue
        item = {_ITEM: splits[key[:-1]], "index": key[-1]}
        bound = {**item, "names": step.targets, "target": step.target}
        values = {**dict.fromkeys(step.targets, bound), **record.artifacts}
        parent = outer.get(key[:-1])
        sources.append(BranchSource(step.name, key, item, values, loader, record.error, parent))
    return sources


def _outer(
    store: Store, run: int, spec: FlowSpec, step: StepSpec, loader: Loader
) -> dict[Key, BranchSource]:
    """The branches of the fan-out around this one, of a nested fan-out."""
    if len(step.line) < 2:
        return {}
    around = spec.step(step.line[-2])
    return {one.key: one for one in _sources(store, run, spec, around, (), True, loader)}
