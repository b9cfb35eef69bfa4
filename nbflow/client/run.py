"""Run: one execution of a flow, with everything it recorded and every value it kept."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbflow.branches import TaskError
from nbflow.client.place import code_of, the_store
from nbflow.client.step import StepView
from nbflow.runtime.branches_of import StoreLoader
from nbflow.runtime.spec import FlowSpec, Key, StepSpec, key_text, read_spec
from nbflow.store.records import FINAL, RunRecord, StepSummary

if TYPE_CHECKING:
    from nbflow.client.diff import Diff
    from nbflow.client.flags import RunFlags
    from nbflow.store import Store


class Run:
    """A run by its path: `Run("churn/42")`, `Run("churn")` for the newest of the flow.

    `run.model` is the final value of the variable `model`; `run["train"]` is a step. A variable
    whose name the run needs itself is found by `run.value("status")`.
    """

    def __init__(self, path: str | RunRecord, store: Store | str | Path | None = None) -> None:
        if not isinstance(path, str | int | RunRecord):
            raise TypeError(f"a run is named by its path, as Run('churn/42'); {path!r} is none")
        self.store = the_store(store)
        self._record = path if isinstance(path, RunRecord) else self.store.run(path)

    @property
    def record(self) -> RunRecord:
        """The run as it stands now."""
        if self._record.status not in FINAL or self._record.status == "lost":
            self._record = self.store.run(self._record.id)
        return self._record

    @property
    def id(self) -> int:
        """The run's number in the store, over all flows."""
        return self._record.id

    @property
    def path(self) -> str:
        """`churn/42`."""
        return self._record.path

    @property
    def flow(self) -> str:
        """The flow's name."""
        return self._record.flow

    @property
    def status(self) -> str:
        """`pending running succeeded failed cancelled lost`."""
        return self.record.status

    @property
    def params(self) -> dict[str, Any]:
        """The parameters that the run had."""
        return self._record.params

    @property
    def tags(self) -> tuple[str, ...]:
        """The run's tags."""
        return self.store.run(self.id).tags

    @property
    def metrics(self) -> dict[str, Any]:
        """The final small values of the run."""
        return self.record.metrics

    @property
    def duration(self) -> float | None:
        """Seconds from start to end, or until now."""
        return seconds(self.record)

    @property
    def flags(self) -> RunFlags:
        """What is far from what it was in earlier runs; empty while the run goes on."""
        from nbflow.client.flags import RunFlags
        from nbflow.flags.kept import flags_of

        return RunFlags(flags_of(self.store, self.record))

    @property
    def error(self) -> TaskError | None:
        """Why the run failed: its first error."""
        error = self.record.error
        return None if error is None else TaskError.from_json(error)

    @property
    def steps(self) -> dict[str, StepView]:
        """The steps in notebook order."""
        return {step.name: self[step.name] for step in self.spec.steps}

    @property
    def summary(self) -> dict[str, StepSummary]:
        """How many tasks of each step have which status."""
        return self.store.step_summary(self.id)

    @cached_property
    def environment(self) -> dict[str, Any]:
        """Python, packages and machine that the run recorded."""
        return self.store.environment(self._record)

    @property
    def version(self) -> str:
        """The version of the flow's code."""
        return self._record.version

    @cached_property
    def files(self) -> dict[str, str]:
        """The compiled package that ran, by path."""
        return self.store.version(self.version).files

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The flow as it ran: its `flow.json`."""
        return self.store.version(self.version).manifest

    @cached_property
    def spec(self) -> FlowSpec:
        """The flow as the runtime read it."""
        return read_spec(self.manifest)

    @cached_property
    def loader(self) -> Loader:
        """What loads the run's values."""
        return Loader(StoreLoader(self.store), self.store, self.version, self.spec.package)

    def value(self, name: str) -> Any:
        """The final value of a variable, or the value of a parameter; KeyError where none is."""
        if not isinstance(name, str):
            raise TypeError(f"a variable has a name, as run.value('score'); {name!r} is none")
        for step in reversed(self.spec.steps):
            if step.line or name not in step.outputs:
                continue
            task = self.store.task(self.id, step.name)
            if task is None or task.status not in ("succeeded", "cached"):
                continue
            if name in task.artifacts:
                return self.loader.load(task.artifacts, name)[name]
            if name not in _maybe(self.manifest, step.name):
                raise KeyError(
                    f"{self.path} did not keep {name!r} of the step {step.name!r}. "
                    f"Add `--keep {name}` to the step and run again."
                )
        if name in self.params:
            return self.params[name]
        raise KeyError(self._nothing(name))

    def loading(self) -> AbstractContextManager[None]:
        """Inside, the code of the run's version is in place: many values load faster so."""
        return code_of(self.store, self.version, self.spec.package)

    def wait(self, timeout: float | None = None) -> Run:
        """Wait until the run has ended; TimeoutError where that takes longer."""
        until = None if timeout is None else time.monotonic() + timeout
        while self.record.status not in FINAL:
            if until is not None and time.monotonic() > until:
                raise TimeoutError(f"{self.path} is still {self.status} after {timeout} seconds")
            time.sleep(0.2)
        return self

    def compare(self, *others: Run | str) -> Diff:
        """What changed from this run to others: parameters, metrics, data, code, environment."""
        from nbflow.client.diff import diff

        if not others:
            raise TypeError("run.compare() needs another run: run.compare('churn/41')")
        return diff(self, *others)

    def cancel(self) -> None:
        """Ask the run to stop."""
        self.store.request_cancel(self.id)

    def tag(self, *tags: str) -> None:
        """Add tags."""
        wrong = next((tag for tag in tags if not isinstance(tag, str) or not tag.strip()), None)
        if wrong is not None:
            raise ValueError(f"a tag is a word, as run.tag('good'); {wrong!r} is none")
        self.store.tag(self.id, *tags)

    def untag(self, *tags: str) -> None:
        """Take tags away."""
        self.store.untag(self.id, *tags)

    def __getitem__(self, step: str) -> StepView:
        return StepView(self, self._step(step))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or "_record" not in self.__dict__:
            raise AttributeError(name)
        try:
            return self.value(name)
        except KeyError as error:
            raise AttributeError(error.args[0], name=name, obj=self) from None

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._variables()})

    def _ipython_key_completions_(self) -> list[str]:
        return [step.name for step in self.spec.steps]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Run):
            return NotImplemented
        return (self.store.url, self.id) == (other.store.url, other.id)

    def __hash__(self) -> int:
        return hash((self.store.url, self.id))

    def __repr__(self) -> str:
        from nbflow.client.show import run_text

        return run_text(self)

    def _repr_html_(self) -> str:
        from nbflow.client.show import run_html

        return run_html(self)

    def _inputs_of(self, step: str, key: Key) -> Mapping[str, Any]:
        from nbflow.runtime.inputs import task_inputs

        with self.loading():
            return task_inputs(self.store, self.id, step, key_text(key))

    def _step(self, name: str) -> StepSpec:
        if not isinstance(name, str):
            raise TypeError(f"a step has a name, as run['train'][0] names it; {name!r} is none")
        names = [step.name for step in self.spec.steps]
        if name in names:
            return self.spec.step(name)
        close = get_close_matches(name, names, 1)
        hint = f"Did you mean {close[0]!r}?" if close else f"It has {', '.join(names)}."
        raise KeyError(f"{self.path} has no step {name!r}. {hint}")

    def _variables(self) -> list[str]:
        return [name for step in self.spec.steps if not step.line for name in step.outputs]

    def _nothing(self, name: str) -> str:
        for step in self.spec.steps:
            if step.line and name in (*step.outputs, *step.targets):
                return (
                    f"{name!r} exists once for each task of {step.name!r}: "
                    f"run[{step.name!r}].{name} is the list of all, "
                    f"run[{step.name!r}][0].{name} the first."
                )
        for step in self.spec.steps:
            if name in step.outputs:
                return f"{self.path} ended without {name!r}: the step {step.name!r} has not made it"
        close = get_close_matches(name, self._variables(), 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        return f"{self.path} has no variable {name!r}.{hint}"


@dataclass(frozen=True, slots=True)
class Loader:
    """Loads values of a run, with the code of its version in place."""

    inner: StoreLoader
    store: Store
    version: str
    package: str

    def load(self, values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """The value of ``name``, with those stored together with it."""
        if "inline" in values[name]:  # plain: no code is needed
            return self.inner.load(values, name)
        with code_of(self.store, self.version, self.package):
            return self.inner.load(values, name)

    def small(self, values: Mapping[str, Any], name: str) -> bool:
        """Whether the value is plain and small."""
        if "inline" in values[name]:
            return True
        with code_of(self.store, self.version, self.package):
            return self.inner.small(values, name)


def seconds(record: RunRecord) -> float | None:
    """From a run's start to its end, or until now."""
    if record.started is not None and record.finished is None:
        return time.time() - record.started
    return record.duration


def _maybe(manifest: Mapping[str, Any], step: str) -> list[str]:
    return [n for one in manifest["steps"] if one["name"] == step for n in one.get("maybe", ())]
