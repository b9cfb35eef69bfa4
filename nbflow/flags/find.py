"""Find: what is far from what it was in earlier runs. Pure: facts in, flags out.

A number is odd where it lies outside of what it has been, and further than it has ever strayed:
five times its median deviation, and never less than a floor that each kind of number has. With one
or two earlier runs little is known of how far it strays: then only what has halved or doubled is
odd, or has more than that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from nbflow.flags import say
from nbflow.flags.facts import Facts, Numbers, StepFacts, ValueFacts
from nbflow.flags.flag import Flag

#: how much each kind matters beside how odd the number is
_RANK = {
    "empty": 9.0,
    "nan": 9.0,
    "columns": 7.0,
    "type": 7.0,
    "failed": 6.0,
    "rows": 6.0,
    "shape": 5.0,
    "missing": 5.0,
    "metric": 5.0,
    "constant": 4.0,
    "skipped": 4.0,
    "tasks": 3.0,
    "mean": 3.0,
    "new": 2.5,
    "duration": 2.0,
}
#: a median absolute deviation of normal numbers times this is their standard deviation
_NORMAL = 1.4826
#: earlier runs that tell how far a number strays
_ENOUGH = 3
#: and of which one may have been odd itself
_MANY = 6
#: what happens to a column and is then seen wherever it is handed on
_HANDED_ON = frozenset(["mean", "missing", "constant", "type", "empty", "columns", "new"])


@dataclass(frozen=True, slots=True)
class Floor:
    """What is never odd: changes below ``least``, and below ``share`` of what the number was.

    Each for enough earlier runs, and for one or two.
    """

    least: tuple[float, float] = (0.0, 0.0)
    share: tuple[float, float] = (0.05, 0.6)


_ROWS = Floor((5, 10), (0.2, 0.5))
_LENGTH = Floor((20, 100), (0.5, 0.8))
_TASKS = Floor((2, 5), (0.2, 0.5))
_METRIC = Floor()
_WHOLE = Floor((5, 20))
_RATE = Floor((0.05, 0.2), (0.0, 0.0))
_SLOWER = Floor((5, 10), (1.0, 0.67))
_QUICKER = Floor((5, 10), (0.67, 0.67))


def find_flags(now: Facts, before: Sequence[Facts]) -> tuple[Flag, ...]:
    """The flags of a run against earlier ones, newest first; what matters most comes first."""
    if not before:
        return ()
    found = [*_steps(now, before), *_values(now, before)]
    newest = before[0].steps
    weighed = [
        # what the user has just edited is expected to differ
        replace(one, weight=one.weight / 2)
        if one.step in newest and newest[one.step].code != now.steps[one.step].code
        else one
        for one in found
    ]
    return tuple(sorted(weighed, key=lambda one: -one.weight))


def odd(value: float, history: Sequence[float], floor: Floor, noise: float = 0.0) -> float | None:
    """How many times further a number lies from its history than is usual; None if it is usual."""
    low, high, middle = min(history), max(history), median(history)
    distance = max(low - value, value - high, 0.0)
    few = len(history) < _ENOUGH
    if few:
        # symmetrical: halved is as far as doubled
        scale = max(abs(value), abs(low), abs(high))
        strayed = 6 * (high - low)
        if value * middle < 0 and len(history) == 1:
            return None  # numbers around zero
    else:
        scale = abs(middle)
        spread = _NORMAL * median([abs(one - middle) for one in history])
        strayed = max(5 * spread, 12 / len(history) * _reach(history))
    bound = max(strayed, floor.share[few] * scale, floor.least[few], noise)
    if distance <= bound * (1 + 1e-9) or not math.isfinite(distance):
        return None
    return distance / bound if bound else math.inf


def _reach(history: Sequence[float]) -> float:
    """From the lowest to the highest; of many numbers the one that is farthest out left aside."""
    ordered = sorted(history)
    if len(ordered) < _MANY:
        return ordered[-1] - ordered[0]
    return min(ordered[-2] - ordered[0], ordered[-1] - ordered[1])


def _flag(
    kind: str, step: str, name: str | None, message: str, odds: float = 1.0, column: str = ""
) -> Flag:
    weight = _RANK[kind] + min(math.log2(max(odds, 1.0)), 3.0)
    return Flag(kind, step, name, column or None, message, round(weight, 3))


def _steps(now: Facts, before: Sequence[Facts]) -> Iterator[Flag]:
    for step, one in now.steps.items():
        held = [facts.steps[step] for facts in before if step in facts.steps]
        if not held:
            continue
        yield from _ended(step, one, held)
        seconds = [h.seconds for h in held if h.seconds is not None and h.ran == h.tasks]
        if seconds and one.seconds is not None and one.ran == one.tasks:
            quicker = one.seconds < min(seconds)
            odds = odd(one.seconds, seconds, _QUICKER if quicker else _SLOWER)
            # first runs are slow: they import, download and fill caches
            warmed = quicker and len(seconds) < _ENOUGH
            if odds is not None and not warmed:
                message = say.took(step, one.seconds, seconds, several=one.tasks > 1)
                yield _flag("duration", step, None, message, odds)


def _ended(step: str, one: StepFacts, held: Sequence[StepFacts]) -> Iterator[Flag]:
    if one.skipped and one.skipped == one.tasks:
        if len(held) >= _ENOUGH and not any(h.skipped for h in held):
            yield _flag("skipped", step, None, say.skipped(step, len(held)))
        return
    ran = [h.tasks for h in held if h.skipped < h.tasks]
    odds = odd(one.tasks, ran, _TASKS) if ran else None
    if odds is not None:
        yield _flag("tasks", step, None, say.tasks(step, one.tasks, ran), odds)
    if one.failed and not any(h.failed for h in held):
        yield _flag("failed", step, None, say.failed(step, one.failed, one.tasks))


def _values(now: Facts, before: Sequence[Facts]) -> Iterator[Flag]:
    sizes: list[tuple[float, Flag]] = []
    found: list[Flag] = []
    for path, one in now.values.items():
        held = [facts.values[path] for facts in before if path in facts.values]
        if not held:
            continue
        step, _, name = path.partition("/")
        if all(h.kind != one.kind for h in held):
            found.append(_flag("type", step, name, say.type_of(path, one, held)))
            continue
        held = [h for h in held if h.kind == one.kind]
        size = _size(step, name, one, held)
        if size is not None:
            sizes.append((_ratio(one, held), size))
        found += _shape(step, name, one, held)
        found += _numbers(step, name, one, held)
        found += _columns(step, name, one, held)
    for flag in (*_handed_on(found), *_followed(sizes)):
        yield replace(flag, message=say.also(flag.message, flag.also))


def _size(step: str, name: str, one: ValueFacts, held: Sequence[ValueFacts]) -> Flag | None:
    sizes = [h.size for h in held if h.size is not None]
    if one.size is None or not sizes or one.kind == "dict":
        return None
    message = say.size(f"{step}/{name}", one.kind, one.size, sizes)
    if one.size == 0 and min(sizes) >= 3:
        return _flag("empty", step, name, message)
    # texts and lists may be as long as they like
    frames = one.kind in ("frame", "series", "array")
    odds = odd(one.size, sizes, _ROWS if frames else _LENGTH)
    return None if odds is None else _flag("rows", step, name, message, odds)


def _ratio(one: ValueFacts, held: Sequence[ValueFacts]) -> float:
    return (one.size or 0) / max(median([h.size or 0 for h in held]), 1)


def _followed(sizes: Sequence[tuple[float, Flag]]) -> list[Flag]:
    """Rows lost in one step are missing in all that follow: they are told once."""
    told: list[tuple[float, Flag]] = []
    for ratio, flag in sizes:
        for at, (other, first) in enumerate(told):
            if first.kind == flag.kind and math.isclose(ratio, other, rel_tol=0.1, abs_tol=0.01):
                also = (*first.also, f"{flag.step}/{flag.name}")
                told[at] = (other, replace(first, also=also))
                break
        else:
            told.append((ratio, flag))
    return [flag for _, flag in told]


def _handed_on(found: Sequence[Flag]) -> list[Flag]:
    """What has happened to a frame's columns is seen in all later frames: it is told once."""
    told: list[Flag] = []
    for flag in found:
        columns = {str(flag.column), *flag.also}
        for at, first in enumerate(told):
            if (
                flag.column is not None
                and flag.kind in _HANDED_ON
                and first.kind == flag.kind
                and columns <= {str(first.column), *first.also}
            ):
                path = say.place(flag.step, str(flag.name), flag.column)
                told[at] = replace(first, also=(*first.also, path))
                break
        else:
            told.append(flag)
    return told


def _shape(step: str, name: str, one: ValueFacts, held: Sequence[ValueFacts]) -> Iterator[Flag]:
    shapes = [h.shape for h in held]
    if one.shape is None or None in shapes or one.shape in shapes:
        return
    yield _flag("shape", step, name, say.shape(f"{step}/{name}", one, held))


def _numbers(step: str, name: str, one: ValueFacts, held: Sequence[ValueFacts]) -> Iterator[Flag]:
    parts = [h.numbers for h in held if h.numbers is not None]
    if one.numbers is None or not parts:
        return
    kind = "metric" if one.kind == "number" else "mean"
    yield from _compared(step, name, "", one.numbers, parts, kind)


def _columns(step: str, name: str, one: ValueFacts, held: Sequence[ValueFacts]) -> Iterator[Flag]:
    kind = "metric" if one.kind == "dict" else "mean"
    found: list[Flag] = []
    for column, numbers in one.columns.items():
        parts = [h.columns[column] for h in held if column in h.columns]
        if parts:
            found += _compared(step, name, column, numbers, parts, kind)
    if one.kind == "frame":
        found += _lost_and_new(step, name, one, held)
    yield from _together(step, name, found)


def _lost_and_new(
    step: str, name: str, one: ValueFacts, held: Sequence[ValueFacts]
) -> Iterator[Flag]:
    """Columns that all earlier frames had or none of them had, where all are known."""
    if any(h.wide != len(h.columns) for h in (one, *held)):
        return
    lost = [
        n for n in held[0].columns if n not in one.columns and all(n in h.columns for h in held)
    ]
    new = [n for n in one.columns if not any(n in h.columns for h in held)]
    if lost:
        yield _flag("columns", step, name, say.lost(f"{step}/{name}", lost), column=lost[0])
    if new:
        yield _flag("new", step, name, say.new(f"{step}/{name}", new), column=new[0])


def _together(step: str, name: str, found: Sequence[Flag]) -> Iterator[Flag]:
    """The flags of a frame's columns; many of one kind as one."""
    for kind in dict.fromkeys(one.kind for one in found):
        alike = sorted((one for one in found if one.kind == kind), key=lambda one: -one.weight)
        first = alike[0]
        others = tuple(str(one.column) for one in alike[1:])
        yield replace(first, also=others)


def _compared(
    step: str, name: str, column: str, one: Numbers, parts: Sequence[Numbers], kind: str
) -> Iterator[Flag]:
    """One column, array or number against what it was: at most one flag."""
    path = say.place(step, name, column)
    if one.dtype and kind == "mean" and all(h.dtype and h.dtype != one.dtype for h in parts):
        yield _flag("type", step, name, say.dtype(path, one, parts), column=column)
        return
    flag = (
        _missing(path, step, name, column, one, parts, kind)
        or _constant(path, step, name, column, one, parts)
        or _level(path, step, name, column, one, parts, kind)
    )
    if flag is not None:
        yield flag


def _missing(
    path: str,
    step: str,
    name: str,
    column: str,
    one: Numbers,
    parts: Sequence[Numbers],
    kind: str,
) -> Flag | None:
    rates = [h.rate for h in parts if h.looked]
    if not one.looked or not rates:
        return None
    if kind == "metric" and one.count == 1:
        if one.missing and not any(rates):
            return _flag("nan", step, name, say.not_finite(path, parts), column=column)
        return None
    rate = one.rate
    looked = one.looked + sum(h.looked for h in parts)
    share = sum(h.rate * h.looked for h in (one, *parts)) / looked
    noise = 4 * math.sqrt(share * (1 - share) / one.looked) + 1 / one.looked
    odds = odd(rate, rates, _RATE, noise)
    if odds is None:
        return None
    whole = rate == 1.0 and max(rates) < 0.5 and one.looked > 1
    return _flag(
        "empty" if whole else "missing", step, name, say.missing(path, rate, rates), odds, column
    )


def _constant(
    path: str, step: str, name: str, column: str, one: Numbers, parts: Sequence[Numbers]
) -> Flag | None:
    stds = [h.std for h in parts]
    if one.std != 0.0 or one.count < 20 or not all(stds) or one.mean is None:
        return None
    return _flag("constant", step, name, say.constant(path, one.mean), column=column)


def _level(
    path: str,
    step: str,
    name: str,
    column: str,
    one: Numbers,
    parts: Sequence[Numbers],
    kind: str,
) -> Flag | None:
    means = [h.mean for h in parts if h.mean is not None]
    if one.mean is None or not means or any(map(_identifies, (one, *parts))):
        return None
    stds = [h.std for h in (one, *parts) if h.std is not None]
    std = median(stds) if stds else 0.0
    floor = (_WHOLE if one.whole else _METRIC) if kind == "metric" else _METRIC
    noise = 0.0
    if std > 0:
        few = len(means) < _ENOUGH
        seen = min(h.looked - h.missing for h in (one, *parts))
        noise = std * max(2.0 if few else 0.3, 5 * math.sqrt(2 / max(seen, 1)))
        if kind == "mean":
            floor = Floor(share=(0.0, 0.0))
    odds = odd(one.mean, means, floor, noise)
    if odds is None:
        return None
    message = say.level(path, one.mean, means, average=kind == "mean" or one.count > 1)
    return _flag(kind, step, name, message, odds, column)


def _identifies(one: Numbers) -> bool:
    """Whether a column only numbers its rows."""
    if not one.whole or one.count < 20 or one.std is None:
        return False
    if one.distinct is not None:
        return one.distinct == one.count
    spread = (one.high or 0.0) - (one.low or 0.0)
    even = math.isclose(one.std, spread / math.sqrt(12), rel_tol=0.02)
    return even and spread >= 0.9 * one.count
