"""Check: the two runs of a notebook compared step by step, and why a step may differ."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from nbcompile.diagnostics import Diagnostic, has_errors
from nbcompile.flow import Flow, Step
from nbcompile.notebook import Notebook
from nbflow.errors import UserError
from nbflow.verify.budget import Budget
from nbflow.verify.dump import UNREADABLE
from nbflow.verify.kernel import KernelRun, KernelStep, run_in_kernel
from nbflow.verify.pictures import picture_of, pictures_differ
from nbflow.verify.printed import comparable, printed_differs
from nbflow.verify.same import Difference, Incomparable, find_difference

if TYPE_CHECKING:
    from nbflow.client.run import Run
    from nbflow.client.task import Task
    from nbflow.engines.base import Engine

#: these travel as code: no task keeps them
_CODE = (FunctionType, BuiltinFunctionType, type, ModuleType)
#: warnings that say why a step may differ
_CAUSES = ("NBF301", "NBF302", "NBF303", "NBF304", "NBF305", "NBF306")


@dataclass(frozen=True, slots=True)
class StepCheck:
    """One step compared: which of its variables agree, and what differs."""

    step: str
    cell: int
    same: tuple[str, ...]
    #: variables that could not be compared, as no file can hold them
    unread: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    #: differences that two runs of the kernel alone have as well
    unsteady: tuple[str, ...] = ()
    #: inputs that the step may have changed in place unseen: the run said so
    doubtful: tuple[str, ...] = ()
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of it: `same` where no step differs from the notebook."""

    notebook: str
    steps: tuple[StepCheck, ...]
    #: why the comparison ended early
    stopped: str | None = None

    @property
    def same(self) -> bool:
        """Whether the flow computed what the notebook computes, all of it."""
        return self.stopped is None and not any(one.differences for one in self.steps)

    @property
    def first(self) -> StepCheck | None:
        """The first step that differs."""
        return next((one for one in self.steps if one.differences), None)

    def to_json(self) -> dict[str, Any]:
        """The verdict as data."""
        return {
            "notebook": self.notebook,
            "same": self.same,
            "stopped": self.stopped,
            "steps": [
                {
                    "step": one.step,
                    "cell": one.cell,
                    "same": list(one.same),
                    "unread": list(one.unread),
                    "unsteady": list(one.unsteady),
                    "doubtful": list(one.doubtful),
                    "cause": one.cause,
                    "differences": [
                        {"place": d.place, "kernel": d.kernel, "flow": d.flow}
                        for d in one.differences
                    ],
                }
                for one in self.steps
            ],
        }


def verify_notebook(
    path: Path,
    on: str = "dask",
    max_workers: int | None = None,
    engine: Engine | None = None,
    *,
    params: Mapping[str, Any] | None = None,
    timeout: float | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Verdict:
    """Run the notebook in one kernel and as a flow, and compare; `UserError` where it is wrong.

    The flow runs on ``engine``, or on the one that ``on`` names. All of it takes ``timeout``
    seconds at most; ``tell`` is told what is done next.
    """
    from nbcompile import infer_flow, read_notebook
    from nbflow.client.run import Run
    from nbflow.runtime.request import RunRequest
    from nbflow.runtime.run import run_flow

    notebook = read_notebook(path)
    flow = infer_flow(notebook)
    if has_errors(flow.diagnostics):
        raise UserError(one for one in flow.diagnostics if one.severity == "error")
    bound = _bound(flow, params or {})
    budget = Budget(timeout)
    with tempfile.TemporaryDirectory(prefix="nbflow-verify-") as scratch:
        tell(f"Running {path.name} in a kernel")
        kernel = _kernel(notebook, flow, path, Path(scratch), 0, bound, budget)
        if kernel.error is not None:
            where = f"cell {kernel.cell}"
            return Verdict(str(path), (), f"The notebook itself fails in {where}: {kernel.error}")
        tell(f"Running {path.name} as a flow")
        with _keeping_all(notebook, flow, path, kernel) as kept:
            request = RunRequest(
                kept,
                on=on,
                max_workers=max_workers,
                cache=False,
                store=Path(scratch, "store"),
                params=dict(params or {}),
            )
            listener = budget.watch(str(request.store))
            run = Run(run_flow(request, listener, engine), Path(scratch, "store"))
        if run.status != "succeeded":
            return Verdict(str(path), (), _failure(run, budget))
        comparison = _Comparison(flow, kernel, run)
        checks = [comparison.check(step) for step in flow.steps]
        if any(one.differences for one in checks):
            tell("Something differs: running it in two more kernels, to see what varies by itself")
            again = [
                _kernel(notebook, flow, path, Path(scratch), seed, bound, budget) for seed in (1, 2)
            ]
            if budget.over:
                return Verdict(str(path), tuple(checks))
            checks = [comparison.explain(one, again) for one in checks]
    return Verdict(str(path), tuple(checks))


def _bound(flow: Flow, params: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    """By cell of parameters, the values that it shall give them; checked as for a run."""
    from nbcompile.emit.package import emit_package
    from nbflow.runtime.parameters import python_value, resolve_parameters

    if not params:
        return {}
    manifest = emit_package(flow, format=False).manifest
    values = resolve_parameters(manifest, params)
    entries = {entry["name"]: entry for entry in manifest["parameters"]}
    bound: dict[int, dict[str, Any]] = {}
    for one in flow.parameters:
        if one.name in params:
            value = python_value(entries[one.name], values)
            bound.setdefault(one.cell, {})[one.name] = value
    return bound


def _kernel(
    notebook: Notebook,
    flow: Flow,
    path: Path,
    scratch: Path,
    hash_seed: int,
    bound: Mapping[int, Mapping[str, Any]],
    budget: Budget,
) -> KernelRun:
    steps = {step.name: (step.cells, step.outputs) for step in flow.steps}
    folder = path.resolve().parent
    return run_in_kernel(notebook, steps, folder, scratch, hash_seed, bound, budget)


def _failure(run: Run, budget: Budget) -> str:
    error = run.error
    if budget.over and run.status == "cancelled":
        return budget.sentence("The flow")
    if error is None:
        return f"The flow ended as {run.status}."
    where = "" if error.cell is None else f" (cell {error.cell}, line {error.line})"
    told = f"step `{error.step}`{where}: {error.type}: {error}"
    return f"The flow fails where the notebook does not: {told}"


@contextmanager
def _keeping_all(notebook: Notebook, flow: Flow, path: Path, kernel: KernelRun) -> Iterator[Path]:
    """A copy of the notebook, beside it for its relative paths, that keeps all it can keep.

    What is kept stands in the cells' tags, so that no line of any source moves.
    """
    first = {step.cells[0]: step for step in flow.steps if step.cells}
    cells: list[dict[str, Any]] = []
    for cell in notebook.cells:
        tags = list(cell.tags)
        step = first.get(cell.index)
        if step is not None and (names := _kept(step, kernel.steps[step.name])):
            tags.append(f"step:{step.name} --keep {' '.join(names)}")
        cells.append(
            {"cell_type": cell.kind, "metadata": {"tags": tags}, "source": cell.source}
            | ({"outputs": [], "execution_count": None} if cell.kind == "code" else {})
        )
    content = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    with tempfile.TemporaryDirectory(prefix=".nbflow-verify-", dir=path.resolve().parent) as beside:
        copy = Path(beside).parent / f"{Path(beside).name}-{flow.name}.ipynb"
        copy.write_text(json.dumps(content), encoding="utf-8")
        try:
            yield copy
        finally:
            copy.unlink(missing_ok=True)


def _kept(step: Step, held: KernelStep) -> list[str]:
    return [
        name
        for name in step.outputs
        if name not in step.options.drop and held.values.get(name) is not UNREADABLE
    ]


class _Comparison:
    """Compares what a kernel run and a flow run have of each step."""

    def __init__(self, flow: Flow, kernel: KernelRun, run: Run) -> None:
        self._flow = flow
        self._kernel = kernel
        self._run = run
        package = str(run.manifest["package"])
        self._own = (package, f"{package}.common")

    def check(self, step: Step) -> StepCheck:
        """Compare a step's variables, then what it printed."""
        held = self._kernel.steps[step.name]
        check = StepCheck(step.name, step.cells[0] if step.cells else 0, ())
        if step.foreach is not None or step.options.each is not None:
            return self._check_branches(check, held)
        task = self._run.store.task(self._run.id, step.name)
        if task is None or task.status not in ("succeeded", "cached"):
            return check
        check = replace(check, doubtful=task.changed)
        for name in step.outputs:
            if name in held.values or name in task.artifacts:
                check = self._check_value(check, name, held.values, task.artifacts)
        return self._check_shown(check, held, list(self._run[step.name]))

    def _check_shown(self, check: StepCheck, held: KernelStep, tasks: list[Task]) -> StepCheck:
        check = _with(check, "", printed_differs(held, tasks))
        shown = [picture_of(output.data) for task in tasks for output in task.outputs]
        pictures = [picture for picture in shown if picture is not None]
        return _with(check, "", pictures_differ(held.pictures, pictures))

    def _check_value(
        self, check: StepCheck, name: str, kernel: Mapping[str, Any], flow: Mapping[str, Any]
    ) -> StepCheck:
        if name not in kernel:
            if isinstance(self._run.loader.load(flow, name)[name], ModuleType):
                return check  # which no kernel is asked for
            return _with(check, name, Difference(name, "not bound", "bound"))
        value = kernel[name]
        if value is UNREADABLE or (name not in flow and issubclass(type(value), _CODE)):
            return replace(check, unread=(*check.unread, name))
        if name not in flow:
            return _with(check, name, Difference(name, "bound", "not bound"))
        loaded = self._run.loader.load(flow, name)[name]
        return self._compared(check, name, value, loaded)

    def _compared(self, check: StepCheck, place: str, kernel: Any, flow: Any) -> StepCheck:
        try:
            return _with(check, place, find_difference(kernel, flow, place, self._own))
        except Incomparable:
            return replace(check, unread=(*check.unread, place))

    def _check_branches(self, check: StepCheck, held: KernelStep) -> StepCheck:
        kernel = held.values.get(check.step)
        if kernel is UNREADABLE or not isinstance(kernel, dict):
            return replace(check, unread=(check.step,))
        flow = [
            {name: branch[name] for name in branch._source.values}
            for branch in self._run[check.step]
        ]
        if len(flow) != len(kernel["branches"]):
            differ = Difference(f"len({check.step})", str(len(kernel["branches"])), str(len(flow)))
            return _with(check, check.step, differ)
        for at, (x, y) in enumerate(zip(kernel["branches"], flow, strict=True)):
            for name in sorted(x.keys() & y.keys()):
                place = f"{check.step}[{at}].{name}"
                check = self._compared(check, place, x[name], y[name])
        tasks = list(self._run[check.step])
        whole = len(self._flow.step(check.step).cells) == 1 and all(
            task.status == "succeeded" and task.record.attempt == 1 for task in tasks
        )
        # a kernel runs each cell for all items, a flow all cells for each item
        return self._check_shown(check, held, tasks) if whole else check

    def explain(self, check: StepCheck, again: Sequence[KernelRun]) -> StepCheck:
        """Tell what several runs of the kernel do not agree on either, and the likely cause."""
        if not check.differences:
            return check
        first = self._kernel.steps[check.step]
        others = [run.steps[check.step] for run in again]
        unsteady = list(dict.fromkeys(name for one in others for name in _unlike(first, one)))
        left = tuple(d for d in check.differences if not _belongs(d, unsteady))
        return replace(
            check,
            differences=left,
            unsteady=tuple(unsteady),
            cause=self._cause(check) if left else "it differs from run to run in the kernel too",
        )

    def _cause(self, check: StepCheck) -> str | None:
        step = self._flow.step(check.step)
        told = [
            one for one in self._flow.diagnostics if one.code in _CAUSES and one.cell in step.cells
        ]
        if told:
            return _sentence(told[0])
        pictures = all(one.place.startswith("pictures shown") for one in check.differences)
        if pictures and len(step.cells) > 1:
            return (
                f"`{step.name}` has several cells, and one draws unseen: a kernel shows its figure "
                "at the cell's end, a flow later. Say `plt.show()` in the cell that draws."
            )
        return self._doubt(step)

    def _doubt(self, step: Step) -> str | None:
        """A change in place that the run was in doubt of, of a value that the step rests on."""
        names: set[str] = set()
        upstream, todo = {step.name}, [step]
        while todo:
            one = todo.pop()
            names |= {read.name for read in one.reads.inputs}
            todo += [self._flow.step(name) for name in one.depends if name not in upstream]
            upstream |= set(one.depends)
        here = self._flow.steps.index(step)
        for earlier in self._flow.steps[: here + 1]:
            task = self._run.store.task(self._run.id, earlier.name)
            changed = task.changed if task else ()
            drawn = [one for one in changed if one.startswith("the state of")]
            if drawn:
                return (
                    f"`{earlier.name}` used {drawn[0]} unseen, which the notebook seeds. Give what "
                    "draws a seed of its own, or put the two into one step."
                )
            found = sorted(names.intersection(changed))
            if found:
                return (
                    f"`{earlier.name}` may have changed `{found[0]}` in place unseen: a later step "
                    "gets the value as it was before. Put the two into one step."
                )
        return None


def _with(check: StepCheck, name: str, difference: Difference | None) -> StepCheck:
    if difference is not None:
        return replace(check, differences=(*check.differences, difference))
    return replace(check, same=(*check.same, name)) if name else check


def _unlike(first: KernelStep, second: KernelStep) -> list[str]:
    """The variables that two kernels have otherwise."""
    names = []
    for name in [name for name in first.values if name in second.values]:
        with suppress(Incomparable):
            if find_difference(first.values[name], second.values[name], name) is not None:
                names.append(name)
    if comparable(first.printed) != comparable(second.printed):
        names.append("printed output")
    if pictures_differ(first.pictures, second.pictures):
        names.append("pictures shown")
    return names


def _belongs(difference: Difference, unsteady: Sequence[str]) -> bool:
    """Whether what differs is one of these variables, or lies in one."""
    return any(re.search(rf"\b{re.escape(name)}\b", difference.place) for name in unsteady)


def _sentence(one: Diagnostic) -> str:
    return f"{one.message} {one.fix}" if one.fix else one.message
