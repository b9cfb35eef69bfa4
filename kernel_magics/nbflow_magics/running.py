"""Running: a cell that is running, with what its tags say and its code was found to do."""

from __future__ import annotations

import ast
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbcompile.diagnostics import Diagnostic
from nbcompile.options import Merged
from nbcompile.tags import TaggedCell
from nbflow_magics import cells
from nbflow_magics.branching import FanOut
from nbflow_magics.names import Names, names_of
from nbflow_magics.tasks import Tasks
from nbflow_magics.watch import Ran

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionInfo


@dataclass(slots=True)
class Running:
    """A cell that is running: its tags, and what its code was found to do."""

    info: ExecutionInfo
    tagged: TaggedCell
    merged: Merged
    started: float = field(default_factory=time.time)
    #: the `In [n]`, known at the end
    count: int = 0
    names: Names = field(default_factory=Names)
    tasks: Tasks | None = None
    #: what it reads from outside, and names that it would bind with the values they have by now
    reads: dict[str, int] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)
    carried: frozenset[str] = frozenset()
    found: list[Diagnostic] = field(default_factory=list)
    skipped: bool = False
    #: nothing of it ran: its tags are wrong, or its results come from a run
    idle: bool = False
    #: IPython passes statements through once for the cell, again for magics inside it
    parsed: bool = False

    @property
    def step(self) -> str | None:
        """The step's name, where the cell is one's."""
        return self.tagged.step if self.tagged.kind == "step" else None

    def ran(self, binds: tuple[str, ...]) -> Ran:
        """The cell as `Watch` takes it in, ``binds`` what it has really bound."""
        return Ran(
            self.tagged.kind,
            self.step,
            self.info.cell_id,
            self.count,
            Names(tuple(self.reads), binds),
            self.carried,
        )

    def as_ran(self) -> cells.Ran:
        """The cell as `Cells` keeps it."""
        source, tags = self.info.raw_cell or "", cell_tags(self.info)
        return cells.Ran(self.count, time.time(), source, tags)


def cell_tags(info: ExecutionInfo) -> tuple[str, ...]:
    """The cell's tags, where the front end sends its metadata along (JupyterLab does)."""
    metadata = getattr(info, "cell_meta", None)
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return tuple(str(tag) for tag in tags) if isinstance(tags, list) else ()


def reads_of(running: Running, within: FanOut | None) -> list[str]:
    """What a step's cell reads from outside: its body and the expressions of its options."""
    reads = dict.fromkeys(running.names.reads)
    foreach, when, options = running.merged.foreach, running.merged.when, running.merged.options
    for target in foreach.targets if foreach is not None else ():
        reads.pop(target, None)
    for expression in (foreach, when):
        if expression is not None:
            module = ast.parse(f"_ = [{expression.code}]")
            reads.update(dict.fromkeys(names_of(module, str).reads))
    for branch in within or ():
        for name in branch.inside:
            reads.pop(name, None)
    if options.each is not None:
        reads[options.each] = None
    return list(reads)


def elsewhere(
    running: Running, fanouts: Mapping[str, FanOut], error: BaseException | None
) -> str | None:
    """Where a name or a module is that a cell lacks here: in branches, or in an environment."""
    if isinstance(error, NameError):
        for step, fanout in fanouts.items():
            if any(error.name in branch.inside for branch in fanout.branches):
                return (
                    f"`{error.name}` exists once for each task of `{step}`: "
                    f"`{step}.{error.name}` is the list of all, `{step}[0].{error.name}` the first."
                )
    name = running.merged.options.env
    if name is None or not isinstance(error, ModuleNotFoundError):
        return None
    return (
        f"`{running.step}` runs in the environment `{name}` in a flow; this kernel has packages of "
        "its own. `%nbflow run` runs it there, and `%nbflow replay` brings its results here."
    )
