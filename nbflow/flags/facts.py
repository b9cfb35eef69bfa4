"""Facts: a run in few numbers: what its records say of its data, its metrics and its times.

Made of the statistics that were noted when the values were written; no value is loaded. The tasks
of a fan-out are summed up, so that a run has as many facts as its flow has variables.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from nbflow.runtime.spec import FlowSpec
from nbflow.store.records import TaskRecord

#: counts up when facts that were kept can't be compared with new ones any more
SCHEMA = 1
#: entries of a dictionary, and columns of a frame, that have facts
_COLUMNS = 60
#: numbers beyond this count as infinite: their squares can still be added
_HUGE = 1e100


@dataclass(frozen=True, slots=True)
class Numbers:
    """Many numbers in few: a column, an array, or a variable over the tasks of a fan-out."""

    dtype: str = ""
    #: how many there are, how many of them were looked at, how many of those are missing
    count: int = 0
    looked: int = 0
    missing: int = 0
    mean: float | None = None
    std: float | None = None
    low: float | None = None
    high: float | None = None
    distinct: int | None = None

    @property
    def rate(self) -> float:
        """The share that is missing, from 0 to 1."""
        return min(self.missing / self.looked, 1.0) if self.looked else 0.0

    @property
    def whole(self) -> bool:
        """Whether these are integers."""
        return self.dtype.lower().startswith(("int", "uint"))


@dataclass(frozen=True, slots=True)
class ValueFacts:
    """A variable of a step, over all its tasks."""

    #: `number text container dict array frame series image bool nothing object`
    kind: str
    type: str
    tasks: int
    #: rows, first dimension or length, summed over the tasks
    size: int | None = None
    #: the other dimensions, where all tasks agree on them
    shape: tuple[int, ...] | None = None
    #: bytes as they are stored
    bytes: int = 0
    numbers: Numbers | None = None
    columns: Mapping[str, Numbers] = field(default_factory=dict)
    #: how many columns there are; some may have no facts
    wide: int | None = None


@dataclass(frozen=True, slots=True)
class StepFacts:
    """A step: how its tasks ended, and how long one of those that ran took on average."""

    tasks: int
    ran: int
    failed: int
    skipped: int
    seconds: float | None
    code: str


@dataclass(frozen=True, slots=True)
class Facts:
    """A run; ``values`` by `step/name`, all in notebook order."""

    steps: Mapping[str, StepFacts]
    values: Mapping[str, ValueFacts]

    def timeless(self) -> Facts:
        """The same without durations: of a run elsewhere they say nothing."""
        steps = {name: replace(one, seconds=None) for name, one in self.steps.items()}
        return replace(self, steps=steps)

    def to_json(self) -> dict[str, Any]:
        """As JSON, without what is unset."""
        values = {
            name: _set(asdict(one) | {"columns": _columns(one)})
            for name, one in self.values.items()
        }
        for one in values.values():
            if one.get("numbers"):
                one["numbers"] = _set(one["numbers"])
        steps = {name: asdict(one) for name, one in self.steps.items()}
        return {"schema": SCHEMA, "steps": steps, "values": values}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Facts:
        """The facts that `to_json` gave."""
        return Facts(
            {name: StepFacts(**one) for name, one in data["steps"].items()},
            {name: _value_from(one) for name, one in data["values"].items()},
        )


def collect_facts(
    spec: FlowSpec, records: Iterable[TaskRecord], every: Mapping[str, int] | None = None
) -> Facts:
    """The facts of a run, of all its tasks' records.

    Where ``every`` has a number for a step, only each so many-th of its records has its artifacts.
    """
    by_step: dict[str, list[TaskRecord]] = {step.name: [] for step in spec.steps}
    for record in records:
        if record.step in by_step:
            by_step[record.step].append(record)
    values: dict[str, ValueFacts] = {}
    for step in spec.steps:
        held: dict[str, list[ValueFacts]] = {}
        for record in by_step[step.name]:
            if record.status in ("succeeded", "cached"):
                for name, data in record.artifacts.items():
                    if not name.startswith("_"):  # private, or process state that is handed on
                        held.setdefault(name, []).append(value_facts(data))
        times = (every or {}).get(step.name, 1)
        values |= {f"{step.name}/{name}": _summed(parts, times) for name, parts in held.items()}
    steps = {step.name: _step(by_step[step.name], step.code) for step in spec.steps}
    return Facts({name: one for name, one in steps.items() if one.tasks}, values)


def value_facts(data: Mapping[str, Any]) -> ValueFacts:
    """One artifact, by its ref in JSON."""
    type_name, size = str(data["type"]), int(data["size"])
    if not data.get("at"):
        return _inline(_plain(data.get("inline")), type_name, size)
    try:
        return _stored(data.get("preview") or {}, type_name, size)
    except (KeyError, TypeError, ValueError, AttributeError):  # noted by another version
        return ValueFacts("object", type_name, 1, bytes=size)


def _stored(shown: Mapping[str, Any], type_name: str, size: int) -> ValueFacts:
    kind = str(shown.get("kind") or "object")
    shape = shown.get("shape") or []
    stats = shown.get("stats") or {}
    match kind:
        case "array":
            count = math.prod(shape)
            return ValueFacts(
                kind,
                type_name,
                1,
                shape[0] if shape else None,
                tuple(shape[1:]),
                size,
                _numbers(stats, count, str(shown.get("dtype", ""))),
            )
        case "frame" | "series":
            named = dict(stats) | {n: stats.get(n) or {} for n, _ in shown.get("columns", ())}
            dtypes = dict(shown.get("columns", ()))
            columns = {
                name: _numbers(one, shape[0], str(one.get("dtype") or dtypes.get(name, "")))
                for name, one in list(named.items())[:_COLUMNS]
            }
            return ValueFacts(
                kind, type_name, 1, shape[0], None, size, None, columns, wide=shape[1]
            )
        case "container":
            kind = "text" if type_name in ("str", "bytes") else kind
            return ValueFacts(kind, type_name, 1, int(shown["length"]), None, size)
    return ValueFacts(kind, type_name, 1, bytes=size)


def _inline(value: Any, type_name: str, size: int) -> ValueFacts:
    if value is None:
        kind = "nothing" if type_name == "NoneType" else "object"
        return ValueFacts(kind, type_name, 1, bytes=size)
    if isinstance(value, bool):
        return ValueFacts("bool", type_name, 1, bytes=size)
    if isinstance(value, int | float):
        return ValueFacts("number", type_name, 1, bytes=size, numbers=_of([value], type_name))
    if isinstance(value, str):
        return ValueFacts("text", type_name, 1, len(value), bytes=size)
    if isinstance(value, dict):
        columns = {
            name: _of([one], type(one).__name__)
            for name, one in list(value.items())[:_COLUMNS]
            if isinstance(one, int | float) and not isinstance(one, bool)
        }
        wide = len(value)
        return ValueFacts("dict", type_name, 1, wide, None, size, None, columns, wide=wide)
    plain = [one for one in value if isinstance(one, int | float) and not isinstance(one, bool)]
    numbers = _of(plain, "") if plain and len(plain) == len(value) else None
    return ValueFacts("container", type_name, 1, len(value), bytes=size, numbers=numbers)


def _plain(data: Any) -> Any:
    """An inline value as numbers, texts, lists and dictionaries; None for the rest."""
    if isinstance(data, list):
        return [_plain(one) for one in data]
    if not isinstance(data, dict):
        return data
    if "$" not in data:
        return {name: _plain(one) for name, one in data.items()}
    held = data.get("v")
    match data["$"]:
        case "float":
            return float(held)  # type: ignore[arg-type]
        case "numpy":
            return _plain(held)
        case "tuple" | "set" | "frozenset":
            return [_plain(one) for one in held or ()]
        case "dict":
            return {str(_plain(key)): _plain(one) for key, one in held or ()}
    return None


def _of(values: list[float], dtype: str) -> Numbers:
    """Numbers that are all here."""
    finite = [float(one) for one in values if abs(one) < _HUGE]
    count, missing = len(values), len(values) - len(finite)
    if not finite:
        return Numbers(dtype, count, count, missing)
    mean = math.fsum(finite) / len(finite)
    std = math.hypot(*(one - mean for one in finite)) / math.sqrt(len(finite))
    return Numbers(dtype, count, count, missing, mean, std, min(finite), max(finite))


def _numbers(stats: Mapping[str, Any], count: int, dtype: str) -> Numbers:
    """The statistics that a preview holds."""
    return Numbers(
        dtype,
        count,
        int(stats.get("sampled", count)),
        int(stats.get("missing", 0)),
        mean=_finite(stats.get("mean")),
        std=_finite(stats.get("std")),
        low=_finite(stats.get("min")),
        high=_finite(stats.get("max")),
        distinct=stats.get("distinct"),
    )


def _finite(value: Any) -> float | None:
    # statistics noted by older versions may hold the text `nan`
    return float(value) if isinstance(value, int | float) and abs(value) < _HUGE else None


def _summed(parts: list[ValueFacts], times: int) -> ValueFacts:
    """A variable over the tasks that have it, each of which stands for so many."""
    first = parts[0]
    if len(parts) == times == 1:
        return first
    kinds = {one.kind for one in parts}
    sizes = [one.size for one in parts if one.size is not None]
    numbers = [one.numbers for one in parts if one.numbers is not None]
    names = dict.fromkeys(name for one in parts for name in one.columns)
    return ValueFacts(
        kind=first.kind if len(kinds) == 1 else "mixed",
        type=first.type,
        tasks=len(parts) * times,
        size=sum(sizes) * times if sizes and len(kinds) == 1 else None,
        shape=first.shape if len({one.shape for one in parts}) == 1 else None,
        bytes=sum(one.bytes for one in parts) * times,
        numbers=_pooled(numbers) if numbers else None,
        columns={
            name: _pooled([one.columns[name] for one in parts if name in one.columns])
            for name in list(names)[:_COLUMNS]
        },
        wide=first.wide if len({one.wide for one in parts}) == 1 else None,
    )


def _pooled(parts: list[Numbers]) -> Numbers:
    """Numbers that lie in several parts, as if they lay in one; each part weighs what it holds."""
    weights = [(max(one.count * (1 - one.rate), 1.0), one) for one in parts if one.mean is not None]
    total = math.fsum(weight for weight, _ in weights)
    mean = std = None
    if weights:
        mean = math.fsum(weight * (one.mean or 0.0) for weight, one in weights) / total
        square = math.fsum(
            weight * ((one.std or 0.0) ** 2 + ((one.mean or 0.0) - mean) ** 2)
            for weight, one in weights
        )
        std = math.sqrt(square / total)
    lows = [one.low for one in parts if one.low is not None]
    highs = [one.high for one in parts if one.high is not None]
    return Numbers(
        parts[0].dtype if len({one.dtype for one in parts}) == 1 else "",
        sum(one.count for one in parts),
        sum(one.looked for one in parts),
        sum(one.missing for one in parts),
        mean,
        std,
        min(lows, default=None),
        max(highs, default=None),
    )


def _step(records: list[TaskRecord], code: str) -> StepFacts:
    times = [
        record.finished - record.started
        for record in records
        if record.status == "succeeded" and record.started and record.finished
    ]
    return StepFacts(
        tasks=len(records),
        ran=len(times),
        failed=sum(record.status == "failed" for record in records),
        skipped=sum(record.status == "skipped" for record in records),
        seconds=sum(times) / len(times) if times else None,
        code=code,
    )


def _columns(one: ValueFacts) -> dict[str, Any]:
    return {name: _set(asdict(held)) for name, held in one.columns.items()}


def _set(data: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in data.items() if one not in (None, {}, "")}


def _value_from(data: Mapping[str, Any]) -> ValueFacts:
    held = dict(data)
    if held.get("numbers"):
        held["numbers"] = Numbers(**held["numbers"])
    if held.get("shape") is not None:
        held["shape"] = tuple(held["shape"])
    columns = {name: Numbers(**one) for name, one in held.pop("columns", {}).items()}
    return ValueFacts(**held, columns=columns)
