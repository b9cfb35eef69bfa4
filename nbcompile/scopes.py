"""Scopes: which names a statement reads, binds and deletes, by Python's own scoping rules.

Everything here is about one top-level statement of a cell. Eager reads happen when the statement
runs; lazy reads happen when a function that the statement makes is called.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from nbcompile.freenames import (
    COMPREHENSIONS,
    Facts,
    annotations_of,
    collect_lazy,
    collect_reads,
    definition_time,
    facts_from_strings,
    imported_name,
    pattern_names,
)
from nbcompile.generics import alias_parts, type_alias, type_bounds, type_parameters
from nbcompile.walking import walk

#: The names a statement binds for certain when control never reaches its end.
_EVERYTHING = frozenset({"*"})


def statement_facts(node: ast.stmt, postponed: bool = False) -> Facts:
    """The facts of one top-level statement; annotations are not evaluated where ``postponed``."""
    scan = _Scan(postponed)
    scan.block([node])
    definite = scan.definite
    facts = scan.facts
    for name in facts.writes:
        facts.writes[name] = name in definite or "*" in definite
    return facts


class _Scan:
    """Walks a block at module level in the order of execution."""

    def __init__(self, postponed: bool = False, types: frozenset[str] = frozenset()) -> None:
        self.postponed = postponed
        #: the type parameters of the classes around
        self.types = types
        self.facts = Facts()
        self.definite = types
        #: how many loops, and blocks whose errors are caught, stand around
        self.guards = 0

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
        self.annotations([node.annotation])
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
        self.expressions(definition_time(node))
        self.annotations(annotations_of(node), type_parameters(node))
        collect_reads(type_bounds(node), self.types | type_parameters(node), self.facts)
        collect_lazy(node, self.types, self.facts)
        self.write(node.name)

    _asyncfunctiondef = _functiondef

    def _classdef(self, node: ast.ClassDef) -> None:
        with self.known(type_parameters(node)):
            self.expressions(definition_time(node))
        collect_reads(type_bounds(node), self.types | type_parameters(node), self.facts)
        body = _Scan(self.postponed, self.types | type_parameters(node))
        body.block(node.body)
        for name, place in body.facts.reads.items():
            self.name_read(name, place)
        self.facts.lazy.update(body.facts.lazy)
        self.write(node.name)

    def _typealias(self, node: ast.stmt) -> None:
        alias = type_alias(node)
        assert alias is not None
        collect_reads(alias_parts(node), self.types | type_parameters(node), self.facts)
        self.write(alias[0])

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
        self.guarded(node.body)
        self.definite = before
        self.block(node.orelse)
        self.definite = before

    _asyncfor = _for

    def _while(self, node: ast.While) -> None:
        self.read(node.test)
        before = self.definite
        self.guarded(node.body)
        endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        self.definite = self.definite - _EVERYTHING if endless else before
        self.block(node.orelse)
        if not endless:
            self.definite = before

    def _try(self, node: ast.Try) -> None:
        before = self.definite
        self.guarded(node.body)
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
            self.expressions(n for n in walk(case.pattern) if isinstance(n, ast.expr))
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

    def guarded(self, nodes: list[ast.stmt]) -> None:
        self.guards += 1
        self.block(nodes)
        self.guards -= 1

    def branches(self, *blocks: list[ast.stmt]) -> None:
        before = self.definite
        ends = []
        for block in blocks:
            self.definite = before
            self.block(block)
            ends.append(self.definite)
        self.definite = _meet(ends)

    @contextmanager
    def known(self, names: frozenset[str]) -> Iterator[None]:
        """While something is looked at where these names are bound besides."""
        added = names - self.definite
        self.definite |= added
        yield
        self.definite -= added

    # -- expressions --------------------------------------------------------------------------
    def annotations(self, nodes: Iterable[ast.AST], types: frozenset[str] = frozenset()) -> None:
        if self.postponed:
            collect_reads(nodes, self.types | types, self.facts)
        else:
            with self.known(types):
                self.expressions(nodes)

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
            self.expressions(definition_time(node))
            collect_lazy(node, self.types, self.facts)
        elif isinstance(node, COMPREHENSIONS):
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
        bound = {c.target.id for c in walk(node) if isinstance(c, ast.NamedExpr)}
        collect_reads([node], frozenset(bound), inner)
        for name, place in inner.lazy.items():
            self.name_read(name, place)
        for child in walk(node):
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
            if name not in self.facts.reads and (self.guards or name in self.facts.writes):
                self.facts.guarded.add(name)
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
