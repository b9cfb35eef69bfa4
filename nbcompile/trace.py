"""Traces: the notebook executed abstractly once, and what each statement was seen to do.

The trace knows nothing of steps' boundaries; `nbcompile.resolve` draws the conclusions.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

from nbcompile.ambient import Effect, calls_setter, dotted, effects, is_option_setting, warned_calls
from nbcompile.files import literal_files
from nbcompile.frames import Change, Code, Definition
from nbcompile.freenames import free_names
from nbcompile.heap import Value
from nbcompile.interpret import Interpreter
from nbcompile.scopes import statement_facts
from nbcompile.segments import Segment, Statement


@dataclass(frozen=True, slots=True)
class Late:
    """A name that a called function reads, or binds by `global`, at module level."""

    name: str
    function: Definition
    writes: bool


@dataclass(slots=True)
class Trace:
    """What one statement did."""

    #: names whose value it changed in place
    changed: dict[str, Change] = field(default_factory=dict)
    #: what functions that it may call read and bind at module level
    late: tuple[Late, ...] = ()
    #: functions that it may call
    called: tuple[Definition, ...] = ()
    #: names it bound to something that lives in one process, and what that is
    bound: dict[str, str] = field(default_factory=dict)
    effects: tuple[tuple[str, Effect, ast.AST], ...] = ()
    #: the statement does nothing but set an option of an imported module
    sets_option: bool = False
    warned: tuple[tuple[str, ast.AST], ...] = ()
    #: files with literal names that the statement reads / writes
    reads_files: tuple[str, ...] = ()
    writes_files: tuple[str, ...] = ()


@dataclass(slots=True)
class Traces:
    """The whole notebook's traces, by statement and by segment."""

    statements: dict[int, Trace]
    #: after each segment: groups of names that share objects, and those objects
    shared: list[list[tuple[frozenset[str], frozenset[int]]]]
    #: objects changed in each segment
    changes: list[frozenset[int]]


def trace(segments: Iterable[Segment]) -> Traces:
    """Execute the segments in order."""
    machine = Interpreter()
    result = Traces({}, [], [])
    fanned: set[str] = set()
    for segment in segments:
        for expression in (segment.foreach, segment.when):
            if expression is not None:
                result.statements[expression.index], _ = _trace_statement(machine, expression)
        if segment.merged is not None and (segment.foreach or segment.merged.options.each):
            fanned.add(segment.step)
        _bind_targets(machine, segment)
        changed_objects: set[int] = set()
        written: set[str] = set()
        for statement in segment.statements:
            one, objects = _trace_statement(machine, statement)
            result.statements[statement.index] = one
            changed_objects |= objects
            written |= statement.facts.writes.keys() | one.changed.keys()
        result.shared.append(_sharing(machine, written))
        result.changes.append(frozenset(changed_objects))
        if segment.step in fanned:
            # the fan-out's name stands for all that its branches hold
            inside = [machine.value(name) for name in written]
            code = frozenset(c for value in inside for c in machine.heap.codes(value))
            branches = machine.heap.new((o for v in inside for o in v.own), code, plain=True)
            machine.bind(segment.step, Value(frozenset({branches})))
    return result


def _bind_targets(machine: Interpreter, segment: Segment) -> None:
    raw = segment.merged.foreach if segment.merged else None
    if raw is None or segment.foreach is None:
        return
    assert isinstance(segment.foreach.node, ast.Expr)
    items = machine.evaluate(segment.foreach.node.value, machine.top)
    target = ast.parse(f"{raw.target} = 0").body[0]
    assert isinstance(target, ast.Assign)
    machine.assign(target.targets[0], machine.element(items), machine.top, None)


def _trace_statement(machine: Interpreter, statement: Statement) -> tuple[Trace, set[int]]:
    facts = statement.facts
    touched = [*facts.reads, *facts.lazy]
    codes = [code for name in touched for code in machine.reachable_code(name)]
    late, called = _called(machine, codes)
    changed = machine.run(statement.node)
    _note_alias(machine, statement.node)
    names = machine.affected(changed) if changed else set()
    by_name: dict[str, Change] = {}
    for name in sorted(names):
        value = machine.value(name)
        places = [c for o, c in changed.items() if o in machine.heap.reach(value.own)]
        if places:
            by_name[name] = next((c for c in places if c.sure), places[0])
    bound = {
        name: machine.value(name).kind.removeprefix("bound ")
        for name in facts.writes
        if machine.value(name).kind.startswith("bound ")
    }
    bodies = [statement.node, *called] if not _is_definition(statement.node) else []
    touches = [found for node in bodies for found in effects(node, machine.modules)]
    return (
        Trace(
            by_name,
            late,
            called,
            bound,
            tuple(touches),
            is_option_setting(statement.node, machine.modules)
            or calls_setter(statement.node, called, machine.modules),
            tuple(warned_calls(statement.node, machine.modules)),
            *literal_files(bodies, machine.modules),
        ),
        set(changed),
    )


def _note_alias(machine: Interpreter, node: ast.stmt) -> None:
    """`rng = np.random`, `draw = random.random`: a name of ours for what draws."""
    if not isinstance(node, ast.Assign):
        return
    full = dotted(node.value, machine.modules) or ""
    for target in node.targets:
        if isinstance(target, ast.Name):
            machine.modules.pop(target.id, None)
            if full == "random" or full.startswith(("random.", "numpy.random")):
                machine.modules[target.id] = full


def _is_definition(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def _called(
    machine: Interpreter, codes: Iterable[Code]
) -> tuple[tuple[Late, ...], tuple[Definition, ...]]:
    """All functions that may be called from these, and the module-level names they use."""
    todo = [code.origin or code.node for code in codes]
    seen: dict[int, Definition] = {}
    late: dict[tuple[str, int, bool], Late] = {}
    while todo:
        node = todo.pop()
        if id(node) in seen:
            continue
        seen[id(node)] = node
        lazy, writes = _names_of(machine, node)
        for name in lazy:
            late.setdefault((name, id(node), False), Late(name, node, False))
            todo += [code.origin or code.node for code in machine.reachable_code(name)]
        for name in writes:
            late.setdefault((name, id(node), True), Late(name, node, True))
        if isinstance(node, ast.ClassDef):
            for base in node.bases:
                if isinstance(base, ast.Name):
                    todo += [c.origin or c.node for c in machine.reachable_code(base.id)]
    return tuple(late.values()), tuple(seen.values())


def _names_of(machine: Interpreter, node: Definition) -> tuple[list[str], list[str]]:
    known = machine.free.get(id(node))
    if known is None:
        lazy, writes = free_names(node)
        if not isinstance(node, ast.Lambda):
            # a class's own bases and decorators count as used with it
            lazy = {**lazy, **dict.fromkeys(statement_facts(node).reads, node)}
        known = (list(lazy), list(writes))
        machine.free[id(node)] = known
    return known


def _sharing(
    machine: Interpreter, written: set[str]
) -> list[tuple[frozenset[str], frozenset[int]]]:
    """Groups of names that share objects with a name written here."""
    groups = []
    for name in sorted(written):
        own = machine.value(name).own
        if not own:
            continue
        objects = machine.heap.reach(own)
        names = frozenset(machine.affected(objects))
        if len(names) > 1:
            groups.append((names, objects))
    return groups
