"""Plot: a metric over runs, a point a run; of a fan-out a box, with a point a task."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any

from nbflow.client.html import dim, page, title
from nbflow.client.svg import chart
from nbflow.client.text import brief, grid, pairs, plural
from nbflow.errors import user_error
from nbflow.values.codecs import decode_inline
from nbflow.values.ref import Ref

if TYPE_CHECKING:
    from nbflow.client.run import Run

#: what is plotted beside the variables
_DURATION = "duration"
_BAR = 24


@dataclass(frozen=True, slots=True)
class Dot:
    """One number, and what it is of: a task's item; nothing where the run has one number."""

    value: float
    item: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A run in a plot: where it stands, its numbers, and what a tooltip says of it."""

    run: str
    status: str
    #: the parameter or metric on the axis; None where runs stand in order
    x: Any
    dots: tuple[Dot, ...]
    about: str = ""

    @property
    def values(self) -> list[float]:
        """Its numbers."""
        return [dot.value for dot in self.dots]

    @property
    def box(self) -> tuple[float, float, float, float, float]:
        """Least, first quartile, median, third quartile, greatest."""
        values = sorted(self.values)
        if len(values) == 1:
            return (values[0],) * 5
        first, middle, third = quantiles(values, n=4, method="inclusive")
        return values[0], first, middle, third, values[-1]


@dataclass(frozen=True, slots=True)
class Plot:
    """A metric over runs: `.svg` is the picture, `.save(file)` keeps it.

    Nothing but the notebook is needed to show it: it is SVG, with a tooltip at each point.
    """

    name: str
    #: what the axis shows: a parameter or metric; None for runs in order
    x: str | None
    #: oldest first
    columns: tuple[Column, ...]
    #: runs that have no such number
    without: tuple[str, ...] = field(default=())

    @property
    def svg(self) -> str:
        """The picture."""
        return chart(self)

    def save(self, file: str | Path) -> None:
        """Write the picture to a file, `score.svg`."""
        Path(file).write_text(self.svg, encoding="utf-8")

    def __repr__(self) -> str:
        low, high = self._range()
        rows = []
        for column in self.columns:
            least, _, middle, _, greatest = column.box
            filled = round((middle - low) / (high - low or 1.0) * _BAR)
            spread = f"{brief(least)} to {brief(greatest)}" if len(column.dots) > 1 else ""
            at = [] if self.x is None else [brief(column.x, 20)]
            rows.append([column.run, *at, brief(middle), "█" * filled or "▏", spread])
        head = ["run", *([] if self.x is None else [self.x]), self.name, "", ""]
        return grid(head, rows)

    def _repr_html_(self) -> str:
        count = plural(len(self.columns), "run")
        more = [dim(f"over {self.x or count}")]
        if self.without:
            more.append(dim(f"{plural(len(self.without), 'run')} without it"))
        return page(title(self.name, *more), self.svg)

    def _range(self) -> tuple[float, float]:
        values = [value for column in self.columns for value in column.values]
        return min(values), max(values)


def plot_runs(runs: Iterable[Run], name: str, x: str | None = None) -> Plot:
    """The plot of ``name`` over runs: a final value, `step/variable`, or `duration`.

    ``x`` puts a parameter or another value on the axis. Raises `UserError` where no run has it.
    """
    for given in (name, x):
        if given is not None and not isinstance(given, str):
            raise TypeError(f"what is plotted has a name, as plot('score'); {given!r} is none")
    chosen = sorted(runs, key=lambda run: run.id)
    columns: list[Column] = []
    without: list[str] = []
    for run in chosen:
        dots = _dots(run, name)
        at = None if x is None else _at(run, x)
        if not dots or (x is not None and at is None):
            without.append(run.path)
            continue
        about = pairs(run.params, 120)
        columns.append(Column(run.path, run.status, at, tuple(dots), about))
    if not columns:
        raise _nothing(chosen, name, x)
    return Plot(name, x, tuple(columns), tuple(without))


def _dots(run: Run, name: str) -> list[Dot]:
    """The run's numbers of that name."""
    if name == _DURATION and name not in run.metrics:
        seconds = run.record.duration
        return [] if seconds is None else [Dot(seconds)]
    step, _, variable = name.rpartition("/")
    if not step and name in run.metrics:
        value = _number(run.metrics[name])
        return [] if value is None else [Dot(value)]
    for one in reversed(run.spec.steps):
        if one.name == step or (not step and variable in one.outputs):
            return _of_tasks(run, one.name, variable)
    return []


def _of_tasks(run: Run, step: str, variable: str) -> list[Dot]:
    dots: list[Dot] = []
    for record in run.store.tasks(run.id, step):
        data = record.artifacts.get(variable)
        if data is None or data.get("at"):
            continue
        value = _number(decode_inline(Ref.from_json(data)))
        if value is not None:
            item = "" if record.item is None and not record.key else brief(record.item, 60)
            dots.append(Dot(value, item))
    return dots


def _at(run: Run, x: str) -> Any:
    """What stands on the axis for a run."""
    if x in run.params:
        return run.params[x]
    return run.metrics.get(x)


def _number(value: Any) -> float | None:
    if hasattr(value, "item"):  # of numpy
        value = value.item()
    if not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _nothing(runs: Sequence[Run], name: str, x: str | None) -> Exception:
    if not runs:
        return user_error("NBF407", "There are no runs to plot.", "`nbflow runs` lists all runs.")
    if x is not None and not any(_at(run, x) is not None for run in runs):
        known = [one for run in runs for one in (*run.params, *run.metrics)]
        return _unknown(f"None of {plural(len(runs), 'run')} has a parameter or value", x, known)
    known = [one for run in runs[-5:] for one in _names(run)]
    return _unknown(f"None of {plural(len(runs), 'run')} has a number", name, known)


def _unknown(said: str, name: str, known: Iterable[str]) -> Exception:
    names = sorted(set(known))
    close = get_close_matches(name, names, 1)
    fix = f"Did you mean {close[0]!r}?" if close else f"There are {', '.join(names[:12])}."
    return user_error("NBF407", f"{said} {name!r}.", fix if names else None)


def _names(run: Run) -> list[str]:
    """What can be plotted of a run."""
    final = [name for name, value in run.metrics.items() if _number(value) is not None]
    fanned: list[str] = []
    for step in run.spec.steps:
        if step.line:
            for record in run.store.tasks(run.id, step.name, limit=1):
                inline = {n: d for n, d in record.artifacts.items() if not d.get("at")}
                fanned += [
                    n
                    for n, d in inline.items()
                    if _number(decode_inline(Ref.from_json(d))) is not None
                ]
    return [*final, *fanned, _DURATION]
