"""Say: each flag in one sentence: what it is now, and what it was."""

from __future__ import annotations

from collections.abc import Sequence

from nbflow.client.text import duration, plural
from nbflow.flags.facts import Numbers, ValueFacts

#: names that a sentence lists
_NAMED = 3
_KINDS = {
    "nothing": "None",
    "number": "a number",
    "text": "a text",
    "bool": "True or False",
    "array": "an array",
    "frame": "a frame",
    "series": "a series",
    "dict": "a dict",
    "mixed": "of several types",
}


def place(step: str, name: str, column: str) -> str:
    """`load/df` or `load/df.age`."""
    return f"{step}/{name}.{column}" if column else f"{step}/{name}"


def size(path: str, kind: str, now: int, before: Sequence[int]) -> str:
    """How many rows, items or characters."""
    words = {"frame": "row", "series": "row", "array": "row", "text": "character"}
    told = plural(now, words.get(kind, "item"))
    return f"`{path}` has {told if now else told.replace('0', 'no')}; it had {_range(before)}."


def tasks(step: str, now: int, before: Sequence[int]) -> str:
    """How many tasks a fan-out has."""
    return f"`{step}` has {plural(now, 'task')}; it had {_range(before)}."


def failed(step: str, count: int, of: int) -> str:
    """Failures that were caught."""
    told = f"{count:,} of {plural(of, 'task')} of `{step}`" if of > 1 else f"`{step}`"
    return f"{told} failed; none did before."


def skipped(step: str, runs: int) -> str:
    """A condition that has turned."""
    return f"`{step}` was skipped; it ran in each of the last {runs} runs."


def took(step: str, now: float, before: Sequence[float], *, several: bool) -> str:
    """How long a step, or one of its tasks, took."""
    low, high = duration(min(before)), duration(max(before))
    was = low if low == high else f"{low} to {high}"
    who = f"A task of `{step}` took {duration(now)} on average" if several else None
    return f"{who or f'`{step}` took {duration(now)}'}; it took {was}."


def type_of(path: str, now: ValueFacts, before: Sequence[ValueFacts]) -> str:
    """Another kind of value."""
    return f"`{path}` is {_kind(now)}; it was {_kind(before[0])}."


def dtype(path: str, now: Numbers, before: Sequence[Numbers]) -> str:
    """Another dtype."""
    return f"`{path}` is of type {now.dtype}; it was {before[0].dtype}."


def shape(path: str, now: ValueFacts, before: Sequence[ValueFacts]) -> str:
    """Other dimensions."""
    return f"`{path}` is of shape {_shape(now)}; it was {_shape(before[0])}."


def lost(path: str, names: Sequence[str]) -> str:
    """Columns that are no longer there."""
    what = "the column" if len(names) == 1 else f"{len(names):,} columns:"
    return f"`{path}` has lost {what} {_names(names)}."


def new(path: str, names: Sequence[str]) -> str:
    """Columns that were not there."""
    what = "a new column" if len(names) == 1 else f"{len(names):,} new columns:"
    return f"`{path}` has {what} {_names(names)}."


def missing(path: str, now: float, before: Sequence[float]) -> str:
    """The share of values that are missing."""
    low, high = _percent(min(before)), _percent(max(before))
    was = low if low == high else f"{low} to {high}"
    return f"{_percent(now)} of `{path}` {'is' if now == 1 else 'are'} missing; it was {was}."


def not_finite(path: str, before: Sequence[Numbers]) -> str:
    """A number that is none any more."""
    return f"`{path}` is not a finite number; it was {_range([h.mean or 0.0 for h in before])}."


def constant(path: str, value: float) -> str:
    """A column in which nothing varies any more."""
    return f"All of `{path}` is {_number(value)}; it varied before."


def level(path: str, now: float, before: Sequence[float], *, average: bool) -> str:
    """A number, or the mean of many."""
    who = f"The mean of `{path}`" if average else f"`{path}`"
    return f"{who} is {_number(now)}; it was {_range(before)}."


def also(message: str, others: Sequence[str]) -> str:
    """The sentence, and to what else the same has happened."""
    return f"{message} Likewise {_names(others, code=True)}." if others else message


def _range(values: Sequence[float]) -> str:
    low, high = _number(min(values)), _number(max(values))
    return low if low == high else f"{low} to {high}"


def _number(value: float) -> str:
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 10_000 else f"{value:.4g}"


def _percent(rate: float) -> str:
    if 0 < rate < 0.001:
        return "under 0.1 %"
    return f"{100 * rate:.1f} %" if 0 < rate < 0.1 else f"{100 * rate:.0f} %"


def _kind(value: ValueFacts) -> str:
    if value.kind in _KINDS:
        return _KINDS[value.kind]
    short = value.type.rpartition(".")[2]
    return f"{'an' if short[:1].lower() in 'aeiou' else 'a'} {short}"


def _shape(value: ValueFacts) -> str:
    return " x ".join(["n", *map(str, value.shape or ())])


def _names(names: Sequence[str], *, code: bool = False) -> str:
    shown = [f"`{name}`" if code else name for name in names[:_NAMED]]
    rest = len(names) - len(shown)
    return ", ".join(shown) + (f" and {rest:,} more" if rest else "")
