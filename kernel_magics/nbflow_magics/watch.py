"""Watch: what only a live kernel can know: which cell made a value, and who has read it since.

A step that reads what a run would not have is told so under its cell; steps that have read values
made anew since are stale.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from nbcompile.diagnostics import Diagnostic
from nbflow_magics.cells import Cells
from nbflow_magics.crossing import crossing_problem
from nbflow_magics.names import Names, global_reads

if TYPE_CHECKING:
    from nbflow.store.records import Status

#: hidden state is looked for in functions, and in those that they call, up to this many
_FUNCTIONS = 200


@dataclass(slots=True)
class Maker:
    """The cell that bound a name last; a run has the name if that cell is part of the flow."""

    kind: str  # "step", "setup", "parameters", "carried" or "untagged"
    step: str | None
    cell: str | None
    #: the `In [n]` of its execution
    count: int
    #: which binding of all that this kernel has seen
    serial: int
    #: what has become of the cell since: "edited" or "deleted"
    gone: str = ""
    #: the step whose value an untagged cell replaced
    instead: str = ""


@dataclass(slots=True)
class StepRun:
    """What a step's cells read when they ran last: each name with the serial of its binding."""

    cells: dict[str | None, dict[str, int]] = field(default_factory=dict)
    stale: bool = False
    #: how its cell ended that ran last
    status: Status = "succeeded"

    @property
    def reads(self) -> Iterator[tuple[str, int]]:
        """All that its cells have read."""
        for one in self.cells.values():
            yield from one.items()

    @property
    def state(self) -> str:
        """As a front end shows it: "fresh", "stale", "failed" or "skipped"."""
        if self.status != "succeeded":
            return self.status
        return "stale" if self.stale else "fresh"


@dataclass(frozen=True, slots=True)
class Ran:
    """A cell about to run, or that has run."""

    kind: str | None
    step: str | None
    cell: str | None
    count: int
    names: Names
    carried: frozenset[str] = frozenset()


class Watch:
    """Keeps track of names and steps in one kernel."""

    def __init__(self, namespace: Mapping[str, Any], cells: Cells) -> None:
        self._namespace = namespace
        self._cells = cells
        self.makers: dict[str, Maker] = {}
        self.steps: dict[str, StepRun] = {}
        self._checked: dict[str, tuple[int, Diagnostic | None]] = {}
        self._serial = 0

    def before(self, reads: Iterable[str]) -> dict[str, int]:
        """What a cell reads as it starts: every name with the serial of its binding."""
        return {
            name: self.makers[name].serial if name in self.makers else 0
            for name in self._reads(reads)
        }

    def judge(self, ran: Ran, reads: Iterable[str]) -> list[Diagnostic]:
        """What there is to say about the names that a step reads."""
        found = []
        for name in reads:
            maker = self.makers.get(name)
            if maker is None:
                continue
            problem = (
                self._hidden(ran, name, maker)
                or self._crossing(ran, name, maker)
                or self._out_of_date(ran, name, maker)
            )
            if problem is not None:
                found.append(problem)
        return found

    def after(self, ran: Ran, reads: Mapping[str, int], status: Status) -> list[str]:
        """Take in that a cell has run; the steps that became stale through it."""
        self._forget_edited(ran)
        self._serial += 1
        for name in ran.names.binds:
            if name in self._namespace:
                maker = self._maker(ran, name)
                self.makers.pop(name, None)  # the newest come last
                self.makers[name] = maker
        self._forget_steps({ran.cell} - {None}, ran.step)
        if ran.step is not None:
            known = self.steps.setdefault(ran.step, StepRun())
            own = {name for name, maker in self.makers.items() if maker.step == ran.step}
            known.cells[ran.cell] = {n: serial for n, serial in reads.items() if n not in own}
            known.stale = self._is_stale(known)
            known.status = status
        return self._mark_stale(ran)

    def forget_cells(self, deleted: Iterable[str]) -> None:
        """The front end says that these cells are no more."""
        gone = set(deleted)
        self._forget_steps(gone)
        for maker in self.makers.values():
            if maker.cell in gone:
                maker.gone = "deleted"

    def recall(self, names: Iterable[str]) -> None:
        """These names were bound from a run: it has them."""
        self._serial += 1
        for name in names:
            self.makers[name] = Maker("recalled", None, None, 0, self._serial)

    def made_by(self, step: str) -> list[str]:
        """The names that a step made last."""
        return [name for name, maker in self.makers.items() if maker.step == step]

    # -- hidden state ----------------------------------------------------------------------

    def _hidden(self, ran: Ran, name: str, maker: Maker) -> Diagnostic | None:
        if issubclass(type(self._namespace.get(name)), ModuleType):
            return None
        if maker.instead:
            message = (
                f"`{name}` was bound anew by an untagged cell (In [{maker.count}]); "
                f"a run has the one of `{maker.instead}`."
            )
            return _hidden(message, f"Run `{maker.instead}` again, or tag that cell.", "NBF209")
        if maker.kind == "untagged":
            message = (
                f"`{name}` comes from an untagged cell (In [{maker.count}]), "
                "which a run leaves out."
            )
            return _hidden(message, "Tag that cell, or make the value in this step.", "NBF202")
        gone = maker.gone or self._cells.gone(maker.cell)
        if gone:
            message = f"`{name}` comes from a cell that has been {gone} since."
            return _hidden(message, "Run the notebook from the top to see what a run would see.")
        if maker.kind == "step" and self._cells.below(maker.cell, ran.cell):
            message = (
                f"`{name}` comes from a cell below this one (`{maker.step}`, In [{maker.count}]); "
                "a run goes from the top."
            )
            return _hidden(message, "Move one of the two cells.")
        again = name in ran.names.binds and maker.step == ran.step and maker.cell == ran.cell
        if again and ran.cell is not None:
            message = (
                f"`{name}` is what this cell itself made when it ran before (In [{maker.count}])."
            )
            return _hidden(message, "Run the cells that make it first, as a run would.")
        return None

    def _maker(self, ran: Ran, name: str) -> Maker:
        kind, instead = ran.kind or "untagged", ""
        if kind == "untagged":
            last = self.makers.get(name)
            if last is not None:
                instead = last.step or last.instead
            if name in ran.carried and not instead:
                kind = "carried"
        return Maker(kind, ran.step, ran.cell, ran.count, self._serial, instead=instead)

    def _crossing(self, ran: Ran, name: str, maker: Maker) -> Diagnostic | None:
        if maker.kind != "step" or maker.step == ran.step:
            return None
        checked = self._checked.get(name)
        if checked is None or checked[0] != maker.serial:
            checked = (maker.serial, crossing_problem(self._namespace.get(name), name))
            self._checked[name] = checked
        return checked[1]

    def _forget_edited(self, ran: Ran) -> None:
        if ran.cell is None:
            return
        for name, maker in self.makers.items():
            if maker.cell == ran.cell and name not in ran.names.binds:
                maker.gone = "edited"

    def _forget_steps(self, cells: Iterable[str | None], but: str | None = None) -> None:
        """These cells are no other step's any more; a step that has none left is no more."""
        for cell in cells:
            for step, known in list(self.steps.items()):
                if step != but and cell in known.cells:
                    del known.cells[cell]
                    if not known.cells:
                        del self.steps[step]

    def _reads(self, names: Iterable[str]) -> list[str]:
        """The names, and those that functions among them read when called."""
        found: dict[str, None] = {}
        queue = list(names)
        seen = 0
        while queue:
            name = queue.pop(0)
            if name in found or name not in self._namespace:
                continue
            found[name] = None
            for function in _functions(self._namespace[name]):
                seen += 1
                if seen <= _FUNCTIONS and function.__globals__ is self._namespace:
                    queue.extend(global_reads(function.__code__))
        return list(found)

    # -- staleness -------------------------------------------------------------------------

    def _mark_stale(self, ran: Ran) -> list[str]:
        """Steps other than this one that have read something made anew; each is told once."""
        fresh = []
        changed = True
        while changed:
            changed = False
            for step, known in self.steps.items():
                if not known.stale and step != ran.step and self._is_stale(known):
                    known.stale = changed = True
                    fresh.append(step)
        return fresh

    def _out_of_date(self, ran: Ran, name: str, maker: Maker) -> Diagnostic | None:
        known = self.steps.get(maker.step or "")
        if known is None or maker.step == ran.step or not known.stale:
            return None
        message = (
            f"`{maker.step}`, which made `{name}`, is stale: "
            "what it reads was made anew since it ran."
        )
        again = ", ".join(f"`{step}`" for step in self._stale_above(maker.step or ""))
        return Diagnostic("NBF308", "warning", message, fix=f"Run {again} first.")

    def _stale_above(self, step: str) -> list[str]:
        """The stale steps that this one goes back to, itself among them, in the order they ran."""
        found: set[str] = set()
        queue = [step]
        while queue:
            one = queue.pop()
            known = self.steps.get(one)
            if known is not None and known.stale and one not in found:
                found.add(one)
                makers = (self.makers.get(name) for name, _ in known.reads)
                queue += [maker.step for maker in makers if maker is not None and maker.step]
        return [one for one in self.steps if one in found]

    def _is_stale(self, known: StepRun) -> bool:
        for name, serial in known.reads:
            maker = self.makers.get(name)
            if maker is None:
                continue
            source = self.steps.get(maker.step or "")
            if maker.serial != serial or (source is not None and source.stale):
                return True
        return False


def carried_names(module: ast.Module) -> frozenset[str]:
    """Names of an untagged cell that a flow takes along: imports, definitions, constants."""
    carried: set[str] = set()
    others: set[str] = set()
    for statement in module.body:
        match statement:
            case ast.Import(names) | ast.ImportFrom(names=names):
                carried.update((one.asname or one.name).split(".")[0] for one in names)
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
                carried.add(name)
            case ast.Assign([ast.Name(name)], value) | ast.AnnAssign(
                ast.Name(name), value=value
            ) if _is_literal(value):
                carried.add(name)
            case ast.Try() | ast.If() if _only_imports(statement):
                for one in ast.walk(statement):
                    if isinstance(one, ast.alias):
                        carried.add((one.asname or one.name).split(".")[0])
            case _:
                others.update(
                    one.id
                    for one in ast.walk(statement)
                    if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
                )
    return frozenset(carried - others)


def _is_literal(value: ast.expr | None) -> bool:
    if value is None:
        return False
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _only_imports(statement: ast.Try | ast.If) -> bool:
    inner = [*statement.body, *statement.orelse]
    if isinstance(statement, ast.Try):
        for handler in statement.handlers:
            inner.extend(handler.body)
    return all(isinstance(one, ast.Import | ast.ImportFrom | ast.Pass) for one in inner)


def _functions(value: Any) -> list[FunctionType]:
    # by its type: a user's own object may lie about its class, or fail when asked for it
    if type(value) is FunctionType:
        return [value]
    if issubclass(type(value), type) and value.__module__ == "__main__":
        return [one for one in vars(value).values() if type(one) is FunctionType]
    return []


def _hidden(message: str, fix: str, code: str = "NBF307") -> Diagnostic:
    return Diagnostic(code, "warning", message, fix=fix)
