"""Scopes: which names a statement reads, binds and deletes, by Python's own scoping rules.

Everything here is about one top-level statement of a cell. Eager reads happen when the statement
runs; lazy reads happen when a function that the statement makes is called.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
#: The names a statement binds for certain when control never reaches its end.
_EVERYTHING = frozenset({"*"})


@dataclass(slots=True)
class Facts:
    """What one statement does to the names of its cell."""

    #: eager reads that no binding inside the statement surely precedes: name → first place
    reads: dict[str, ast.AST] = field(default_factory=dict)
    #: bindings: name → whether it is bound whenever the statement ends
    writes: dict[str, bool] = field(default_factory=dict)
    deletes: set[str] = field(default_factory=set)
    #: reads inside functions that the statement makes: name → first place
    lazy: dict[str, ast.AST] = field(default_factory=dict)
    #: names that such functions bind through `global`
    lazy_writes: dict[str, ast.AST] = field(default_factory=dict)
    #: the statement awaits outside any function
    awaits: bool = False


def statement_facts(node: ast.stmt) -> Facts:
    """The facts of one top-level statement."""
    scan = _Scan()
    scan.block([node])
    definite = scan.definite
    facts = scan.facts
    for name in facts.writes:
        facts.writes[name] = name in definite or "*" in definite
    return facts


def free_names(node: Function | ast.ClassDef) -> tuple[dict[str, ast.AST], dict[str, ast.AST]]:
    """Names that a function or class reads, and binds by `global`, when it is called.

    Default values, decorators, bases and class bodies run at the definition and do not count.
    """
    facts = Facts()
    if isinstance(node, ast.ClassDef):
        for inner in _functions_in(node.body):
            _collect_lazy(inner, frozenset(), facts)
    else:
        _collect_lazy(node, frozenset(), facts)
    return facts.lazy, facts.lazy_writes


def bound_names(nodes: Iterable[ast.AST]) -> set[str]:
    """All names bound anywhere in a block of one scope."""
    names: set[str] = set()
    for node in nodes:
        for name, _ in _bindings(node):
            names.add(name)
    return names


def target_names(target: ast.expr) -> Iterator[ast.Name]:
    """The names that an assignment target binds."""
    if isinstance(target, ast.Name):
        yield target
    elif isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            yield from target_names(element)
    elif isinstance(target, ast.Starred):
        yield from target_names(target.value)


def pattern_names(pattern: ast.pattern) -> Iterator[tuple[str, ast.AST]]:
    """The names that a `case` pattern captures."""
    for node in ast.walk(pattern):
        if isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name, node
        elif isinstance(node, ast.MatchMapping) and node.rest:
            yield node.rest, node


def imported_name(alias: ast.alias) -> str:
    """The name that one part of an import statement binds."""
    return alias.asname or alias.name.split(".")[0]


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Bindings in `node`, without descending into nested scopes."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name, node
        return
    if isinstance(node, ast.Lambda):
        return
    if isinstance(node, _COMPREHENSIONS):
        # only a walrus inside a comprehension binds outside of it
        for inner in ast.walk(node):
            if isinstance(inner, ast.NamedExpr):
                yield inner.target.id, inner
        return
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id, node
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            if alias.name != "*":
                yield imported_name(alias), node
    elif isinstance(node, ast.ExceptHandler) and node.name:
        yield node.name, node
    elif isinstance(node, ast.match_case):
        yield from pattern_names(node.pattern)
    if isinstance(node, ast.AnnAssign) and node.value is None:
        return
    for child in ast.iter_child_nodes(node):
        yield from _bindings(child)


def _functions_in(nodes: Iterable[ast.AST]) -> Iterator[Function]:
    """The outermost functions inside nodes, class bodies being looked through."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node
        else:
            yield from _functions_in(ast.iter_child_nodes(node))


def _arguments(node: Function) -> set[str]:
    spec = node.args
    every = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
    every += [extra for extra in (spec.vararg, spec.kwarg) if extra is not None]
    return {argument.arg for argument in every}


def _collect_lazy(node: Function, outer: frozenset[str], facts: Facts) -> None:
    """Add what a function reads from module level when called; `outer` are enclosing locals."""
    body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
    declared: set[str] = set()
    nonlocal_: set[str] = set()
    for inner in _same_scope(body):
        if isinstance(inner, ast.Global):
            declared.update(inner.names)
        elif isinstance(inner, ast.Nonlocal):
            nonlocal_.update(inner.names)
    _collect_string_annotations(node, outer, facts)
    stored = bound_names(body)
    local = ((stored | _arguments(node)) - declared) | nonlocal_
    visible = frozenset((outer - declared) | local)
    for name, place in ((n, p) for statement in body for n, p in _bindings(statement)):
        if name in declared:
            facts.lazy_writes.setdefault(name, place)
    _collect_reads(body, visible, facts)


def _collect_string_annotations(node: Function, outer: frozenset[str], facts: Facts) -> None:
    """Names in quoted annotations, which `typing.get_type_hints` looks up later."""
    if isinstance(node, ast.Lambda):
        return
    spec = node.args
    every = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
    quoted = [a.annotation for a in every] + [node.returns]
    for annotation in quoted:
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            try:
                tree = ast.parse(annotation.value, mode="eval")
            except SyntaxError:
                continue
            _collect_reads([tree.body], outer, facts)


def _same_scope(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    for node in nodes:
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield from _same_scope(ast.iter_child_nodes(node))


def _collect_reads(nodes: Iterable[ast.AST], visible: frozenset[str], facts: Facts) -> None:
    for node in nodes:
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Store) and node.id not in visible:
                facts.lazy.setdefault(node.id, node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            _collect_reads(_definition_time(node), visible, facts)
            _collect_lazy(node, visible, facts)
        elif isinstance(node, ast.ClassDef):
            _collect_reads(_definition_time(node), visible, facts)
            _collect_class(node, visible, facts)
        elif isinstance(node, _COMPREHENSIONS):
            inner = visible | {
                name.id for part in node.generators for name in target_names(part.target)
            }
            _collect_reads([node.generators[0].iter], visible, facts)
            rest = [child for child in ast.iter_child_nodes(node) if child not in node.generators]
            _collect_reads(rest, frozenset(inner), facts)
            for number, part in enumerate(node.generators):
                parts = [*part.ifs, *([part.iter] if number else [])]
                _collect_reads(parts, frozenset(inner), facts)
        else:
            if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                if node.target.id not in visible:
                    facts.lazy.setdefault(node.target.id, node.target)
            facts_from_strings(node, visible, facts.lazy)
            _collect_reads(ast.iter_child_nodes(node), visible, facts)


def _collect_class(node: ast.ClassDef, visible: frozenset[str], facts: Facts) -> None:
    """A class inside a function: its body sees its own names, its methods do not."""
    own = frozenset(bound_names(node.body))
    for statement in node.body:
        for inner in _same_scope([statement]):
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                _collect_reads(_definition_time(inner), visible | own, facts)
                _collect_lazy(inner, visible, facts)
            elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load):
                if inner.id not in visible | own:
                    facts.lazy.setdefault(inner.id, inner)


def _definition_time(node: Function | ast.ClassDef) -> list[ast.AST]:
    """The parts of a definition that run when it is made."""
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *(k.value for k in node.keywords)]
    spec = node.args
    parts: list[ast.AST] = [*spec.defaults, *(d for d in spec.kw_defaults if d is not None)]
    if not isinstance(node, ast.Lambda):
        parts += node.decorator_list
        every = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
        every += [extra for extra in (spec.vararg, spec.kwarg) if extra is not None]
        parts += [a.annotation for a in every if a.annotation is not None]
        if node.returns is not None:
            parts.append(node.returns)
    return parts


def facts_from_strings(node: ast.AST, visible: frozenset[str], into: dict[str, ast.AST]) -> None:
    """Names that a string passed to `df.query`, `df.eval` or `eval` reads."""
    if not isinstance(node, ast.Call) or not node.args:
        return
    text = "".join(
        part.value
        for part in ast.walk(node.args[0])
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("query", "eval"):
        for piece in text.split("@")[1:]:
            name = ""
            for character in piece:
                if not (name + character).isidentifier():
                    break
                name += character
            if name and name not in visible:
                into.setdefault(name, node)
    elif isinstance(node.func, ast.Name) and node.func.id == "eval":
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except SyntaxError:
            return
        facts = Facts()
        _collect_reads([tree.body], visible, facts)
        for name in facts.lazy:
            into.setdefault(name, node)


class _Scan:
    """Walks a block at module level in the order of execution."""

    def __init__(self) -> None:
        self.facts = Facts()
        self.definite: frozenset[str] = frozenset()

    def block(self, nodes: Iterable[ast.stmt]) -> None:
        for node in nodes:
            self.statement(node)

    # -- statements ---------------------------------------------------------------------------
    def statement(self, node: ast.stmt) -> None:
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is not None:
            method(node)
        else:
            self.expressions(ast.iter_child_nodes(node))

    def _assign(self, node: ast.Assign) -> None:
        self.read(node.value)
        for target in node.targets:
            self.target(target)

    def _annassign(self, node: ast.AnnAssign) -> None:
        self.read(node.annotation)
        if node.value is not None:
            self.read(node.value)
            self.target(node.target)
        elif not isinstance(node.target, ast.Name):
            self.target(node.target)

    def _augassign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.name_read(node.target.id, node.target)
        else:
            self.target(node.target)
        self.read(node.value)
        if isinstance(node.target, ast.Name):
            self.write(node.target.id)

    def _functiondef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.expressions(_definition_time(node))
        _collect_lazy(node, frozenset(), self.facts)
        self.write(node.name)

    _asyncfunctiondef = _functiondef

    def _classdef(self, node: ast.ClassDef) -> None:
        self.expressions(_definition_time(node))
        body = _Scan()
        body.block(node.body)
        for name, place in body.facts.reads.items():
            self.name_read(name, place)
        for inner in _functions_in(node.body):
            _collect_lazy(inner, frozenset(), self.facts)
        self.write(node.name)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name != "*":
                self.write(imported_name(alias))

    _importfrom = _import

    def _if(self, node: ast.If) -> None:
        self.read(node.test)
        self.branches(node.body, node.orelse)

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        self.facts.awaits |= isinstance(node, ast.AsyncFor)
        self.read(node.iter)
        before = self.definite
        self.target(node.target)
        self.block(node.body)
        self.definite = before
        self.block(node.orelse)
        self.definite = before

    _asyncfor = _for

    def _while(self, node: ast.While) -> None:
        self.read(node.test)
        before = self.definite
        self.block(node.body)
        endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        self.definite = self.definite - _EVERYTHING if endless else before
        self.block(node.orelse)
        if not endless:
            self.definite = before

    def _try(self, node: ast.Try) -> None:
        before = self.definite
        self.block(node.body)
        self.block(node.orelse)
        ends = [self.definite]
        for handler in node.handlers:
            self.definite = before
            if handler.type is not None:
                self.read(handler.type)
            if handler.name:
                self.facts.writes.setdefault(handler.name, False)
                self.definite |= {handler.name}
            self.block(handler.body)
            if handler.name:
                self.definite -= {handler.name}
                self.facts.deletes.add(handler.name)
            ends.append(self.definite)
        self.definite = _meet(ends)
        self.block(node.finalbody)

    _trystar = _try

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        self.facts.awaits |= isinstance(node, ast.AsyncWith)
        for item in node.items:
            self.read(item.context_expr)
            if item.optional_vars is not None:
                self.target(item.optional_vars)
        self.block(node.body)

    _asyncwith = _with

    def _match(self, node: ast.Match) -> None:
        self.read(node.subject)
        before = self.definite
        ends = []
        irrefutable = False
        for case in node.cases:
            self.definite = before
            self.expressions(n for n in ast.walk(case.pattern) if isinstance(n, ast.expr))
            for name, _ in pattern_names(case.pattern):
                self.write(name)
            if case.guard is not None:
                self.read(case.guard)
            self.block(case.body)
            ends.append(self.definite)
            irrefutable |= (
                case.guard is None
                and isinstance(case.pattern, ast.MatchAs)
                and case.pattern.pattern is None
            )
        self.definite = _meet(ends if irrefutable else [*ends, before])

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.name_read(target.id, target)
                self.facts.deletes.add(target.id)
                self.definite -= {target.id}
            else:
                self.read(target)

    def _raise(self, node: ast.Raise) -> None:
        self.expressions(ast.iter_child_nodes(node))
        self.definite |= _EVERYTHING

    def _continue(self, node: ast.Continue | ast.Break) -> None:
        self.definite |= _EVERYTHING

    _break = _continue

    def branches(self, *blocks: list[ast.stmt]) -> None:
        before = self.definite
        ends = []
        for block in blocks:
            self.definite = before
            self.block(block)
            ends.append(self.definite)
        self.definite = _meet(ends)

    # -- expressions --------------------------------------------------------------------------
    def expressions(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            if isinstance(node, ast.stmt):
                self.statement(node)
            else:
                self.read(node)

    def read(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Store):
                self.name_read(node.id, node)
        elif isinstance(node, ast.Lambda):
            self.expressions(_definition_time(node))
            _collect_lazy(node, frozenset(), self.facts)
        elif isinstance(node, _COMPREHENSIONS):
            self.comprehension(node)
        elif isinstance(node, ast.NamedExpr):
            self.read(node.value)
            self.write(node.target.id)
        elif isinstance(node, ast.BoolOp):
            self.read(node.values[0])
            before = self.definite
            self.expressions(node.values[1:])
            self.definite = before
        elif isinstance(node, ast.IfExp):
            self.read(node.test)
            before = self.definite
            self.expressions([node.body, node.orelse])
            self.definite = before
        else:
            self.facts.awaits |= isinstance(node, ast.Await)
            found: dict[str, ast.AST] = {}
            facts_from_strings(node, frozenset(), found)
            for name, place in found.items():
                self.name_read(name, place)
            self.expressions(ast.iter_child_nodes(node))

    def comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
    ) -> None:
        self.read(node.generators[0].iter)
        self.facts.awaits |= any(part.is_async for part in node.generators)
        inner = Facts()
        _collect_reads([node], frozenset(), inner)
        for name, place in inner.lazy.items():
            self.name_read(name, place)
        for child in ast.walk(node):
            if isinstance(child, ast.NamedExpr):
                self.facts.writes.setdefault(child.target.id, False)
            self.facts.awaits |= isinstance(child, ast.Await)

    def target(self, node: ast.expr) -> None:
        if isinstance(node, ast.Name):
            self.write(node.id)
        elif isinstance(node, ast.Tuple | ast.List):
            for element in node.elts:
                self.target(element)
        elif isinstance(node, ast.Starred):
            self.target(node.value)
        else:
            self.expressions(ast.iter_child_nodes(node))

    def name_read(self, name: str, node: ast.AST) -> None:
        if name not in self.definite:
            self.facts.reads.setdefault(name, node)

    def write(self, name: str) -> None:
        self.facts.writes.setdefault(name, False)
        self.facts.deletes.discard(name)
        self.definite |= {name}


def _meet(ends: list[frozenset[str]]) -> frozenset[str]:
    """What is bound on every path that goes on; a path that ends binds everything, vacuously."""
    going = [end for end in ends if "*" not in end]
    if not going:
        return frozenset().union(*ends)
    meet = going[0]
    for end in going[1:]:
        meet &= end
    return meet
