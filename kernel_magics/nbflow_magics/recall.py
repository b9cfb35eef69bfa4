"""Recall: a run's values back in the kernel, and how its cells compare with those here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import unified_diff
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nbcompile.notebook import Notebook, parse_notebook
from nbcompile.tags import read_tags
from nbflow.errors import UserError, user_error
from nbflow.values.ref import Ref

if TYPE_CHECKING:
    from nbflow.branches import Branches
    from nbflow.client.run import Run
    from nbflow.client.task import Task
    from nbflow.runtime.spec import StepSpec


@dataclass(slots=True)
class KernelLoader:
    """Loads a run's values; what they are made of is the notebook's own, where it is here."""

    run: Run
    _inner: Any = field(init=False)

    def __post_init__(self) -> None:
        from nbflow.runtime.branches_of import StoreLoader

        self._inner = StoreLoader(self.run.store)

    def load(self, values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """The value of ``name``, with those stored together with it; a `UserError` says why not."""
        try:
            found: Mapping[str, Any] = self._inner.load(values, name)
        except UserError as error:
            raise collected(f"`{name}` of {self.run.path}", error) from error
        except Exception:
            found = self._with_code(values, name)
        return found

    def small(self, values: Mapping[str, Any], name: str) -> bool:
        """Whether the value is plain and small."""
        return bool(self._inner.small(values, name))

    def _with_code(self, values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        try:
            return self.run.loader.load(values, name)
        except UserError:
            raise
        except Exception as error:
            raise _unreadable(self.run, name, error) from error


class Recalled:
    """A run as the kernel uses it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.loader = KernelLoader(run)

    @cached_property
    def notebook(self) -> Notebook:
        """The notebook as it was for that run."""
        from pathlib import PurePath

        path = PurePath(self.run.record.notebook)
        content = self.run.store.version(self.run.version).notebook.decode("utf-8")
        return parse_notebook(content, path.stem, path.suffix)

    def sources(self, step: str) -> list[str]:
        """The sources of a step's cells in that run, tags taken off."""
        cells = next(one["cells"] for one in self.run.manifest["steps"] if one["name"] == step)
        return [_body(self.notebook.cells[at].source) for at in cells]

    def has(self, step: str) -> bool:
        """Whether the run's flow has such a step."""
        return any(one.name == step for one in self.run.spec.steps)

    def position(self, step: str, source: str) -> int | None:
        """Which of the step's cells in the run a cell here is; None where it is none of them."""
        theirs, body = self.sources(step), _body(source)
        return theirs.index(body) if body in theirs else None

    def difference(self, step: str, source: str) -> str:
        """How a cell here differs from the step's cell in the run that is most like it."""
        body = _body(source).splitlines()
        diffs: list[list[str]] = [
            list(unified_diff(one.splitlines(), body, self.run.path, "here", lineterm="", n=1))
            for one in self.sources(step)
        ]
        return "\n".join(sorted(diffs, key=len)[0]) if diffs else ""

    def values(self, step: str) -> dict[str, Any]:
        """What a plain step left: every variable that the run kept."""
        task = self.run.store.task(self.run.id, step)
        if task is None or task.status not in ("succeeded", "cached"):
            return {}
        values: dict[str, Any] = {}
        for name in task.artifacts:
            if name not in values:
                values.update(self.loader.load(task.artifacts, name))
        return values

    def shown(self, task: Task) -> Iterator[str | dict[str, Any]]:
        """What a task printed and showed, in order: text, and outputs in all their forms."""
        printed = task.printed()
        done = 0
        if task.record.outputs is not None:
            held = self.run.store.get_bytes(Ref.from_json(task.record.outputs))
            for output in json.loads(held):
                yield printed[done : output["at"]].decode("utf-8", "replace")
                yield output["data"]
                done = output["end"]
        yield printed[done:].decode("utf-8", "replace")

    def branches(self, spec: StepSpec) -> Branches:
        """The tasks of a fan-out, loaded when touched."""
        from nbflow.runtime.branches_of import branches_of

        return branches_of(self.run.store, self.run.id, self.run.spec, spec, loader=self.loader)

    def parameters(self) -> dict[str, Any]:
        """The run's parameters as Python values."""
        from nbflow.runtime.parameters import python_value

        return {
            entry["name"]: python_value(entry, self.run.params)
            for entry in self.run.manifest["parameters"]
        }

    def definitions(self, step: str) -> dict[str, Any]:
        """Imports and functions that the step's code uses, from the compiled package."""
        from importlib import import_module

        from nbflow.client.place import code_of

        function = self.run.spec.step(step).call.function
        with code_of(self.run.store, self.run.version, self.run.spec.package):
            module = import_module(function.partition(":")[0])
            names = {name: value for name, value in vars(module).items() if name[:2] != "__"}
        return {name: value for name, value in names.items() if name not in (step, "common")}


def find_task(path: str, store: Any) -> tuple[Recalled, Task]:
    """The task that a path names: of a fan-out without a key the first that failed."""
    from nbflow.cli.paths import find

    found = find(path, store)
    if found.step is None:
        error = found.run.error
        if error is None or not error.step:
            raise user_error(
                "NBF407",
                f"{path} names a run, and none of its tasks failed.",
                f"Name a step of it: %nbflow load {found.run.path}/{found.run.spec.steps[-1].name}",
            )
        return find_task("/".join(filter(None, (path, error.step, error.task))), store)
    if found.task is not None:
        return Recalled(found.run), found.task
    if not len(found.step):
        raise not_run(found.run, found.step.name)
    failed = [task for task in found.step if task.status == "failed"]
    if not failed:
        raise user_error(
            "NBF407",
            f"{path} has {len(found.step)} tasks, none of which failed.",
            f"Name one: %nbflow load {path}/0",
        )
    return Recalled(found.run), failed[0]


def not_run(run: Run, step: str) -> UserError:
    """What to say of a step that a run has not come to."""
    error = run.error
    way = f"`nbflow show {run.path}` shows how far the run came."
    if error is not None and error.step:
        way = f"`{error.step}` failed: %nbflow load {run.path} gives what that had to work with."
    return user_error("NBF407", f"`{step}` has not run in {run.path}.", way)


def collected(what: str, error: UserError) -> UserError:
    """The error; of bytes that are gone, said of the value that a person has asked for."""
    first = error.diagnostics[0]
    if first.code != "NBF406":
        return error
    return user_error(
        "NBF406",
        f"{what} is gone from the store, by `nbflow gc` say: {first.message}",
        "Compute it here after %nbflow replay off, or run the flow again with --no-cache.",
    )


def _body(source: str) -> str:
    """A cell's code without its tags and the space around it."""
    from nbcompile.notebook import Cell

    return read_tags(Cell(0, "code", source)).body.strip()


def _unreadable(run: Run, name: str, error: Exception) -> UserError:
    """Why a value cannot be loaded here: mostly a package that is missing or another version."""
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    packages = run.environment.get("packages", {})
    if missing:
        top = missing.partition(".")[0]
        known = next((one for one in packages if one.lower().replace("-", "_") == top.lower()), top)
        version = f"=={packages[known]}" if known in packages else ""
        return user_error(
            "NBF405",
            f"`{name}` of {run.path} needs the package {top}, which is not installed here.",
            f"pip install {known}{version}",
        )
    return user_error(
        "NBF405",
        f"`{name}` of {run.path} cannot be loaded here: {type(error).__name__}: {error}.",
        _versions(packages, str(error)),
    )


def _versions(packages: Mapping[str, str], said: str) -> str:
    """Packages that are others here than in the run; those that the error names come first."""
    from importlib.metadata import PackageNotFoundError, version

    other = []
    for name, had in packages.items():
        try:
            here = version(name)
        except PackageNotFoundError:
            here = "none"
        if here != had:
            other.append((name.replace("-", "_") not in said, f"{name} {had}, here is {here}"))
    if not other:
        return "The run had the same packages: has the code of a module of your own changed?"
    named = "; ".join(text for _, text in sorted(other)[:8])
    return f"The run had {named}."
