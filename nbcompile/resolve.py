"""Resolution: walks the notebook in order and finds, for every read, the version it means.

The order of names is that of a fresh kernel run from top to bottom. Each statement of a step reads
versions, and makes new ones by binding or by changing in place; what only an analysis cell makes
is a version too, one that no step may read.
"""

from __future__ import annotations

import ast

from nbcompile.ambient import AMBIENT
from nbcompile.definitions import (
    Unit,
    definition_node,
    is_import,
    passing_names,
    travelling,
    unit_of,
)
from nbcompile.diagnostics import Diagnostic, Severity
from nbcompile.freenames import bound_names
from nbcompile.importing import bind_import, made_of_code, sets_path
from nbcompile.lookup import use, use_late
from nbcompile.names import Binding, Needs, StepState
from nbcompile.othercells import analysis_statement, setup_statement
from nbcompile.processstate import follow_state, restore_state
from nbcompile.refusals import refusals
from nbcompile.segments import Segment, Statement
from nbcompile.sharing import compares_identity, keep_together
from nbcompile.trace import Trace, Traces
from nbcompile.walking import walk


class Resolver:
    """The walk; `nbcompile.infer` reads its results."""

    def __init__(self, segments: tuple[Segment, ...], traces: Traces) -> None:
        self.segments = segments
        self.traces = traces
        self.names: dict[str, Binding] = {}
        self.steps: dict[str, StepState] = {}
        self.units: list[Unit] = []
        self.unit_of_node: dict[int, Unit] = {}
        self.used_units: dict[int, Unit] = {}
        self.common = Needs()
        self.future: list[str] = []
        self.diagnostics: list[Diagnostic] = []
        self.statements = {s.index: s for g in segments for s in g.statements}
        self.options: list[tuple[int, str]] = []
        self.drawn: set[str] = set()
        #: (reader, step, segment, name, cell of the read): to find steps that enclose readers
        self.uses: list[tuple[str, str, int, str, int]] = []
        self.travels = travelling(segments)
        #: the notebook writes modules, which are not there before
        self.writes_modules = any(
            file.endswith(".py") for one in traces.statements.values() for file in one.writes_files
        )
        #: the shared module has set the module search path
        self.path_is_set = False
        #: the segment in hand
        self.position = 0
        #: by name: the steps that may read it, each with its last segment that does
        self.readers = self._readers()
        #: steps that ask whether two objects are one
        self.comparing = {
            segment.step
            for segment in segments
            if segment.kind == "step"
            and any(compares_identity(statement.node) for statement in segment.statements)
        }
        self.support = frozenset(name for s in segments for name in s.support)
        #: of classes that travel as values: names that they take from the shared module
        self.class_names: dict[int, set[str]] = {}
        #: segments by the abstract objects that they change
        self.changed_in: dict[int, list[int]] = {}
        for number, objects in enumerate(traces.changes):
            for one in objects:
                self.changed_in.setdefault(one, []).append(number)

    def run(self) -> None:
        """Walk all cells."""
        for position, segment in enumerate(self.segments):
            self.position = position
            match segment.kind:
                case "step":
                    self._step(position, segment)
                case "setup":
                    for statement in segment.statements:
                        setup_statement(self, statement)
                case "parameters":
                    for statement in segment.statements:
                        for name in statement.facts.writes:
                            self.bind(Binding("parameter", name, segment.cell, statement.line()))
                case "untagged":
                    for statement in segment.statements:
                        analysis_statement(self, statement)

    def say(
        self,
        code: str,
        severity: Severity,
        message: str,
        statement: Statement,
        node: ast.AST | None = None,
        fix: str | None = None,
    ) -> None:
        """Add a diagnostic at a statement, or at a node inside it."""
        column = getattr(node, "col_offset", None)
        self.diagnostics.append(
            Diagnostic(code, severity, message, statement.cell, statement.line(node), column, fix)
        )

    def _step(self, position: int, segment: Segment) -> None:
        step = self.steps.get(segment.step)
        if step is None:
            step = self.steps[segment.step] = StepState(segment.step, [position])
            self._begin(step, segment)
        else:
            step.segments.append(position)
        for statement in segment.statements:
            self._statement(step, statement)
        keep_together(self, step, position)
        if step.space:
            self.bind(
                Binding("branches", step.name, segment.cell, 1, step=step.name, segment=position)
            )

    def _begin(self, step: StepState, segment: Segment) -> None:
        assert segment.merged is not None
        each = segment.merged.options.each
        target = self.steps.get(each) if each else None
        step.space = target.space if target else ()
        for expression, attribute in ((segment.foreach, "foreach"), (segment.when, "when")):
            if expression is None:
                continue
            needs = Needs()
            setattr(step, attribute, needs)
            self.read_all(step, needs, expression)
        if segment.foreach is not None and segment.merged.foreach is not None:
            step.space = (*step.space, step.name)
            for name in segment.merged.foreach.targets:
                step.writes[name] = True
                step.assigned.add(name)
                self.bind_step(step, name, segment.foreach, maybe=False)
        for kind, ambient in AMBIENT.items():
            if ambient.pervasive and ambient.variable in self.names:
                restore_state(self, step, kind)
        for index, owner in self.options:
            if owner != step.name:
                statement = self.statements[index]
                step.settings.append(index)
                self.read_all(step, step.needs, statement)
                step.taints = True

    def _statement(self, step: StepState, statement: Statement) -> None:
        self.note_future(statement)
        if isinstance(statement.node, ast.ImportFrom) and statement.node.module == "__future__":
            return
        if is_import(statement):
            if bind_import(self, statement, step):
                step.kept.append(statement.index)
            return
        if statement.index in self.travels and made_of_code(self, statement):
            self._refuse_effects(statement)
            unit = unit_of(statement, step.name)
            self.add_unit(unit)
            for name in unit.names:
                self.bind(Binding("common", name, statement.cell, statement.line(), unit=unit))
            return
        if step.when is None and sets_path(self, statement):
            return
        trace, facts = self.traces.statements[statement.index], statement.facts
        for code, message, node, fix in refusals(statement):
            self.say(code, "error", message, statement, node, fix)
        if facts.lazy_writes:
            name, node = next(iter(facts.lazy_writes.items()))
            self.say(
                "NBF210",
                "error",
                f"A function here declares `global {name}` and cannot travel as code, as its own "
                "name is bound more than once or it needs a value at its making.",
                statement,
                node,
                "Give the function a name of its own, at the top level of the cell.",
            )
        if isinstance(statement.node, ast.ClassDef):
            # names that its body binds are looked up in the shared module, by its methods too
            self.class_names[id(statement.node)] = facts.reads.keys() & bound_names(
                statement.node.body
            )
        step.kept.append(statement.index)
        step.awaits |= facts.awaits
        follow_state(self, step, statement, trace)
        self.read_all(step, step.needs, statement)
        self._writes(step, statement, trace)

    def _refuse_effects(self, statement: Statement) -> None:
        """A definition that changes something when it is made, as a registry does."""
        trace = self.traces.statements[statement.index]
        others = sorted(name for name in trace.changed if name not in statement.facts.writes)
        if others:
            self.say(
                "NBF210",
                "error",
                f"Making this definition changes `{others[0]}`, and definitions travel as code: "
                "each process would make the change anew.",
                statement,
                trace.changed[others[0]].node,
                f"Make it in a %%setup cell, with `{others[0]}`.",
            )

    def read_all(self, step: StepState, needs: Needs, statement: Statement) -> None:
        trace = self.traces.statements[statement.index]
        facts = statement.facts
        for name, node in facts.reads.items():
            use(self, step, needs, name, statement, node)
        local = facts.writes.keys()
        for name, node in facts.lazy.items():
            step.captured.add(name)
            if name not in local:
                use(self, step, needs, name, statement, node, soft=True)
        for function in trace.called:
            unit = self.unit_of_node.get(id(function))
            if unit is not None:
                self.include(unit)
                step.calls |= {unit.renamed.get(name, name) for name in unit.names}
        for late in trace.late:
            use_late(self, step, needs, late, statement)

    def _writes(self, step: StepState, statement: Statement, trace: Trace) -> None:
        facts = statement.facts
        made = definition_node(statement) is not None
        passing = passing_names(statement)
        for name, surely in facts.writes.items():
            self.bind_step(step, name, statement, maybe=not surely)
            lasting = not made and name not in passing
            if lasting:
                step.incidental.discard(name)
            elif name not in step.assigned:
                step.incidental.add(name)
            step.assigned.add(name)
        for name in facts.deletes:
            step.writes.pop(name, None)
            self.bind(Binding("deleted", name, statement.cell, statement.line(), step=step.name))
        for name, change in trace.changed.items():
            if name not in facts.writes and name not in facts.deletes:
                self._changed(step, name, statement, change.node, change.sure)
        for name, what in trace.bound.items():
            if self.read_after(name, step):
                self.say(
                    "NBF208",
                    "error",
                    f"`{name}` is {what}, which lives in one process and cannot cross steps; "
                    "another step reads it.",
                    statement,
                    fix="Make it in the step that uses it, or put both cells into one step.",
                )

    def _changed(
        self, step: StepState, name: str, statement: Statement, node: ast.AST, sure: bool
    ) -> None:
        binding = self.names.get(name)
        if binding is None or binding.kind in ("import", "deleted", "branches"):
            return
        if binding.kind == "step" and binding.step == step.name:
            return
        touched = name in statement.facts.reads or name in step.needs.late
        if not touched and not self.read_after(name, step):
            return
        if binding.kind == "untagged":
            return
        if binding.kind == "common" and binding.unit is not None:
            if definition_node(binding.unit.statement) is not None:
                if sure and self.read_after(name, step):
                    self.say(
                        "NBF210",
                        "error",
                        f"This changes `{name}`, which travels as code: no other step would see "
                        "the change.",
                        statement,
                        node,
                        "Keep what changes in a variable instead.",
                    )
                return
            step.taints = True
        if not self.within(step, binding):
            return
        use(self, step, step.needs, name, statement, node)
        step.changes[name] = None
        self.bind_step(step, name, statement, maybe=False, changed=True)

    def bind(self, binding: Binding) -> None:
        self.names[binding.name] = binding

    def bind_step(
        self, step: StepState, name: str, statement: Statement, maybe: bool, changed: bool = False
    ) -> None:
        previous = self.names.get(name)
        skipped = step.when is not None
        if maybe and previous is not None and not skipped:
            own = previous.kind == "step" and previous.step == step.name
            if own:
                maybe = previous.maybe and not step.writes.get(name, False)
                previous = previous.previous
            elif previous.kind in ("parameter", "common", "import"):
                # the name begins with that value, and so is always bound
                step.writes.setdefault(name, True)
                use(self, step, step.needs, name, statement, statement.node)
                maybe = False
        elif previous is not None and previous.kind == "step" and previous.step == step.name:
            previous = previous.previous if previous.maybe else None
        surely = not maybe or step.writes.get(name, False)
        step.writes[name] = surely
        self.bind(
            Binding(
                "step",
                name,
                statement.cell,
                statement.line(),
                step=step.name,
                segment=step.segments[-1],
                maybe=not surely or skipped,
                previous=previous,
                changed=changed,
            )
        )

    def note_future(self, statement: Statement) -> None:
        node = statement.node
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            self.future += [a.name for a in node.names if a.name not in self.future]

    def add_unit(self, unit: Unit) -> None:
        self.units.append(unit)
        node = definition_node(unit.statement)
        for one in walk(unit.statement.node):
            if one is node or isinstance(
                one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
            ):
                self.unit_of_node[id(one)] = unit
        if unit.always:
            self.include(unit)

    def include(self, unit: Unit) -> None:
        """Put a definition into the shared module, with all that it needs there."""
        self.used_units[unit.statement.index] = unit
        for name in (*unit.eager, *unit.lazy):
            binding = self.names.get(name)
            if binding is None:
                if name in self.support:
                    self.common.support[name] = None
            elif binding.kind == "import":
                for text in binding.imports:
                    self.common.imports[text] = None
            elif (
                binding.unit is not None
                and binding.kind == "common"
                and binding.unit.statement.index not in self.used_units
            ):
                self.include(binding.unit)

    def within(self, step: StepState, binding: Binding) -> bool:
        """Whether a step's branch is inside that of the step that made a version."""
        if binding.kind != "step":
            return True
        space = self.steps[binding.step].space
        return step.space[: len(space)] == space

    def read_after(self, name: str, step: StepState) -> bool:
        """Whether a later cell of another step may read a name."""
        readers = self.readers.get(name, {})
        return any(p > self.position for owner, p in readers.items() if owner != step.name)

    def _readers(self) -> dict[str, dict[str, int]]:
        readers: dict[str, dict[str, int]] = {}
        for position, segment in enumerate(self.segments):
            every = [*segment.statements]
            every += [e for e in (segment.foreach, segment.when) if e is not None]
            for statement in every if segment.kind == "step" else ():
                trace = self.traces.statements[statement.index]
                names = {*statement.facts.reads, *statement.facts.lazy}
                for name in names | {late.name for late in trace.late}:
                    readers.setdefault(name, {})[segment.step] = position
        return readers

    def bound_later(self, name: str) -> int | None:
        for segment in self.segments:
            for statement in segment.statements:
                if name in statement.facts.writes or name in statement.facts.lazy_writes:
                    return segment.cell
        return None
