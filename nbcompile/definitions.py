"""Definitions: what travels as code, and so belongs in the package's shared module.

Functions, classes and imports travel as source, values as artifacts. A definition can travel when
nothing it needs at its making is a step's or a parameter's value, and its name is bound once.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

from nbcompile.freenames import imported_name, target_names
from nbcompile.generics import type_alias
from nbcompile.segments import Segment, Statement
from nbcompile.walking import walk

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(slots=True)
class Unit:
    """A statement that lives in the shared module."""

    statement: Statement
    names: tuple[str, ...]
    #: names it reads when the module is imported, and when its functions are called
    eager: tuple[str, ...]
    lazy: tuple[str, ...]
    #: setup is always there; definitions only where a step uses them
    always: bool = False
    #: a later version of a name gets a name of its own there: `clean` → `clean_2`
    renamed: dict[str, str] = field(default_factory=dict)
    #: the step whose cell it was taken out of
    step: str = ""


def unit_of(statement: Statement, step: str = "", always: bool = False) -> Unit:
    """The unit that a statement would be."""
    lazy = [*statement.facts.lazy, *statement.facts.lazy_writes]
    return Unit(
        statement,
        tuple(statement.facts.writes),
        tuple(statement.facts.reads),
        tuple(dict.fromkeys(lazy)),
        always,
        step=step,
    )


def definition_node(statement: Statement) -> ast.AST | None:
    """The function, class, lambda or type that a statement gives a name; None where it is none."""
    node = statement.node
    if isinstance(node, _DEFINITIONS) or type_alias(node) is not None:
        return node
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
        return node.value if all(isinstance(t, ast.Name) for t in node.targets) else None
    return None


def is_import(statement: Statement) -> bool:
    """Whether a statement is a plain import."""
    return isinstance(statement.node, ast.Import | ast.ImportFrom)


def is_constant(statement: Statement) -> bool:
    """Whether a statement binds names to literals and nothing else."""
    node = statement.node
    if isinstance(node, ast.Assign):
        names = all(_only_names(target) for target in node.targets)
        return names and is_literal(node.value)
    if isinstance(node, ast.AnnAssign):
        plain = isinstance(node.target, ast.Name) and node.value is not None
        return plain and is_literal(node.value)
    return False


def is_lock(statement: Statement) -> bool:
    """Whether a statement makes a lock: each process makes its own, so it travels as code."""
    node = statement.node
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
        return False
    made = node.value.func
    name = made.attr if isinstance(made, ast.Attribute) else getattr(made, "id", "")
    plain = all(is_literal(a) for a in [*node.value.args, *(k.value for k in node.value.keywords)])
    return (
        name in ("Lock", "RLock", "Semaphore", "BoundedSemaphore")
        and plain
        and all(isinstance(target, ast.Name) for target in node.targets)
    )


def is_conditional_definition(statement: Statement) -> bool:
    """Whether an `if` or `try` at top level only imports, defines or sets constants."""
    node = statement.node
    if not isinstance(node, ast.If | ast.Try):
        return False
    inner = list(_leaves([node]))
    return all(_defines(leaf) for leaf in inner) and any(
        isinstance(leaf, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef)
        for leaf in inner
    )


def passing_names(statement: Statement) -> set[str]:
    """Names that a statement binds only as a loop's target or by `with … as`."""
    passing: set[str] = set()
    lasting: set[str] = set()
    targets: set[int] = set()
    for node in walk(statement.node):
        places: list[ast.expr] = []
        if isinstance(node, ast.For | ast.AsyncFor):
            places = [node.target]
        elif isinstance(node, ast.With | ast.AsyncWith):
            places = [i.optional_vars for i in node.items if i.optional_vars is not None]
        for place in places:
            for name in target_names(place):
                passing.add(name.id)
                targets.add(id(name))
        if isinstance(node, ast.ExceptHandler) and node.name:
            passing.add(node.name)
    for node in walk(statement.node):
        if (
            isinstance(node, ast.Name)
            and isinstance(node.ctx, ast.Store)
            and id(node) not in targets
        ):
            lasting.add(node.id)
    return passing - lasting


def import_texts(node: ast.Import | ast.ImportFrom) -> dict[str, str]:
    """Each name that an import binds, with the import statement for it alone."""
    texts = {}
    for alias in node.names:
        if alias.name == "*":
            continue
        renamed = f" as {alias.asname}" if alias.asname else ""
        if isinstance(node, ast.ImportFrom):
            source = "." * node.level + (node.module or "")
            text = f"from {source} import {alias.name}{renamed}"
        else:
            text = f"import {alias.name}{renamed}"
        texts[imported_name(alias)] = text
    return texts


def is_literal(node: ast.expr | None) -> bool:
    """Whether an expression is made of constants only."""
    match node:
        case ast.Constant():
            return True
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            return all(is_literal(part) for part in parts)
        case ast.Dict(keys=keys, values=values):
            return all(is_literal(part) for part in [*keys, *values])
        case ast.UnaryOp(operand=operand):
            return is_literal(operand)
        case ast.BinOp(left=left, right=right):
            return is_literal(left) and is_literal(right)
    return False


def travelling(segments: Iterable[Segment]) -> set[int]:
    """Statements of steps that can and should travel, by index, as far as names alone tell.

    A class travels always, a function where another step or a travelling definition uses it or
    where it declares a name `global`. Whether what it needs at its making is at hand is checked
    when names are resolved.
    """
    segments = tuple(segments)
    binders = _binders(segments)
    users = _users(segments)
    candidates: dict[int, tuple[Statement, str]] = {}
    for segment in segments:
        for statement in segment.statements if segment.kind == "step" else ():
            names = statement.facts.writes
            if not names or not _may_travel(statement):
                continue
            if all(binders.get(name, 0) == 1 for name in names):
                candidates[statement.index] = (statement, segment.step)
    chosen: set[int] = set()
    wanted: set[str] = set()
    while True:
        more = {
            index
            for index, (statement, step) in candidates.items()
            if index not in chosen and _should_travel(statement, step, users, wanted)
        }
        if not more:
            return chosen
        chosen |= more
        for index in more:
            facts = candidates[index][0].facts
            wanted |= facts.lazy.keys() | facts.reads.keys()


def _may_travel(statement: Statement) -> bool:
    if is_conditional_definition(statement) or is_lock(statement):
        return True
    return definition_node(statement) is not None


def _should_travel(
    statement: Statement, step: str, users: dict[str, set[str]], wanted: set[str]
) -> bool:
    names = statement.facts.writes
    if isinstance(statement.node, ast.ClassDef) or statement.facts.lazy_writes:
        return True
    if is_conditional_definition(statement):
        return True
    return any(users.get(name, set()) - {step} or name in wanted for name in names)


def _users(segments: tuple[Segment, ...]) -> dict[str, set[str]]:
    """Who reads each name: a step's name, or a text of its own for other cells."""
    users: dict[str, set[str]] = {}
    for segment in segments:
        owner = segment.step or f"cell {segment.cell}"
        every = [*segment.statements]
        every += [e for e in (segment.foreach, segment.when) if e is not None]
        for statement in every:
            if segment.kind == "untagged" and definition_node(statement) is None:
                continue
            for name in (*statement.facts.reads, *statement.facts.lazy):
                users.setdefault(name, set()).add(owner)
    return users


def _binders(segments: tuple[Segment, ...]) -> dict[str, int]:
    """How many statements bind each name, those of analysis cells aside."""
    count: dict[str, int] = {}
    for segment in segments:
        for statement in segment.statements:
            if segment.kind == "untagged" and not (
                is_import(statement) or is_constant(statement) or _may_travel(statement)
            ):
                continue
            for name in {*statement.facts.writes, *statement.facts.deletes}:
                count[name] = count.get(name, 0) + 1
            for name in statement.facts.lazy_writes:
                count[name] = count.get(name, 0) + 1
        foreach = segment.merged.foreach if segment.merged is not None else None
        for name in foreach.targets if foreach is not None else ():
            count[name] = count.get(name, 0) + 1
    return count


def _only_names(target: ast.expr) -> bool:
    if isinstance(target, ast.Tuple | ast.List):
        return all(_only_names(part) for part in target.elts)
    return isinstance(target, ast.Name)


def _leaves(nodes: Iterable[ast.AST]) -> Iterable[ast.stmt]:
    for node in nodes:
        if isinstance(node, ast.If):
            yield from _leaves([*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            handlers = [inner for handler in node.handlers for inner in handler.body]
            yield from _leaves([*node.body, *handlers, *node.orelse, *node.finalbody])
        elif isinstance(node, ast.stmt):
            yield node


def _defines(node: ast.stmt) -> bool:
    if isinstance(node, (ast.Import, ast.ImportFrom, ast.Pass, ast.Raise, *_DEFINITIONS)):
        return True
    if type_alias(node) is not None:
        return True
    if isinstance(node, ast.Assign):
        return all(isinstance(t, ast.Name) for t in node.targets) and is_literal(node.value)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
