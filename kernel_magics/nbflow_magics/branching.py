"""Fan-outs held in the kernel: each branch's own variables, and the sequence they form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from nbflow.branches import Branches, BranchSource, TaskError

Key = tuple[int, ...]


@dataclass(slots=True)
class BranchNames:
    """What names mean in one branch, and the step's own part of it.

    ``inside`` is shared by all steps that stay in the branch (`--each`), so that each sees what the
    ones before it bound there.
    """

    key: Key
    item: Any
    inside: dict[str, Any]
    parent: BranchSource | None = None
    values: dict[str, Any] = field(default_factory=dict)
    error: TaskError | None = None

    def bind(self, values: Mapping[str, Any]) -> None:
        """Add what a cell of the step bound."""
        self.inside.update(values)
        self.values.update(
            {name: one for name, one in values.items() if not issubclass(type(one), ModuleType)}
        )

    def source(self, step: str) -> BranchSource:
        """The branch as a task of ``step``."""
        values = {} if self.error is not None else self.values
        return BranchSource(step, self.key, self.item, values, error=self.error, parent=self.parent)


@dataclass(slots=True)
class FanOut:
    """The branches of one step, and the cell whose options made them."""

    step: str
    cell: str | None
    #: the steps that split, outermost first: a key has a number for each
    line: tuple[str, ...] = ()
    branches: list[BranchNames] = field(default_factory=list)

    def __iter__(self) -> Iterator[BranchNames]:
        return iter(self.branches)

    def sequence(self, prefix: Key = ()) -> Branches:
        """What the step's name is bound to: all its branches, or those within an outer one."""
        inside = [one for one in self.branches if one.key[: len(prefix)] == prefix]
        return Branches(self.step, [one.source(self.step) for one in inside])

    def shared_depth(self, line: tuple[str, ...]) -> int:
        """How many fan-outs it shares with a branch of ``line``, its own innermost left out."""
        depth = 0
        for mine, theirs in zip(self.line[:-1], line, strict=False):
            if mine != theirs:
                break
            depth += 1
        return depth
