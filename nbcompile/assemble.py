"""Assembly: what resolution found, put into the frozen values of a flow."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from difflib import get_close_matches

from nbcompile.ambient import AMBIENT, BY_VARIABLE
from nbcompile.definitions import Unit, import_texts
from nbcompile.diagnostics import Diagnostic
from nbcompile.flow import Common, Expression, Options, Piece, Step
from nbcompile.generics import type_alias
from nbcompile.names import Needs, StepState
from nbcompile.notebook import Notebook
from nbcompile.order import circles, enclosed_reads, file_order
from nbcompile.resolve import Resolver
from nbcompile.segments import Segment, Statement
from nbcompile.walking import walk


class Assembly:
    """Turns what the resolver found into frozen values."""

    def __init__(
        self, notebook: Notebook, segments: tuple[Segment, ...], resolver: Resolver
    ) -> None:
        self.segments = segments
        self.resolver = resolver
        self.diagnostics: list[Diagnostic] = []
        self.shared_attributes = _attribute_names(
            unit.statement.node for unit in resolver.used_units.values()
        )
        self.above = {c.index + 1: c.source for c in notebook.cells if c.kind == "markdown"}
        self.crossing = self._crossing()
        self.renamed: set[str] = set()
        self.place = {name: number for number, name in enumerate(resolver.steps)}
        #: by name: the last step that binds it; by name and source: the last that reads it
        self.last_write: dict[str, int] = {}
        self.last_read: dict[tuple[str, str], int] = {}
        for number, state in enumerate(resolver.steps.values()):
            self.last_write.update(dict.fromkeys(state.writes, number))
            for name, sources in state.needs.inputs.items():
                self.last_read.update({(name, source): number for source in sources})

    def steps(self) -> tuple[Step, ...]:
        states = list(self.resolver.steps.values())
        steps = [self._step(number, state) for number, state in enumerate(states)]
        self.diagnostics += enclosed_reads(self.resolver, self.segments)
        ordered, found = file_order(steps, self.resolver, self.segments)
        self.diagnostics += found
        self.diagnostics += circles(ordered, self._cell_of)
        return tuple(ordered)

    def _cell_of(self, step: str) -> int:
        return self.segments[self.resolver.steps[step].segments[0]].cell

    def _step(self, number: int, state: StepState) -> Step:
        first = self.segments[state.segments[0]]
        assert first.merged is not None
        options = first.merged.options
        crossing = self.crossing.get(state.name, set())
        outputs = self._outputs(state, crossing | set(options.keep))
        shared, bind = self._late(state)
        preamble = self._preamble(state, shared)
        captured, unchanged = self._guarded(number, state)
        return Step(
            name=state.name,
            cells=tuple(self.segments[position].cell for position in state.segments),
            doc=self._doc(first.cell),
            body=tuple(self._body(state, shared)),
            reads=state.needs.reads(bind),
            outputs=outputs,
            maybe=tuple(name for name in outputs if not state.writes[name]),
            crossing=(
                *(name for name in outputs if name in crossing),
                *(v for v in (AMBIENT[k].variable for k in state.saves) if v in crossing),
            ),
            together=_merged(state.together, outputs),
            shared=shared,
            depends=self._depends(state, options, first),
            options=options,
            foreach=self._expression(state.foreach, first.foreach, first),
            when=self._expression(state.when, first.when, first),
            calls=tuple(sorted(state.calls)),
            captured=captured,
            unchanged=unchanged,
            restores=tuple(state.restores),
            saves=tuple(k for k in state.saves if AMBIENT[k].variable in crossing),
            draws=tuple(sorted(state.draws)),
            preamble=preamble,
            settings=tuple(self._settings(state)),
            taints=state.taints,
            awaits=state.awaits,
        )

    # -- names ----------------------------------------------------------------------------------
    def _crossing(self) -> dict[str, set[str]]:
        """The names of each step that other steps read."""
        crossing: dict[str, set[str]] = {}
        for reader, step, _, name, _ in self.resolver.uses:
            if reader != step:
                crossing.setdefault(step, set()).add(name)
        for state in self.resolver.steps.values():
            for needs in (state.needs, state.foreach, state.when):
                if needs is None:
                    continue
                for variable, sources in needs.inputs.items():
                    if variable in BY_VARIABLE:
                        for source in sources:
                            crossing.setdefault(source, set()).add(variable)
                for fanout in needs.fanouts.values():
                    names = self._attributes(state)
                    made = set(self.resolver.steps[fanout].writes)
                    chosen = made if names is None else made & names
                    crossing.setdefault(fanout, set()).update(chosen)
        return crossing

    def _attributes(self, state: StepState) -> set[str] | None:
        """The attributes that a step's code may ask of branches; None for any."""
        nodes: list[ast.AST] = [self.resolver.statements[i].node for i in state.kept]
        segment = self.segments[state.segments[0]]
        nodes += [e.node for e in (segment.foreach, segment.when) if e is not None]
        own, shared = _attribute_names(nodes), self.shared_attributes
        return None if own is None or shared is None else own | shared

    def _outputs(self, state: StepState, needed: set[str]) -> tuple[str, ...]:
        targets = self._targets(state)
        return tuple(
            name
            for name in state.writes
            if name not in BY_VARIABLE
            and (
                name in needed
                or not (name.startswith("_") or name in state.incidental or name in targets)
            )
        )

    def _targets(self, state: StepState) -> tuple[str, ...]:
        merged = self.segments[state.segments[0]].merged
        return merged.foreach.targets if merged and merged.foreach else ()

    def _late(self, state: StepState) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Names that called functions use: those that live in `common`, those set there first."""
        shared, bind = [], []
        for name in state.needs.late:
            self.renamed.add(name)
            if name in state.assigned or name in state.global_writes:
                shared.append(name)
            else:
                bind.append(name)
        for statement in (self.resolver.statements[i] for i in state.kept):
            node = statement.node
            if isinstance(node, ast.ClassDef):
                # a class body that rebinds a name reads the module's, never a function's
                inside = {n for s in node.body for n in _stored(s)}
                at_hand = {*state.writes, *state.needs.inputs, *state.needs.parameters}
                for name in statement.facts.reads:
                    if name in inside and name in at_hand and name not in shared:
                        shared.append(name)
                        self.renamed.add(name)
        return tuple(shared), tuple(name for name in bind if name not in shared)

    def _preamble(self, state: StepState, shared: tuple[str, ...]) -> tuple[str, ...]:
        """First lines for names that the step binds itself but first reads from the modules."""
        needs = state.needs
        lines = []
        for name in [n for n in needs.common if n in state.assigned or n in state.changes]:
            needs.starts[name] = f"common.{needs.common.pop(name)}"
        for name, source in needs.starts.items():
            if name in shared:
                continue
            if name in state.writes:
                lines.append(f"{name} = {source}")
        late_path = "sys_path" in state.restores
        for text in list(needs.imports):
            name = text.split()[-1].split(".")[0]
            module = text.split()[1].split(".")[0]
            outside = late_path and module not in sys.stdlib_module_names
            if name in state.assigned or outside:
                del needs.imports[text]
                lines.append(text)
        return tuple(lines)

    def _guarded(self, number: int, state: StepState) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Names captured here and bound anew later; inputs that must not change unseen."""
        captured = sorted(n for n in state.captured if self.last_write.get(n, -1) > number)
        unchanged = [
            name
            for name, sources in state.needs.inputs.items()
            if name not in state.writes
            and any(self.last_read[name, source] > number for source in sources)
        ]
        return tuple(captured), tuple(unchanged)

    # -- code -----------------------------------------------------------------------------------
    def _body(self, state: StepState, shared: tuple[str, ...]) -> Iterable[Piece]:
        for index in state.kept:
            statement = self.resolver.statements[index]
            yield statement.piece
            made = _fixed_bindings(statement) & set(shared)
            if made:
                lines = (statement.piece.lines[-1],) * len(made)
                code = "\n".join(f"common.{name} = {name}" for name in sorted(made))
                yield Piece(statement.cell, code, lines)

    def _settings(self, state: StepState) -> Iterable[Piece]:
        for index in state.settings:
            statement = self.resolver.statements[index]
            node = statement.node
            call = node.value if isinstance(node, ast.Expr) else None
            shown = isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
            if isinstance(call, ast.Call) and shown and call.args:
                # a repeated setting shows nothing
                yield Piece(statement.cell, ast.unparse(call.args[0]), (statement.line(),))
            else:
                yield statement.piece

    def _expression(
        self, needs: Needs | None, statement: Statement | None, segment: Segment
    ) -> Expression | None:
        if needs is None or statement is None or segment.merged is None:
            return None
        self.renamed.update(needs.late)
        bind = tuple(n for n in needs.late if n in needs.inputs or n in needs.parameters)
        raw = segment.merged.foreach if statement is segment.foreach else None
        return Expression(
            code=statement.piece.code.strip(),
            cell=statement.cell,
            line=statement.piece.lines[0],
            reads=needs.reads(bind),
            targets=raw.targets if raw else (),
            target=raw.target if raw else "",
        )

    def _doc(self, cell: int) -> str:
        """What the markdown right above a step says, its first paragraph."""
        paragraphs = [p.strip() for p in self.above.get(cell, "").split("\n\n") if p.strip()]
        text = [p.lstrip("#").strip() for p in paragraphs[:2]]
        if not paragraphs or not paragraphs[0].startswith("#"):
            text = text[:1]
        return "\n\n".join(p for p in text if not p.startswith(("```", "|", "![", "<", "---")))

    # -- order ----------------------------------------------------------------------------------
    def _depends(self, state: StepState, options: Options, segment: Segment) -> tuple[str, ...]:
        known = list(self.resolver.steps)
        wanted: set[str] = set()
        for needs in (state.needs, state.foreach, state.when):
            if needs is not None:
                wanted |= needs.sources()
        for other in [*options.after, *([options.each] if options.each else [])]:
            if other in known and other != state.name:
                wanted.add(other)
            else:
                near = get_close_matches(other, known, n=1)
                fix = (
                    f"Did you mean `{near[0]}`?" if near else f"The steps are: {', '.join(known)}."
                )
                self.diagnostics.append(
                    Diagnostic(
                        "NBF204",
                        "error",
                        f"Step `{state.name}` names a step `{other}` that does not exist.",
                        segment.cell,
                        segment.tagged.line,
                        fix=fix,
                    )
                )
        each = options.each
        if each in known and not self.resolver.steps[each].space:
            self.diagnostics.append(
                Diagnostic(
                    "NBF204",
                    "error",
                    f"`--each {each}` needs a fan-out, and step `{each}` has a single task.",
                    segment.cell,
                    segment.tagged.line,
                    fix=f"Remove the option, or give `{each}` a `--foreach`.",
                )
            )
        return tuple(sorted(wanted - {state.name}, key=self.place.__getitem__))

    # -- the shared module ----------------------------------------------------------------------
    def common(self, steps: tuple[Step, ...]) -> Common:
        units = [unit for _, unit in sorted(self.resolver.used_units.items())]
        needs = self.resolver.common
        # those of setup cells stand where they stood
        stand = {text for unit in units for text in _imports(unit.statement.node)}
        return Common(
            pieces=tuple(_renamed(unit) for unit in units),
            imports=tuple(sorted(needs.imports.keys() - stand)),
            support=tuple(sorted(needs.support)),
            late=tuple(sorted(self.renamed)),
        )

    def imported(self, steps: tuple[Step, ...]) -> tuple[str, ...]:
        """Top-level names of all modules that the package imports."""
        texts = [*self.resolver.common.imports]
        for step in steps:
            texts += [*step.reads.imports, *(t for t in step.preamble if "import " in t)]
            for expression in (step.foreach, step.when):
                texts += expression.reads.imports if expression else ()
        modules = {text.split()[1].split(".")[0] for text in texts}
        nodes = [unit.statement.node for unit in self.resolver.used_units.values()]
        for state in self.resolver.steps.values():
            nodes += [self.resolver.statements[i].node for i in state.kept]
        for node in nodes:
            for inner in walk(node):
                if isinstance(inner, ast.Import):
                    modules |= {alias.name.split(".")[0] for alias in inner.names}
                elif isinstance(inner, ast.ImportFrom) and inner.module and not inner.level:
                    modules.add(inner.module.split(".")[0])
        if any(i.kind == "fanout" for step in steps for i in step.reads.inputs):
            names = _attribute_names(nodes)
            if names is None or "table" in names:
                modules.add("pandas")  # what `branches.table()` gives
        return tuple(sorted(modules - {"__future__", ""}))


def _merged(groups: list[frozenset[str]], outputs: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Overlapping groups joined, each in the order of the outputs."""
    merged: list[set[str]] = []
    for group in groups:
        joined = set(group) & set(outputs)
        apart = []
        for other in merged:
            if other & joined:
                joined |= other
            else:
                apart.append(other)
        merged = [*apart, joined]
    result = [tuple(name for name in outputs if name in group) for group in merged]
    return tuple(sorted(group for group in result if len(group) > 1))


def _attribute_names(nodes: Iterable[ast.AST]) -> set[str] | None:
    """Names that code takes as attributes, or may look up by a text; None for any name."""
    names: set[str] = set()
    for node in nodes:
        for inner in walk(node):
            if isinstance(inner, ast.Attribute):
                names.add(inner.attr)
            elif isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                names.add(inner.value)
            elif isinstance(inner, ast.MatchClass):
                names.update(inner.kwd_attrs)
            elif isinstance(inner, ast.Name) and inner.id in ("getattr", "vars", "attrgetter"):
                return None
    return names


def _imports(node: ast.stmt) -> Iterable[str]:
    return import_texts(node).values() if isinstance(node, ast.Import | ast.ImportFrom) else ()


def _stored(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    return {
        node.id
        for node in walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def _fixed_bindings(statement: Statement) -> set[str]:
    """Names bound in a way that cannot be written as an attribute: by def, class, import, …"""
    names: set[str] = set()
    for node in walk(statement.node):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif (alias := type_alias(node)) is not None:
            names.add(alias[0])
        elif isinstance(node, ast.NamedExpr):
            names.add(node.target.id)
        elif (isinstance(node, ast.MatchAs | ast.MatchStar) and node.name) or (
            isinstance(node, ast.ExceptHandler) and node.name
        ):
            names.add(node.name)
    return names & statement.facts.writes.keys()


def _renamed(unit: Unit) -> Piece:
    """The unit's text, under its own name where an earlier version has the name already."""
    piece = unit.statement.piece
    code = piece.code
    for old, new in unit.renamed.items():
        heads = (f"{word} {old}{mark}" for word in ("def", "class", "type") for mark in "([: ")
        for before in (*heads, f"{old} =", f"{old}:"):
            if before in code:
                code = code.replace(before, before.replace(old, new, 1), 1)
                break
    return Piece(piece.cell, code, piece.lines)
