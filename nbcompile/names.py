"""Names in force: what each name stands for at a point of the notebook, and what a step needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from nbcompile.definitions import Unit
from nbcompile.flow import Input, Reads

BindingKind = Literal["step", "parameter", "common", "import", "untagged", "deleted", "branches"]


@dataclass(slots=True)
class Binding:
    """One version of a name."""

    kind: BindingKind
    name: str
    cell: int
    line: int
    step: str = ""
    segment: int = -1
    #: the name may still be unbound, or the step skipped: then `previous` holds
    maybe: bool = False
    previous: Binding | None = None
    unit: Unit | None = None
    imports: tuple[str, ...] = ()
    #: what a step or an analysis cell did: bound the name anew, or changed its value in place
    changed: bool = False
    #: an analysis cell that changes a value only if a bare method call does
    sure: bool = True
    #: why an analysis cell's value is no definition that could be taken along
    reason: str = ""

    def chain(self) -> Iterator[Binding]:
        """This version and those that hold where it does not."""
        binding: Binding | None = self
        while binding is not None:
            yield binding
            binding = binding.previous if binding.maybe else None


@dataclass(slots=True)
class Needs:
    """What a step, or an option's expression, takes from outside, in order of first use."""

    inputs: dict[str, list[str]] = field(default_factory=dict)
    fanouts: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, None] = field(default_factory=dict)
    imports: dict[str, None] = field(default_factory=dict)
    common: dict[str, str] = field(default_factory=dict)
    support: dict[str, None] = field(default_factory=dict)
    #: names that called functions use at module level and that come from outside `common`
    late: dict[str, None] = field(default_factory=dict)
    #: names whose first value is `common`'s though the step binds them itself
    starts: dict[str, str] = field(default_factory=dict)

    def sources(self) -> set[str]:
        """The steps that values come from."""
        found = {source for sources in self.inputs.values() for source in sources if source}
        return found | set(self.fanouts.values())

    def reads(self, bind: tuple[str, ...] = ()) -> Reads:
        """As the flow says it."""
        inputs = [Input(name, tuple(sources)) for name, sources in self.inputs.items()]
        inputs += [Input(name, (step,), "fanout") for name, step in self.fanouts.items()]
        return Reads(
            inputs=tuple(inputs),
            parameters=tuple(p for p in self.parameters if p not in self.inputs),
            imports=tuple(sorted(self.imports)),
            common=tuple(
                f"{there} as {name}" if there != name else name
                for name, there in sorted(self.common.items())
            ),
            support=tuple(sorted(self.support)),
            bind=bind,
        )


@dataclass(slots=True)
class StepState:
    """A step while the notebook is walked through."""

    name: str
    segments: list[int] = field(default_factory=list)
    needs: Needs = field(default_factory=Needs)
    #: names bound: whether surely
    writes: dict[str, bool] = field(default_factory=dict)
    #: names bound by a statement, not only changed in place
    assigned: set[str] = field(default_factory=set)
    changes: dict[str, None] = field(default_factory=dict)
    #: statements that stay, by index
    kept: list[int] = field(default_factory=list)
    #: names that functions made here use: they keep the value they have now
    captured: set[str] = field(default_factory=set)
    #: names that called functions bind by `global`
    global_writes: set[str] = field(default_factory=set)
    restores: dict[str, None] = field(default_factory=dict)
    saves: dict[str, None] = field(default_factory=dict)
    #: the seeded random generators that it was seen to use
    draws: dict[str, None] = field(default_factory=dict)
    #: option settings of earlier steps, by statement index
    settings: list[int] = field(default_factory=list)
    together: list[frozenset[str]] = field(default_factory=list)
    #: definitions in the shared module that may be called
    calls: set[str] = field(default_factory=set)
    taints: bool = False
    awaits: bool = False
    #: ancestors in fan-outs: () or names of the steps that fan out
    space: tuple[str, ...] = ()
    foreach: Needs | None = None
    when: Needs | None = None
    #: names that only definitions, loops and `with` bind: no results
    incidental: set[str] = field(default_factory=set)
