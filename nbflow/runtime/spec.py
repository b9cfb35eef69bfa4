"""Spec: the flow as the runtime sees it, read from `flow.json`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

#: a task's place in its step's fan-outs: `()`, `(3,)`, `(3, 1)`
Key = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class InputSpec:
    """A name that code reads and the steps that may have written it, nearest first."""

    name: str
    sources: tuple[str, ...]
    fanout: bool
    #: where none of the sources ran, the parameter of this name is meant
    parameter: bool = False


@dataclass(frozen=True, slots=True)
class CallSpec:
    """A function of the package and what it is called with."""

    function: str
    inputs: tuple[InputSpec, ...]
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResourceSpec:
    """What one task of a step asks for; None where it does not say."""

    cpu: float | None = None
    memory: int | None = None
    gpu: int | None = None
    disk: int | None = None
    image: str | None = None

    def amounts(self) -> dict[str, float]:
        """The countable ones that are asked for."""
        named = {"cpu": self.cpu, "memory": self.memory, "gpu": self.gpu, "disk": self.disk}
        return {name: float(amount) for name, amount in named.items() if amount}


@dataclass(frozen=True, slots=True)
class StepSpec:
    """A step as it runs."""

    name: str
    call: CallSpec
    cells: tuple[int, ...]
    depends: tuple[str, ...]
    outputs: tuple[str, ...]
    #: what later steps read
    crossing: tuple[str, ...]
    together: tuple[tuple[str, ...], ...]
    #: the names bound to an item, in the order of the target
    targets: tuple[str, ...]
    #: the target as written, `country` or `(number, letter)`
    target: str
    items: CallSpec | None
    when: CallSpec | None
    each: str | None
    #: the fan-outs that a task of this step is in, outermost first: as many as its key has numbers
    line: tuple[str, ...]
    resources: ResourceSpec
    retry: int
    retry_delay: float
    timeout: float | None
    catch: bool
    keep: tuple[str, ...]
    drop: tuple[str, ...]
    cache: bool
    env: str | None
    variant: str | None
    captured: frozenset[str]
    unchanged: tuple[str, ...]
    #: the seeded random generators that the compiler saw it use
    draws: frozenset[str]
    taints: bool
    code: str
    #: nothing follows the step: everything it makes is a result
    last: bool

    @property
    def splits(self) -> bool:
        """Whether items are made before its tasks."""
        return self.items is not None

    @property
    def inputs(self) -> tuple[InputSpec, ...]:
        """Every input of the step, of its items and of its condition."""
        calls = (self.call, self.items, self.when)
        return tuple(dict.fromkeys(one for call in calls if call for one in call.inputs))


@dataclass(frozen=True, slots=True)
class FlowSpec:
    """A compiled flow as it runs."""

    name: str
    package: str
    version: str
    steps: tuple[StepSpec, ...]
    manifest: Mapping[str, Any]
    _named: dict[str, StepSpec] = field(default_factory=dict, compare=False, repr=False)

    def step(self, name: str) -> StepSpec:
        """The step of that name; KeyError where there is none."""
        if not self._named:
            self._named.update((step.name, step) for step in self.steps)
        return self._named[name]

    @property
    def drawn(self) -> frozenset[str]:
        """The seeded random generators that some step was seen to use."""
        return frozenset().union(*(step.draws for step in self.steps))

    def downstream(self, names: Iterable[str]) -> frozenset[str]:
        """These steps and all that depend on them."""
        found = set(names)
        for step in self.in_order():
            if found.intersection(step.depends):
                found.add(step.name)
        return frozenset(found)

    def in_order(self) -> tuple[StepSpec, ...]:
        """The steps, each after those it depends on."""
        placed: dict[str, StepSpec] = {}
        waiting = list(self.steps)
        while waiting:
            ready = [one for one in waiting if all(name in placed for name in one.depends)]
            if not ready:
                raise ValueError(f"steps in a circle: {[one.name for one in waiting]}")
            placed.update((one.name, one) for one in ready)
            waiting = [one for one in waiting if one.name not in placed]
        return tuple(placed.values())


def read_spec(manifest: Mapping[str, Any]) -> FlowSpec:
    """The spec of a manifest."""
    chosen: dict[str, Mapping[str, Any]] = {data["name"]: data for data in manifest["steps"]}
    lines = _lines(chosen)
    followed = {name for data in chosen.values() for name in _depends(data)}
    steps = tuple(
        _step(data, lines[name], last=name not in followed) for name, data in chosen.items()
    )
    return FlowSpec(
        manifest["name"], manifest["package"], manifest.get("version", ""), steps, manifest
    )


def key_text(key: Key) -> str:
    """How a key is written in records and paths: `3.1`, and nothing for a task without branches."""
    return str(key[0]) if len(key) == 1 else ".".join(map(str, key))


def read_key(text: str) -> Key:
    """The key that `key_text` wrote."""
    if "." in text:
        return tuple(map(int, text.split(".")))
    return (int(text),) if text else ()


def _lines(steps: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    lines: dict[str, tuple[str, ...]] = {}

    def line(name: str) -> tuple[str, ...]:
        if name not in lines:
            data = steps[name]
            outer = line(data["each"]) if data.get("each") else ()
            lines[name] = (*outer, name) if data.get("foreach") else outer
        return lines[name]

    for name in steps:
        line(name)
    return lines


def _depends(data: Mapping[str, Any]) -> tuple[str, ...]:
    """`depends` and every source of an input, should they differ."""
    calls = [data, data.get("foreach") or {}, data.get("when") or {}]
    sources = [s for call in calls for one in call.get("inputs", ()) for s in one["sources"] if s]
    each = [data["each"]] if data.get("each") else []
    return tuple(dict.fromkeys([*data.get("depends", ()), *sources, *each]))


def _step(data: Mapping[str, Any], line: tuple[str, ...], *, last: bool) -> StepSpec:
    resources = data.get("resources") or {}
    foreach, when = data.get("foreach"), data.get("when")
    return StepSpec(
        name=data["name"],
        call=_call(data),
        cells=tuple(data.get("cells", ())),
        depends=_depends(data),
        outputs=tuple(data.get("outputs", ())),
        crossing=tuple(data.get("crossing", ())),
        together=tuple(tuple(group) for group in data.get("together", ())),
        targets=tuple(data.get("targets", ())),
        target=_target(foreach["source"]) if foreach else "",
        items=_call(foreach) if foreach else None,
        when=_call(when) if when else None,
        each=data.get("each"),
        line=line,
        resources=ResourceSpec(
            **{name: resources.get(name) for name in ("cpu", "memory", "gpu", "disk", "image")}
        ),
        retry=data.get("retry") or 0,
        retry_delay=data.get("retry_delay") or 0.0,
        timeout=data.get("timeout"),
        catch=bool(data.get("catch")),
        keep=tuple(data.get("keep") or ()),
        drop=tuple(data.get("drop") or ()),
        cache=data.get("cache") is not False,
        env=data.get("env"),
        variant=data.get("variant"),
        captured=frozenset(data.get("captured") or ()),
        unchanged=tuple(data.get("unchanged") or ()),
        draws=frozenset(data.get("draws") or ()),
        taints=bool(data.get("taints")),
        code=data["code"],
        last=last,
    )


def _target(source: str) -> str:
    """`country` of `country in countries`."""
    try:
        loop = ast.parse(f"for {source}: pass").body[0]
    except SyntaxError:
        return ""
    return ast.unparse(loop.target) if isinstance(loop, ast.For) else ""


def _call(data: Mapping[str, Any]) -> CallSpec:
    inputs = tuple(
        InputSpec(
            one["name"],
            tuple(source for source in one["sources"] if source),
            one.get("kind") == "fanout",
            "" in one["sources"],
        )
        for one in data.get("inputs", ())
    )
    return CallSpec(data["function"], inputs, tuple(data.get("parameters", ())))
