"""Changes: what to say of values of other steps that a cell changed in place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nbcompile.diagnostics import Diagnostic
from nbflow_magics.cells import Cells
from nbflow_magics.inplace import Change, InPlace
from nbflow_magics.watch import Maker, Ran


@dataclass(frozen=True, slots=True)
class Changed:
    """Who changed a value in place: a step's cell, or with ``step`` None one that is no step's."""

    serial: int
    step: str | None
    cell: str | None = None
    count: int = 0
    through: str | None = None


class Changes:
    """Looks at the values of steps around each tagged cell, and says what it finds."""

    def __init__(
        self, namespace: Mapping[str, Any], makers: Mapping[str, Maker], cells: Cells
    ) -> None:
        self._makers = makers
        self._cells = cells
        self._look = InPlace(namespace)
        self._changed: dict[str, Changed] = {}

    def before(self, ran: Ran, reads: Iterable[str]) -> list[Diagnostic]:
        """Look before a step's cell runs; what to say of values it is about to read."""
        reads = list(reads)
        for name in self._look.before(self._serials([*reads, *reversed(list(self._makers))])):
            self._changed[name] = Changed(self._makers[name].serial, None)
        found = (self._of_read(ran, name) for name in reads)
        return [one for one in found if one is not None]

    def after(self, ran: Ran, reads: Iterable[str], success: bool) -> list[Diagnostic]:
        """Look after it has run, its bindings taken in; what to say of values that it changed."""
        found = []
        for change in self._look.after(list(reads), ran.names.binds):
            maker = self._makers.get(change.name)
            if maker is None or maker.step == ran.step or ran.step is None:
                continue
            self._changed[change.name] = Changed(
                maker.serial, ran.step, ran.cell, ran.count, change.through
            )
            if success:
                found.append(self._unseen(ran.step, change, None))
        self._look.settle(self._serials(ran.names.binds))
        return [one for one in found if one is not None]

    def _serials(self, names: Iterable[str]) -> dict[str, int]:
        makers = ((name, self._makers.get(name)) for name in dict.fromkeys(names))
        return {name: maker.serial for name, maker in makers if maker and maker.kind == "step"}

    def _of_read(self, ran: Ran, name: str) -> Diagnostic | None:
        changed, maker = self._changed.get(name), self._makers.get(name)
        if changed is None or maker is None or changed.serial != maker.serial:
            return None
        if changed.step is None:
            message = (
                f"`{name}` was changed in place after `{maker.step}` made it, by a cell that is no "
                f"step's; a run has it as `{maker.step}` left it."
            )
            fix = f"Run `{maker.step}` again, or tag the cell that changes it."
            return Diagnostic("NBF209", "warning", message, fix=fix)
        if changed.step != ran.step:
            return self._unseen(changed.step, Change(name, changed.through), ran.step)
        if changed.cell != ran.cell or ran.cell is None:
            return None
        message = (
            f"`{name}` is what this cell itself changed when it ran before (In [{changed.count}])."
        )
        fix = f"Run `{maker.step}` first, as a run would."
        return Diagnostic("NBF307", "warning", message, fix=fix)

    def _unseen(self, step: str, change: Change, reader: str | None) -> Diagnostic | None:
        """A change that the compiler does not know of, where a later step reads the value."""
        notebook, name = self._cells.understood(), change.name
        if notebook is None or notebook.writes(step, name):
            return None
        source: str | None = self._makers[name].step
        if reader is None:
            passed = notebook.reader(step, name)
            if passed is None:
                return None
            source, reader = passed
        through = f" (through `{change.through}`)" if change.through else ""
        message = (
            f"`{step}` changed `{name}` in place{through}, and nbflow did not see it: "
            f"a run gives `{reader}` the value as `{source}` left it."
        )
        other = change.through or name
        fix = (
            f"Say so in the cell of `{step}`: `{name} = {name}` after the change; "
            f"or change a copy, `{other} = {other}.copy()`."
        )
        return Diagnostic("NBF305", "warning", message, fix=fix)
