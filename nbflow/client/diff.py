"""Diff: what changed between runs: code, parameters, environment, data, metrics, durations."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from nbflow.client.artifact import Artifact
from nbflow.client.celldiff import CellChange, CodeCell, cell_changes
from nbflow.client.datadiff import files_read, statistics, summed_up
from nbflow.client.run import Run
from nbflow.client.show import step_rows
from nbflow.client.text import plural
from nbflow.environments.locks import flat
from nbflow.flags.facts import Facts
from nbflow.flags.kept import facts_of

if TYPE_CHECKING:
    from nbflow.client.step import StepView
    from nbflow.store import Store

#: what a name is in each of the runs, in their order
Change = tuple[Any, ...]

#: what stands for a value that one of the runs does not have
ABSENT = "(none)"

#: the parts that are tables, in telling order
PARTS = ("parameters", "metrics", "files", "data", "environment", "durations")

_MODULES = ("common.py", "params.py")


def diff(
    a: Run | str, b: Run | str, *more: Run | str, store: Store | str | Path | None = None
) -> Diff:
    """What changed from run ``a`` to run ``b``, and to any number of others."""
    first = a if isinstance(a, Run) else Run(a, store)
    others = [one if isinstance(one, Run) else Run(one, store or first.store) for one in (b, *more)]
    runs = [first, *others]
    facts = [facts_of(run.store, run.record, run.spec) for run in runs]
    data = [_data(run, held) for run, held in zip(runs, facts, strict=True)]
    files = [files_read(run) for run in runs]
    numbers = [_numbers(run, held) for run, held in zip(runs, facts, strict=True)]
    return Diff(
        tuple(run.path for run in runs),
        code=_code(runs),
        cells=_cells(runs),
        parameters=_changes([run.params for run in runs]),
        environment=_changes([flat(run.environment) for run in runs]),
        files=_contents(files),
        data=_contents(data),
        statistics=_statistics(facts),
        metrics=_changes(numbers),
        durations={
            name: pair
            for name, pair in _changes([_durations(run) for run in runs]).items()
            if any(isinstance(one, float) for one in pair)
        },
        states=tuple(run.status for run in runs),
    )


@dataclass(frozen=True, slots=True)
class Diff:
    """Each part maps a name to what it was and what it is, in the order of the runs.

    The first run is the one that the others are held against.
    """

    runs: tuple[str, ...]
    #: by step, a unified diff of its compiled code
    code: dict[str, str]
    #: by run, the cells of its notebook that changed
    cells: dict[str, tuple[CellChange, ...]]
    parameters: dict[str, Change]
    environment: dict[str, Change]
    #: files that the tasks read whose contents differ, with the first digits of their digests
    files: dict[str, Change]
    #: `step/variable` of stored values whose contents differ, in short
    data: dict[str, Change]
    #: final small values; of a fan-out's numbers, the mean over its tasks
    metrics: dict[str, Change]
    #: by `step/variable`, what its statistics were and are: rows, means, missing values
    statistics: dict[str, dict[str, Change]] = field(default_factory=dict)
    #: seconds that the run and its steps took, or the state of a step that did not run
    durations: dict[str, Change] = field(default_factory=dict)
    #: how each run ended
    states: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The runs, with the state of each that did not succeed: `flow/1 → flow/2 (failed)`."""
        held = zip(self.runs, self.states, strict=True)
        return " → ".join(run if end == "succeeded" else f"{run} ({end})" for run, end in held)

    @property
    def a(self) -> str:
        """The first run's path."""
        return self.runs[0]

    @property
    def b(self) -> str:
        """The last run's path."""
        return self.runs[-1]

    def __bool__(self) -> bool:
        """Whether anything changed; that two runs took their time is no change."""
        parts = (self.parameters, self.environment, self.files, self.data, self.metrics, self.code)
        return any(parts) or any(self.cells.values())

    def to_json(self) -> dict[str, Any]:
        """The parts as JSON; a change is a list."""
        parts = {name: getattr(self, name) for name in PARTS}
        return {
            "a": self.a,
            "b": self.b,
            "runs": list(self.runs),
            "states": list(self.states),
            "code": self.code,
            "cells": {run: [asdict(one) for one in changes] for run, changes in self.cells.items()},
            **{name: _listed(part) for name, part in parts.items()},
            "statistics": {name: _listed(part) for name, part in self.statistics.items()},
        }

    def __repr__(self) -> str:
        from nbflow.client.diffshow import diff_text

        return diff_text(self)

    def _repr_html_(self) -> str:
        from nbflow.client.diffshow import diff_html

        return diff_html(self)


def delta(old: Any, new: Any) -> str:
    """How far a number has gone, and where: `▲ +0.02 (+2.2%)`; nothing for other values."""
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in (old, new)):
        return ""
    change = new - old
    if not math.isfinite(change):
        return ""
    arrow = "▲ " if change > 0 else "▼ " if change < 0 else ""
    share = f" ({change / abs(old):+.1%})" if old and abs(change / old) < 100 else ""
    return f"{arrow}{change:+.4g}{share}"


def _listed(part: Mapping[str, Change]) -> dict[str, list[Any]]:
    return {name: list(values) for name, values in part.items()}


def _changes(
    columns: Sequence[Mapping[str, Any]], identities: Sequence[Mapping[str, Any]] | None = None
) -> dict[str, Change]:
    """The names that are not the same in all runs."""
    by = identities or columns
    return {
        name: tuple(one.get(name, ABSENT) for one in columns)
        for name in dict.fromkeys(name for one in columns for name in one)
        if any(not _same(by[0].get(name, ABSENT), one.get(name, ABSENT)) for one in by[1:])
    }


def _contents(columns: Sequence[Mapping[str, tuple[str, str]]]) -> dict[str, Change]:
    """The same of what is told in short, next to what is equal for equal contents."""
    return _changes(
        [{name: text for name, (text, _) in one.items()} for one in columns],
        [{name: identity for name, (_, identity) in one.items()} for one in columns],
    )


def _same(a: Any, b: Any) -> bool:
    return bool(a == b) or (a != a and b != b)


def _durations(run: Run) -> dict[str, float | str]:
    whole = {} if run.record.duration is None else {"the run": round(run.record.duration, 3)}
    took: dict[str, float | str] = {}
    for name, counts, seconds in step_rows(run):
        if seconds is not None:
            took[name] = round(seconds, 3)
        elif len(counts) < 2:
            took[name] = next(iter(counts), "pending")
    return {**whole, **took}


def _numbers(run: Run, facts: Facts) -> dict[str, Any]:
    """The final values, and the means of a fan-out's numbers."""
    means = {
        f"{path} (mean)": one.numbers.mean
        for path, one in facts.values.items()
        if one.kind == "number" and one.numbers is not None and one.numbers.mean is not None
        if run.spec.step(path.partition("/")[0]).line
    }
    return {**run.metrics, **means}


# --- code


def _code(runs: Sequence[Run]) -> dict[str, str]:
    """Unified diffs from the first run to each other version, one after another."""
    found: dict[str, str] = {}
    before = _sources(runs[0])
    for run in _versions(runs):
        after = _sources(run)
        for name in dict.fromkeys([*after, *before]):
            lines = difflib.unified_diff(
                before.get(name, "").splitlines(keepends=True),
                after.get(name, "").splitlines(keepends=True),
                runs[0].path,
                run.path,
            )
            found[name] = found.get(name, "") + "".join(lines)
    return {name: text for name, text in found.items() if text}


def _versions(runs: Sequence[Run]) -> Iterator[Run]:
    """The runs of other versions than the first one's, one of each."""
    seen = {runs[0].version}
    for run in runs[1:]:
        if run.version not in seen:
            seen.add(run.version)
            yield run


def _sources(run: Run) -> dict[str, str]:
    """The text of each step's module by the step's name, and the other modules by theirs."""
    steps = {
        step.call.function.partition(":")[0].replace(".", "/") + ".py": step.name
        for step in run.spec.steps
    }
    package = f"{run.spec.package}/"
    return {
        steps.get(path, path.removeprefix(package).removesuffix(".py")): text
        for path, text in run.files.items()
        if path.endswith(".py") and (path in steps or path.removeprefix(package) in _MODULES)
    }


def _cells(runs: Sequence[Run]) -> dict[str, tuple[CellChange, ...]]:
    before = _code_cells(runs[0])
    found = {run.path: cell_changes(before, _code_cells(run)) for run in _versions(runs)}
    return {path: changes for path, changes in found.items() if changes}


def _code_cells(run: Run) -> list[CodeCell]:
    """The code cells of the notebook that ran; none where it was an exported package."""
    from nbcompile.notebook import NotebookError, parse_notebook
    from nbcompile.spelling import with_comment_tags

    file = PurePath(run.record.notebook or "notebook.ipynb")
    content = run.store.version(run.version).notebook.decode("utf-8", "replace")
    try:
        cells = parse_notebook(content, file.stem, file.suffix).cells if content else ()
    except NotebookError:
        return []
    steps = {at: step.name for step in run.spec.steps for at in step.cells}
    return [
        CodeCell(cell.index, steps.get(cell.index), with_comment_tags(cell))
        for cell in cells
        if cell.kind == "code"
    ]


# --- data


def _statistics(facts: Sequence[Facts]) -> dict[str, dict[str, Change]]:
    found: dict[str, dict[str, Change]] = {}
    for path in dict.fromkeys(path for one in facts for path in one.values):
        held = [one.values.get(path) for one in facts]
        changed = _changes([{} if one is None else statistics(one) for one in held])
        if changed and all(held):
            found[path] = changed
    return found


def _data(run: Run, facts: Facts) -> dict[str, tuple[str, str]]:
    """By `step/variable`, each stored value in short, and what is equal for equal contents."""
    found: dict[str, tuple[str, str]] = {}
    for step in run.spec.steps:
        view = run[step.name]
        if step.line:
            found |= _of_all(view, facts)
            continue
        for task in view:
            for name, one in task.artifacts.items():
                if not one.plain:  # small values are told as metrics
                    found[f"{step.name}/{name}"] = (one.text(), one.ref.identity)
    return found


def _of_all(view: StepView, facts: Facts) -> dict[str, tuple[str, str]]:
    """The variables of a fan-out, each over all tasks."""
    held: dict[str, list[Artifact]] = {}
    for task in view:
        for name, one in task.artifacts.items():
            held.setdefault(name, []).append(one)
    found: dict[str, tuple[str, str]] = {}
    for name, ones in held.items():
        path = f"{view.name}/{name}"
        if not all(one.plain for one in ones):
            digest = blake2b("\n".join(one.ref.identity for one in ones).encode()).hexdigest()
            told = facts.values.get(path)
            text = plural(len(ones), "value") if told is None else summed_up(told)
            found[path] = (text, digest)
    return found
