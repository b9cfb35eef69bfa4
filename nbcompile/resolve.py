"""Resolution: walks the notebook in order and finds, for every read, the version it means.

The order of names is that of a fresh kernel run from top to bottom. Each statement of a step reads
versions, and makes new ones by binding or by changing in place; what only an analysis cell makes
is a version too, one that no step may read.
"""

from __future__ import annotations

import ast
import builtins
from difflib import get_close_matches

from nbcompile.ambient import AMBIENT
from nbcompile.definitions import (
    Unit,
    definition_node,
    import_texts,
    is_conditional_definition,
    is_constant,
    is_import,
    travelling,
    unit_of,
)
from nbcompile.diagnostics import Diagnostic, Severity
from nbcompile.names import Binding, Needs, StepState
from nbcompile.refusals import refusals, shell_name
from nbcompile.segments import Segment, Statement
from nbcompile.stars import star_exports
from nbcompile.trace import Late, Trace, Traces

_BUILTINS = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__", "__builtins__"}


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
        #: (reader, step, segment, name): to find steps that enclose their readers
        self.uses: list[tuple[str, str, int, str]] = []
        self.travels = travelling(segments)
        self.last_read = self._last_reads()
        self.support = frozenset(name for s in segments for name in s.support)
        self.fanouts: set[str] = set()

    def run(self) -> None:
        """Walk all cells."""
        for position, segment in enumerate(self.segments):
            match segment.kind:
                case "step":
                    self._step(position, segment)
                case "setup":
                    for statement in segment.statements:
                        self._setup(statement)
                case "parameters":
                    for statement in segment.statements:
                        for name in statement.facts.writes:
                            self._bind(Binding("parameter", name, segment.cell, statement.line()))
                case "untagged":
                    for statement in segment.statements:
                        self._untagged(statement)

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

    # -- cells that are no steps ----------------------------------------------------------------
    def _setup(self, statement: Statement) -> None:
        self._future(statement)
        unit = unit_of(statement, always=True)
        for name in (*statement.facts.reads, *statement.facts.lazy):
            binding = self.names.get(name)
            if binding is None and name in self.support:
                self.common.support[name] = None
            eager = name in statement.facts.reads
            if eager and binding is not None and binding.kind in ("step", "parameter", "untagged"):
                where = "a parameter" if binding.kind == "parameter" else "no part of setup"
                self.say(
                    "NBF210",
                    "error",
                    f"Setup runs when a module is imported, and `{name}` is {where} then.",
                    statement,
                    statement.facts.reads[name],
                    f"Move this line to the step that needs it, or make `{name}` in setup too.",
                )
        self._add_unit(unit)
        if is_import(statement):
            self._import(statement)
            return
        for name in statement.facts.writes:
            self._bind(Binding("common", name, statement.cell, statement.line(), unit=unit))
        self._ambient_of_shared(statement)

    def _untagged(self, statement: Statement) -> None:
        trace = self.traces.statements[statement.index]
        self._future(statement)
        if is_import(statement):
            self._import(statement)
            return
        taken = self._carry(statement)
        for name in statement.facts.writes if not taken else ():
            reason = self._why_not_carried(statement, name)
            self._bind(
                Binding(
                    "untagged",
                    name,
                    statement.cell,
                    statement.line(),
                    previous=self.names.get(name),
                    reason=reason,
                )
            )
        for name in statement.facts.deletes:
            if name in self.names:
                self._bind(
                    Binding("untagged", name, statement.cell, statement.line(), reason="deletes")
                )
        for name, change in trace.changed.items():
            binding = self.names.get(name)
            if name in statement.facts.writes or binding is None or binding.kind == "untagged":
                continue
            if binding.kind in ("step", "parameter", "common"):
                self._bind(
                    Binding(
                        "untagged",
                        name,
                        statement.cell,
                        statement.line(change.node),
                        previous=binding,
                        changed=True,
                        sure=change.sure,
                    )
                )
        if trace.sets_option:
            self.say(
                "NBF303",
                "warning",
                "This sets an option in a cell that does not run in the flow.",
                statement,
                fix="Tag the cell %%setup, so that it holds for every step.",
            )
        for kind, effect, node in trace.effects:
            if effect == "set" and kind != "figure":
                self.say(
                    "NBF301" if "random" in kind else "NBF303",
                    "warning",
                    f"This sets {AMBIENT[kind].title} in a cell that does not run in the flow.",
                    statement,
                    node,
                    "Tag the cell %%setup or as a step.",
                )

    def _carry(self, statement: Statement) -> bool:
        """Make a definition of an analysis cell available to later steps, where it can be."""
        wanted = (
            definition_node(statement) is not None
            or is_constant(statement)
            or is_conditional_definition(statement)
        )
        if not wanted:
            return False
        constant = is_constant(statement)
        for name in statement.facts.writes:
            now = self.names.get(name)
            if constant and now is not None and now.kind in ("step", "parameter", "untagged"):
                return False
        if not self._made_of_code(statement):
            return False
        unit = unit_of(statement)
        for name in unit.names:
            versions = sum(name in other.names for other in self.units)
            if versions:
                unit.renamed[name] = f"{name}_{versions + 1}"
        self._add_unit(unit)
        for name in unit.names:
            self._bind(Binding("common", name, statement.cell, statement.line(), unit=unit))
        return True

    def _made_of_code(self, statement: Statement) -> bool:
        """Whether all that a definition needs at its making is code itself."""
        for name in statement.facts.reads:
            binding = self.names.get(name)
            if binding is None:
                if name not in _BUILTINS and name not in self.support:
                    return False
            elif binding.kind not in ("common", "import"):
                return False
        return True

    def _why_not_carried(self, statement: Statement, name: str) -> str:
        if definition_node(statement) is None:
            now = self.names.get(name)
            if now is not None and now.kind in ("step", "parameter"):
                return f"sets `{name}` again"
            return ""
        others = [n for n in statement.facts.reads if n in self.names]
        needs = [n for n in others if self.names[n].kind not in ("common", "import")]
        return f"needs `{needs[0]}` when it is made" if needs else ""

    # -- steps ----------------------------------------------------------------------------------
    def _step(self, position: int, segment: Segment) -> None:
        step = self.steps.get(segment.step)
        if step is None:
            step = self.steps[segment.step] = StepState(segment.step, [position])
            self._begin(step, segment)
        else:
            step.segments.append(position)
        for statement in segment.statements:
            self._statement(step, statement)
        self._share(step, position)
        if step.space:
            self.fanouts.add(step.name)
            self._bind(
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
            self._reads(step, needs, expression)
        if segment.foreach is not None and segment.merged.foreach is not None:
            step.space = (*step.space, step.name)
            for name in segment.merged.foreach.targets:
                step.writes[name] = True
                step.assigned.add(name)
                self._bind_step(step, name, segment.foreach, maybe=False)
        for kind, ambient in AMBIENT.items():
            if ambient.pervasive and ambient.variable in self.names:
                self._restore(step, kind)
        for index, owner in self.options:
            if owner != step.name:
                statement = self.statements[index]
                step.settings.append(index)
                self._reads(step, step.needs, statement)
                step.taints = True

    def _statement(self, step: StepState, statement: Statement) -> None:
        self._future(statement)
        if isinstance(statement.node, ast.ImportFrom) and statement.node.module == "__future__":
            return
        if is_import(statement):
            if self._import(statement, step):
                step.kept.append(statement.index)
            return
        if statement.index in self.travels and self._made_of_code(statement):
            unit = unit_of(statement, step.name)
            self._add_unit(unit)
            for name in unit.names:
                self._bind(Binding("common", name, statement.cell, statement.line(), unit=unit))
            return
        trace = self.traces.statements[statement.index]
        for code, message, node, fix in refusals(statement):
            self.say(code, "error", message, statement, node, fix)
        step.kept.append(statement.index)
        step.awaits |= statement.facts.awaits
        self._ambient(step, statement, trace)
        self._reads(step, step.needs, statement)
        self._writes(step, statement, trace)

    def _reads(self, step: StepState, needs: Needs, statement: Statement) -> None:
        trace = self.traces.statements[statement.index]
        facts = statement.facts
        for name, node in facts.reads.items():
            self._use(step, needs, name, statement, node)
        local = facts.writes.keys()
        for name, node in facts.lazy.items():
            if name not in local:
                self._use(step, needs, name, statement, node, soft=True)
                step.captured.add(name)
        for function in trace.called:
            unit = self.unit_of_node.get(id(function))
            if unit is not None:
                self._include(unit)
        for late in trace.late:
            self._late(step, needs, late, statement)

    def _writes(self, step: StepState, statement: Statement, trace: Trace) -> None:
        facts = statement.facts
        made = definition_node(statement) is not None
        for name, surely in facts.writes.items():
            self._bind_step(step, name, statement, maybe=not surely)
            step.assigned.add(name)
            (step.defined.add if made else step.defined.discard)(name)
        for name in facts.deletes:
            step.writes.pop(name, None)
            self._bind(
                Binding("deleted", name, statement.cell, statement.line(), step=step.name)
            )
        for name, change in trace.changed.items():
            if name not in facts.writes and name not in facts.deletes:
                self._changed(step, name, statement, change.node, change.sure)
        for name, what in trace.bound.items():
            if self._read_after(name, step):
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
        if not touched and not self._read_after(name, step):
            return
        if binding.kind == "untagged":
            return
        if binding.kind == "common" and binding.unit is not None:
            if definition_node(binding.unit.statement) is not None:
                if sure and self._read_after(name, step):
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
        if not self._within(step, binding):
            return
        self._use(step, step.needs, name, statement, node)
        step.changes[name] = None
        self._bind_step(step, name, statement, maybe=False, changed=True)

    # -- reading --------------------------------------------------------------------------------
    def _use(
        self,
        step: StepState,
        needs: Needs,
        name: str,
        statement: Statement,
        node: ast.AST,
        soft: bool = False,
    ) -> None:
        """Resolve one read. ``soft``: a function's, which may never be called."""
        binding = self.names.get(name)
        if binding is None:
            self._unbound(step, needs, name, statement, node, soft)
            return
        sources: list[str] = []
        for one in binding.chain():
            if one.kind == "step" and one.step == step.name and needs is step.needs:
                continue
            if not self._take(step, needs, one, sources, statement, node, soft):
                break
        if sources and sources != [""]:
            known = needs.inputs.setdefault(name, [])
            known += [source for source in sources if source not in known]

    def _take(
        self,
        step: StepState,
        needs: Needs,
        binding: Binding,
        sources: list[str],
        statement: Statement,
        node: ast.AST,
        soft: bool,
    ) -> bool:
        """Note one version that a read may mean; whether the search goes on."""
        name = binding.name
        match binding.kind:
            case "step":
                if not self._within(step, binding):
                    self._outside(binding, statement, node)
                    return False
                sources.append(binding.step)
                self.uses.append((step.name, binding.step, binding.segment, name))
            case "parameter":
                needs.parameters[name] = None
                sources.append("")
            case "common":
                assert binding.unit is not None
                self._include(binding.unit)
                there = binding.unit.renamed.get(name, name)
                if sources or (name in step.writes and needs is step.needs):
                    needs.starts[name] = f"common.{there}"
                else:
                    needs.common[name] = there
            case "import" if binding.step != step.name:
                for text in binding.imports:
                    needs.imports[text] = None
            case "branches":
                needs.fanouts[name] = binding.step
            case "deleted":
                if not soft:
                    self.say(
                        "NBF206",
                        "error",
                        f"`{name}` was deleted in cell {binding.cell} (line {binding.line}).",
                        statement,
                        node,
                        "Remove the `del`, or bind the name again.",
                    )
            case "untagged":
                return self._poisoned(step, binding, statement, node, soft)
        return True

    def _poisoned(
        self,
        step: StepState,
        binding: Binding,
        statement: Statement,
        node: ast.AST,
        soft: bool,
    ) -> bool:
        name, cell = binding.name, binding.cell
        where = f"cell {cell} (line {binding.line}), which is no step and does not run in the flow"
        if binding.changed and not binding.sure:
            self.say(
                "NBF209",
                "warning",
                f"`{name}` may be changed by {where}.",
                statement,
                node,
                f"If it changes `{name}`, tag cell {cell} as a step.",
            )
            if binding.previous is not None:
                binding.maybe = True
            return True
        if binding.changed or binding.reason == "deletes":
            message = f"`{name}` is {'changed' if binding.changed else 'deleted'} by {where}."
            fix = f"Tag cell {cell} as a step, or let it work on a copy."
        elif binding.reason.startswith("needs"):
            message = f"`{name}` is defined in {where}, and {binding.reason}."
            fix = f"Tag cell {cell} as a step."
        elif binding.reason:
            message = f"`{name}` gets a new value in {where}."
            fix = f"Tag cell {cell} as a step, or use another name there."
        else:
            message = f"`{name}` is made only in {where}."
            fix = f"Tag cell {cell} as a step, or %%setup, so that `{name}` is there in a run."
        code = "NBF202" if not binding.changed and not binding.reason else "NBF209"
        self.say(code, "warning" if soft else "error", message, statement, node, fix)
        return False

    def _outside(self, binding: Binding, statement: Statement, node: ast.AST) -> None:
        name, step = binding.name, binding.step
        self.say(
            "NBF203",
            "error",
            f"`{name}` exists once for each task of the fan-out `{step}`.",
            statement,
            node,
            f"Read it through the step's name: `[branch.{name} for branch in {step}]`, or "
            f"`{step}.{name}` for the list of all.",
        )

    def _unbound(
        self,
        step: StepState,
        needs: Needs,
        name: str,
        statement: Statement,
        node: ast.AST,
        soft: bool,
    ) -> None:
        if name in self.support:
            needs.support[name] = None
            return
        if name in _BUILTINS:
            return
        shell = shell_name(name)
        if shell is not None:
            self.say("NBF207", "error", shell, statement, node, "Give the value a name instead.")
            return
        later = self._bound_later(name)
        if soft and later is not None:
            return
        if later is not None:
            message = f"`{name}` is read here and first bound in cell {later}, further down."
            fix = "Move that cell above this one."
        else:
            known = [*self.names, *_BUILTINS]
            near = get_close_matches(name, known, n=1, cutoff=0.7)
            message = f"No cell binds `{name}`."
            fix = f"Did you mean `{near[0]}`?" if near else "Bind it in a step, or import it."
        self.say("NBF201", "warning" if soft else "error", message, statement, node, fix)

    def _late(self, step: StepState, needs: Needs, late: Late, statement: Statement) -> None:
        """A called function uses a name at module level."""
        unit = self.unit_of_node.get(id(late.function))
        if unit is None:
            return
        name = late.name
        binding = self.names.get(name)
        if binding is None and not late.writes:
            return
        own = binding is not None and binding.kind == "step" and binding.step == step.name
        if binding is not None and not own:
            if binding.kind == "common" and binding.unit is not None:
                self._include(binding.unit)
                if name not in binding.unit.renamed and not late.writes:
                    return
            elif binding.kind == "import":
                return
            elif binding.kind == "untagged" and definition_node(statement) is not None:
                return
            if binding.kind != "deleted":
                self._use(step, needs, name, statement, statement.node)
        needs.late[name] = None
        if late.writes:
            step.global_writes.add(name)
            self._bind_step(step, name, statement, maybe=binding is None)

    # -- binding --------------------------------------------------------------------------------
    def _bind(self, binding: Binding) -> None:
        self.names[binding.name] = binding

    def _bind_step(
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
                self._use(step, step.needs, name, statement, statement.node)
                maybe = False
        elif previous is not None and previous.kind == "step" and previous.step == step.name:
            previous = previous.previous if previous.maybe else None
        surely = not maybe or step.writes.get(name, False)
        step.writes[name] = surely
        self._bind(
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

    def _import(self, statement: Statement, step: StepState | None = None) -> bool:
        """Bind an import's names; whether the statement must stay where it is."""
        node = statement.node
        assert isinstance(node, ast.Import | ast.ImportFrom)
        texts = import_texts(node)
        # after a change of the search path, an import must stay where it is
        stays = step is not None and "sys_path" in step.saves
        if any(alias.name == "*" for alias in node.names):
            assert isinstance(node, ast.ImportFrom)
            exports = star_exports(node.module or "")
            if exports is None:
                self.say(
                    "NBF201",
                    "error" if step is not None else "warning",
                    f"What `from {node.module} import *` brings cannot be told: the module does "
                    "not import here.",
                    statement,
                    fix="Install it, or import the names you use by name.",
                )
            for name in exports or ():
                texts[name] = f"from {node.module} import {name}"
        for name, text in texts.items():
            previous = self.names.get(name)
            joined = (text,)
            if (
                isinstance(node, ast.Import)
                and previous is not None
                and previous.kind == "import"
                and "." in text
                and " as " not in text
            ):
                joined = tuple(dict.fromkeys((*previous.imports, text)))
            binding = Binding("import", name, statement.cell, statement.line(), imports=joined)
            if stays and step is not None:
                binding.step = step.name
            self._bind(binding)
            if step is not None:
                step.writes.pop(name, None)
        return stays

    def _future(self, statement: Statement) -> None:
        node = statement.node
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            self.future += [a.name for a in node.names if a.name not in self.future]

    def _add_unit(self, unit: Unit) -> None:
        self.units.append(unit)
        node = definition_node(unit.statement)
        for one in ast.walk(unit.statement.node):
            if one is node or isinstance(
                one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
            ):
                self.unit_of_node[id(one)] = unit
        if unit.always:
            self._include(unit)

    def _include(self, unit: Unit) -> None:
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
            elif binding.kind == "common" and binding.unit is not None:
                if binding.unit.statement.index not in self.used_units:
                    self._include(binding.unit)

    # -- process state --------------------------------------------------------------------------
    def _ambient(self, step: StepState, statement: Statement, trace: Trace) -> None:
        for kind, effect, node in trace.effects:
            ambient = AMBIENT[kind]
            if kind == "figure" and "_figures_stay" not in self.names:
                continue
            binding = self.names.get(ambient.variable)
            own = binding is not None and binding.kind == "step" and binding.step == step.name
            if effect == "set" or own:
                pass
            elif binding is None:
                self._unseeded(step, kind, statement, node)
                if kind != "figure":
                    continue
            else:
                self._restore(step, kind)
            if step.space:
                if effect == "use" and not own and binding is not None:
                    self._drawn_in_branch(kind, statement, node)
                if effect == "use" or ambient.pervasive:
                    continue
            if ambient.pervasive:
                step.taints = True
            step.saves[kind] = None
            self._bind_step(step, ambient.variable, statement, maybe=False)
        for name, node in trace.warned:
            self.say(
                "NBF303",
                "warning",
                f"`{name}` changes this step's process only; other steps run in processes of "
                "their own.",
                statement,
                node,
                "Put it into a %%setup cell, so that it holds for every step.",
            )
        if trace.sets_option:
            step.taints = True
            if not step.space and step.when is None:
                self.options.append((statement.index, step.name))
        if any(
            isinstance(n, ast.Call)
            and isinstance(n.func, ast.Attribute)
            and n.func.attr == "use"
            and isinstance(n.func.value, ast.Name)
            and n.func.value.id in ("matplotlib", "mpl")
            for n in ast.walk(statement.node)
        ):
            self._bind(Binding("common", "_figures_stay", statement.cell, statement.line()))

    def _ambient_of_shared(self, statement: Statement) -> None:
        trace = self.traces.statements[statement.index]
        for kind, effect, _ in trace.effects:
            if effect == "set" and kind in ("random", "numpy_random"):
                self._bind(
                    Binding(
                        "common",
                        AMBIENT[kind].variable,
                        statement.cell,
                        statement.line(),
                        unit=unit_of(statement),
                    )
                )

    def _restore(self, step: StepState, kind: str) -> None:
        """Let a step begin with process state as an earlier step, or setup, left it."""
        variable = AMBIENT[kind].variable
        binding = self.names[variable]
        if binding.kind == "common" and binding.unit is not None:
            index = binding.unit.statement.index
            self.statements[index] = binding.unit.statement
            if index not in step.settings:
                step.settings.append(index)
                self._reads(step, step.needs, binding.unit.statement)
            return
        if binding.step == step.name or not self._within(step, binding):
            return
        step.restores[kind] = None
        step.taints |= AMBIENT[kind].pervasive
        sources = [one.step for one in binding.chain() if one.kind == "step"]
        step.needs.inputs.setdefault(variable, sources)
        for text in AMBIENT[kind].imports:
            step.needs.imports[text] = None

    def _unseeded(self, step: StepState, kind: str, statement: Statement, node: ast.AST) -> None:
        if kind not in ("random", "numpy_random") or kind in self.drawn:
            return
        self.drawn.add(kind)
        self.say(
            "NBF301",
            "warning",
            f"This draws from {AMBIENT[kind].title[13:]}, which no cell seeds: every task gets a "
            "seed of its own, recorded with the run.",
            statement,
            node,
            "Seed it in a %%setup cell, or use a generator of your own.",
        )

    def _drawn_in_branch(self, kind: str, statement: Statement, node: ast.AST) -> None:
        self.say(
            "NBF301",
            "warning",
            f"Each task of a fan-out draws from {AMBIENT[kind].title[13:]} as it stood before "
            "the fan-out; in the notebook, one item goes on where the last one stopped.",
            statement,
            node,
            "Seed a generator from the item in each task.",
        )

    # -- sharing --------------------------------------------------------------------------------
    def _share(self, step: StepState, position: int) -> None:
        """Keep names together that share objects which a later step changes."""
        later: frozenset[int] = frozenset()
        for number in range(position + 1, len(self.segments)):
            if self.segments[number].kind == "step" and self.segments[number].step != step.name:
                later |= self.traces.changes[number]
        if not later:
            return
        last = self.segments[position].statements
        if not last:
            return
        for names, objects in self.traces.shared[position]:
            if not objects & later:
                continue
            group = {name for name in names if self._groups(step, name)}
            if len(group) < 2:
                continue
            for name in sorted(group):
                if name not in step.writes:
                    self._use(step, step.needs, name, last[-1], last[-1].node)
                    self._bind_step(step, name, last[-1], maybe=False, changed=True)
            step.together.append(frozenset(group))

    def _groups(self, step: StepState, name: str) -> bool:
        binding = self.names.get(name)
        if binding is None or binding.kind not in ("step", "parameter"):
            return False
        return self._read_after(name, step) and self._within(step, binding)

    def _within(self, step: StepState, binding: Binding) -> bool:
        """Whether a step's branch is inside that of the step that made a version."""
        if binding.kind != "step":
            return True
        space = self.steps[binding.step].space
        return step.space[: len(space)] == space

    def _read_after(self, name: str, step: StepState) -> bool:
        return any(owner != step.name for owner in self.last_read.get(name, ()))

    def _last_reads(self) -> dict[str, set[str]]:
        """Which steps may read each name, directly or through a function."""
        readers: dict[str, set[str]] = {}
        for segment in self.segments:
            every = [*segment.statements]
            every += [e for e in (segment.foreach, segment.when) if e is not None]
            for statement in every:
                if segment.kind != "step":
                    continue
                trace = self.traces.statements[statement.index]
                names = {*statement.facts.reads, *statement.facts.lazy}
                names |= {late.name for late in trace.late}
                for name in names:
                    readers.setdefault(name, set()).add(segment.step)
        return readers

    def _bound_later(self, name: str) -> int | None:
        for segment in self.segments:
            for statement in segment.statements:
                if name in statement.facts.writes or name in statement.facts.lazy_writes:
                    return segment.cell
        return None
