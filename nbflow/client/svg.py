"""SVG: the picture of a plot, at home in light and dark themes, with a tooltip at each point."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from nbflow.client.text import brief

if TYPE_CHECKING:
    from nbflow.client.plot import Column, Plot

_WIDTH, _HEIGHT = 680, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 16, 12, 44
#: points of one fan-out that are drawn, evenly chosen
_POINTS = 200
#: labels below the axis
_LABELS = 12

_COLOUR = "var(--jp-brand-color1, #1976d2)"
_BAD = "var(--jp-error-color1, #d32f2f)"


def chart(plot: Plot) -> str:
    """The plot as SVG."""
    values = [value for column in plot.columns for value in column.values]
    ticks = nice_ticks(min(values), max(values))
    ys = _Scale(ticks[0], ticks[-1], _HEIGHT - _BOTTOM, _TOP)
    places, labels = _places(plot)
    room = min(
        (b - a for a, b in zip(sorted(places), sorted(places)[1:], strict=False)), default=40
    )
    parts = [*_grid(ticks, ys), *_below(labels, plot)]
    if plot.x is None and all(len(column.dots) == 1 for column in plot.columns):
        line = " ".join(
            f"{x:.1f},{ys(column.values[0]):.1f}"
            for x, column in zip(places, plot.columns, strict=True)
        )
        parts.append(
            f'<polyline points="{line}" fill="none" stroke="{_COLOUR}" stroke-opacity="0.45"/>'
        )
    for x, column in zip(places, plot.columns, strict=True):
        parts += _column(column, x, max(6.0, min(28.0, room * 0.6)), ys, plot.name)
    label = escape(f"{plot.name} over {plot.x or 'runs'}", quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
        f' aria-label="{label}" style="max-width:{_WIDTH}px;width:100%;height:auto"'
        ' font-family="var(--jp-ui-font-family, system-ui, sans-serif)" font-size="11">'
        f"{''.join(parts)}</svg>"
    )


def nice_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers around a range, from at most ``low`` to at least ``high``."""
    if not high - low > max(abs(low), abs(high)) * 1e-9:
        # all are one number: it stands in the middle
        half = abs(high) * 0.1 or 1.0
        low, high = low - half, high + half
    raw = (high - low) / about
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(m * unit for m in (1, 2, 2.5, 5, 10) if m * unit >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{n * step:.12g}") for n in range(first, last + 1)]


class _Scale:
    """Numbers as places on an axis."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self._low, self._span = low, (high - low) or 1.0
        self._start, self._length = start, end - start

    def __call__(self, value: float) -> float:
        return self._start + (value - self._low) / self._span * self._length


def _places(plot: Plot) -> tuple[list[float], list[tuple[float, str]]]:
    """Where each run stands, and what is written below."""
    left, right = _LEFT + 20, _WIDTH - _RIGHT - 20
    given = [column.x for column in plot.columns]
    if plot.x is not None and all(_is_number(value) for value in given):
        ticks = nice_ticks(min(given), max(given))
        scale = _Scale(ticks[0], ticks[-1], left, right)
        return [scale(value) for value in given], [(scale(one), brief(one)) for one in ticks]
    kinds = [_label(column, plot) for column in plot.columns]
    names = list(dict.fromkeys(kinds)) if plot.x is not None else kinds
    count = len(names)
    at = [left + (right - left) * ((n + 0.5) / count) for n in range(count)]
    every = math.ceil(count / _LABELS)
    labels = [
        (x, name) for n, (x, name) in enumerate(zip(at, names, strict=True)) if n % every == 0
    ]
    if plot.x is None:
        return at, labels
    return [at[names.index(kind)] for kind in kinds], labels


def _label(column: Column, plot: Plot) -> str:
    if plot.x is not None:
        return brief(column.x, 16)
    flows = {one.run.rpartition("/")[0] for one in plot.columns}
    return column.run.rpartition("/")[2] if len(flows) == 1 else column.run


def _grid(ticks: Sequence[float], ys: _Scale) -> Iterator[str]:
    for tick in ticks:
        y = ys(tick)
        yield (
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"'
            ' stroke="currentColor" stroke-opacity="0.15"/>'
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="currentColor"'
            f' fill-opacity="0.7">{escape(brief(tick))}</text>'
        )


def _below(labels: Sequence[tuple[float, str]], plot: Plot) -> Iterator[str]:
    y = _HEIGHT - _BOTTOM + 16
    for x, text in labels:
        yield (
            f'<text x="{x:.1f}" y="{y}" text-anchor="middle" fill="currentColor"'
            f' fill-opacity="0.7">{escape(text)}</text>'
        )
    flows = {one.run.rpartition("/")[0] for one in plot.columns}
    name = plot.x or (f"run of {flows.pop()}" if len(flows) == 1 else "run")
    yield (
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2:.1f}" y="{y + 20}" text-anchor="middle"'
        f' fill="currentColor">{escape(name)}</text>'
    )


def _column(column: Column, x: float, width: float, ys: _Scale, name: str) -> Iterator[str]:
    colour = _COLOUR if column.status == "succeeded" else _BAD
    head = f"{column.run} ({column.status})"
    if len(column.dots) == 1:
        dot = column.dots[0]
        said = [head, f"{name} = {brief(dot.value)}", dot.item, column.about]
        yield _dot(x, ys(dot.value), 4.5, colour, said)
        return
    least, first, middle, third, greatest = column.box
    half = width / 2
    said = [
        head,
        f"{len(column.dots):,} tasks: {brief(least)} to {brief(greatest)}, median {brief(middle)}",
        column.about,
    ]
    yield (
        f'<g stroke="{colour}" fill="none"><title>{_lines(said)}</title>'
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{ys(least):.1f}" y2="{ys(greatest):.1f}"'
        ' stroke-opacity="0.6"/>'
        f'<rect x="{x - half:.1f}" y="{ys(third):.1f}" width="{width:.1f}" rx="2"'
        f' height="{max(ys(first) - ys(third), 1.0):.1f}" fill="{colour}" fill-opacity="0.15"/>'
        f'<line x1="{x - half:.1f}" x2="{x + half:.1f}" y1="{ys(middle):.1f}"'
        f' y2="{ys(middle):.1f}" stroke-width="2"/></g>'
    )
    every = math.ceil(len(column.dots) / _POINTS)
    for at, dot in enumerate(column.dots[::every]):
        # spread sideways, always the same way
        aside = ((at * 0.618034) % 1.0 - 0.5) * width * 0.7
        said = [head, dot.item, f"{name} = {brief(dot.value)}"]
        yield _dot(x + aside, ys(dot.value), 2.5, colour, said, 0.65)


def _dot(
    x: float, y: float, radius: float, colour: str, said: Sequence[str], opacity: float = 1.0
) -> str:
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"'
        f' fill-opacity="{opacity}"><title>{_lines(said)}</title></circle>'
    )


def _lines(said: Sequence[str]) -> str:
    return escape("\n".join(line for line in said if line))


def _is_number(value: Any) -> bool:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return plain and math.isfinite(value)
