"""Inputs: the values that a task's code is called with, from the store."""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbflow.errors import UserError, user_error
from nbflow.runtime.branches_of import branches_of
from nbflow.runtime.parameters import python_value
from nbflow.runtime.shape import depth_of
from nbflow.runtime.spec import (
    CallSpec,
    FlowSpec,
    InputSpec,
    Key,
    StepSpec,
    key_text,
    read_key,
    read_spec,
)
from nbflow.runtime.targets import bind_item
from nbflow.runtime.unchanged import immutable
from nbflow.store.records import RunRecord, TaskRecord
from nbflow.values.ref import Ref

if TYPE_CHECKING:
    from nbflow.store import Store
    from nbflow.store.items import Items

#: records of one step's tasks that are remembered: a fan-out's are read once each
_REMEMBERED = 10_000


class Absent(Exception):
    """What would have made an input was skipped: the task that reads it is skipped too."""

    def __init__(self, name: str, source: str) -> None:
        super().__init__(name, source)
        self.name = name
        self.source = source


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the value of an input lies: in a task's artifact, or in the item of its fan-out."""

    step: StepSpec
    key: Key
    ref: Ref | None


class Inputs:
    """Resolves the inputs of one run's tasks."""

    def __init__(
        self,
        store: Store,
        run: RunRecord,
        spec: FlowSpec,
    ) -> None:
        self.store = store
        self.run = run
        self.spec = spec
        self._records: dict[tuple[str, Key], TaskRecord | None] = {}
        self._items: dict[tuple[str, Key], Items] = {}
        self._parameters: dict[str, Any] = {}

    def values(
        self, step: StepSpec, call: CallSpec, key: Key
    ) -> tuple[dict[str, Any], dict[str, Ref]]:
        """The arguments of a call, and the refs of those that artifacts are; raises `Absent`."""
        line = step.line[: len(key)]
        values: dict[str, Any] = {}
        refs: dict[str, Ref] = {}
        for one in call.inputs:
            if one.fanout:
                values[one.name] = self._branches(step, one, line, key)
                continue
            origin = self.origin(step, one, line, key)
            if origin is None:
                values[one.name] = self.parameter(one.name)
            elif origin.ref is None:
                values[one.name] = self.item(origin.step, origin.key)[one.name]
            else:
                refs[one.name] = origin.ref
        if "_sys_path" in refs:  # modules of the other values may lie there
            sys.path[:] = self.store.get(refs["_sys_path"])
        values.update(self._stored(step, refs))
        for name in call.parameters:
            values[name] = self.parameter(name)
        return values, refs

    def _stored(self, step: StepSpec, refs: Mapping[str, Ref]) -> dict[str, Any]:
        try:
            return self.store.get_many(refs)
        except (UserError, ImportError, OSError, MemoryError):
            raise
        except Exception as error:  # whatever a class does when pickle makes it anew
            raise self._unread(step, refs, error) from error

    def _unread(self, step: StepSpec, refs: Mapping[str, Ref], error: Exception) -> UserError:
        """A value that pickle has written and cannot read: which, and what its reader said."""
        name = next((name for name, ref in refs.items() if not self._readable(ref)), "")
        told = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".")
        return user_error(
            "NBF405",
            f"The variable `{name}` was stored, but cannot be made anew from what was: {told}.",
            f"Put the step that makes `{name}` and `{step.name}` into one, or make `{name}` anew "
            f"in `{step.name}`.",
            cell=step.cells[0] if step.cells else None,
            line=1,
        )

    def _readable(self, ref: Ref) -> bool:
        try:
            self.store.get(ref)
        except Exception:
            return False
        return True

    def origin(
        self, step: StepSpec, one: InputSpec, line: tuple[str, ...], key: Key
    ) -> Origin | None:
        """The nearest source that ran and bound the name; None where it is the parameter."""
        skipped = None
        for name in one.sources:
            source = self.spec.step(name)
            at = key[: depth_of(line, source.line, fanout=False)]
            record = self._record(source.name, at)
            if record is None or record.status not in ("succeeded", "cached"):
                skipped = name
            elif one.name in record.artifacts:
                return Origin(source, at, record.ref(one.name))
            elif one.name in source.targets:
                return Origin(source, at, None)
            elif any(one.name in self.spec.step(f).targets for f in source.line):
                around = next(f for f in source.line if one.name in self.spec.step(f).targets)
                return Origin(self.spec.step(around), at[: source.line.index(around) + 1], None)
        if one.parameter:
            return None
        if skipped is not None:
            raise Absent(one.name, skipped)
        raise user_error(
            "NBF306",
            f"The step `{step.name}` reads `{one.name}`, but `{one.sources[0]}` ended without "
            "binding it.",
            f"Bind `{one.name}` in every case, `{one.name} = None` before the `if`, say.",
            cell=step.cells[0] if step.cells else None,
            line=1,
        )

    def item(self, step: StepSpec, key: Key) -> dict[str, Any]:
        """The names that a fan-out binds in this branch."""
        return bind_item(step.target, step.targets, self.items(step, key[:-1])[key[-1]])

    def items(self, step: StepSpec, key: Key) -> Items:
        """The items of a split, read once."""
        if (step.name, key) not in self._items:
            record = self.store.split(self.run.id, step.name, key_text(key))
            if record is None:
                raise user_error(
                    "NBF407",
                    f"The run {self.run.path} has no items for `{step.name}` yet.",
                    "Its split has to run first.",
                )
            self._items[step.name, key] = self.store.items(record.ref("items"))
        return self._items[step.name, key]

    def parameter(self, name: str) -> Any:
        """The value of a parameter in this run."""
        if name not in self._parameters:
            entry = next(one for one in self.spec.manifest["parameters"] if one["name"] == name)
            self._parameters[name] = python_value(entry, self.run.params)
        value = self._parameters[name]
        # each task has its own, to change as it likes
        return value if immutable(value) else copy.deepcopy(value)

    def _branches(self, step: StepSpec, one: InputSpec, line: tuple[str, ...], key: Key) -> Any:
        source = self.spec.step(one.sources[0])
        prefix = key[: depth_of(line, source.line, fanout=True)]
        split = self.store.split(self.run.id, source.line[-1], key_text(prefix))
        if split is not None and split.status == "skipped":
            raise Absent(one.name, source.name)
        return branches_of(self.store, self.run.id, self.spec, source, prefix)

    def _record(self, step: str, key: Key) -> TaskRecord | None:
        at = (step, key)
        if at not in self._records:
            if len(self._records) > _REMEMBERED:
                self._records.clear()
            self._records[at] = self.store.task(self.run.id, step, key_text(key))
        return self._records[at]


def task_inputs(
    store: Store, run: int | str, step: str, key: str = "", part: str = "main"
) -> dict[str, Any]:
    """What a task was called with, to look at or to call it again."""
    record = store.run(run)
    spec = read_spec(store.version(record.version).manifest)
    inputs = Inputs(store, record, spec)
    one, at = spec.step(step), read_key(key)
    call = one.items if part == "items" and one.items else one.call
    values, _ = inputs.values(one, call, at)
    return values | inputs.item(one, at) if one.splits and part == "main" else values
