"""Renaming: a cell's code made to mean the same when it stands inside a function of a module.

Shared names become attributes of `common`; `global` in an inner function becomes `nonlocal`;
`__name__` and `__doc__` stay the notebook's; star and future imports go to the head of the module;
a class body that reads a variable before binding one of that name (`n = n`) reads the step's one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nbcompile.emit.edits import Edit, apply_edits, edit_of, text_between
from nbcompile.emit.names import (
    arguments,
    bindings,
    definition_time,
    own_nodes,
    read_before_bound,
)
from nbcompile.flow import Piece
from nbcompile.generics import alias_parts, type_alias, type_bounds, type_parameters

#: the function that binds a shared name inside an expression
SHARE = "_share"
#: what IPython binds these to in a notebook
_NOTEBOOKS = {
    "__name__": '"__main__"',
    "__doc__": '"Automatically created module for IPython interactive environment"',
}
_TRIGGERS = ("global ", *_NOTEBOOKS, "import *", "__future__", "class ")


@dataclass(frozen=True, slots=True)
class Setting:
    """Where code is to stand: in a function with these variables, or in `common` itself."""

    #: names that live in `common`, and how the module calls that
    shared: frozenset[str] = frozenset()
    common: str = "common"
    #: variables of the function
    variables: frozenset[str] = frozenset()
    at_top: bool = False


def needs_adapting(code: str, shared: frozenset[str] = frozenset()) -> bool:
    """Whether `adapt` may change the code at all."""
    return bool(shared) or any(trigger in code for trigger in _TRIGGERS)


def adapt(piece: Piece, tree: ast.Module, setting: Setting) -> tuple[Piece, tuple[str, ...]]:
    """The piece made fit for its place, and the imports that move to the module's head."""
    adapter = _Adapter(setting, piece.code)
    adapter.suite(tree.body, frozenset(), top=True)
    if not adapter.edits:
        return piece, ()
    code, lines = apply_edits(piece.code, adapter.edits, piece.lines)
    return Piece(piece.cell, code, lines), tuple(adapter.imports)


def declared_global(tree: ast.Module) -> set[str]:
    """The names that inner functions declare `global`."""
    return {
        name
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Global)
        for name in node.names
    }


class _Adapter:
    """Walks the code with the names that inner scopes hide, and collects edits."""

    def __init__(self, setting: Setting, code: str) -> None:
        self.setting = setting
        self.code = code
        self.shared = setting.shared
        self.common = setting.common
        self.at_top = setting.at_top
        #: names of the class body that is walked through: functions in it do not see them
        self.class_names: frozenset[str] = frozenset()
        #: how many functions and classes are around
        self.depth = 0
        self.edits: list[Edit] = []
        self.imports: list[str] = []

    def suite(self, body: list[ast.stmt], hidden: frozenset[str], top: bool = False) -> None:
        for statement in body:
            self.visit(statement, hidden, alone=len(body) == 1 and not top)

    def visit(self, node: ast.AST, hidden: frozenset[str], alone: bool = False) -> None:
        match node:
            case ast.Name(id=name):
                self._name(node, name, hidden)
            case ast.Global():
                self._global(node, alone)
            case ast.ImportFrom(module=module, names=names) if self._moves(node):
                written = ", ".join(alias.name for alias in names)
                self.imports.append(f"from {'.' * node.level}{module or ''} import {written}")
                self._replace(node, "pass" if alone else "")
            case ast.NamedExpr(target=ast.Name(id=name)) if self._is_shared(name, hidden):
                self._walrus(node)
                self.visit(node.value, hidden)
            case ast.ExceptHandler(name=str(name)):
                self._inner(node, hidden)
                self._capture(node.body, {name}, hidden)
            case ast.match_case():
                self._inner(node, hidden)
                self._capture(node.body, bindings([node.pattern]), hidden)
            case ast.JoinedStr():
                self._fstring(node, hidden)
            case ast.Lambda():
                self._children(definition_time(node), hidden)
                own = {argument.arg for argument in arguments(node)} | bindings([node.body])
                self._scope([node.body], hidden, own)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._definition(node, hidden)
            case ast.stmt() if (alias := type_alias(node)) is not None:
                self._children(alias_parts(node), hidden | type_parameters(node))
                self._follow(node, {alias[0]}, hidden)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                own = bindings(generator.target for generator in node.generators)
                first = node.generators[0]
                self.visit(first.iter, hidden)
                rest = [child for child in ast.iter_child_nodes(node) if child is not first]
                self._scope([first.target, *first.ifs, *rest], hidden, own)
            case _:
                self._inner(node, hidden)

    def _inner(self, node: ast.AST, hidden: frozenset[str]) -> None:
        for _, value in ast.iter_fields(node):
            if isinstance(value, list):
                statements = [child for child in value if isinstance(child, ast.stmt)]
                if statements:
                    self.suite(statements, hidden)
                else:
                    self._children([c for c in value if isinstance(c, ast.AST)], hidden)
            elif isinstance(value, ast.AST):
                self.visit(value, hidden)
        if isinstance(node, ast.Import | ast.ImportFrom):
            self._follow(node, bindings([node]), hidden)

    def _children(self, nodes: Iterable[ast.AST], hidden: frozenset[str]) -> None:
        for node in nodes:
            self.visit(node, hidden)

    def _definition(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, hidden: frozenset[str]
    ) -> None:
        hidden |= type_parameters(node)
        self._children([*definition_time(node), *type_bounds(node)], hidden)
        declared = {
            name
            for inner in own_nodes(node.body)
            if isinstance(inner, ast.Global)
            for name in inner.names
        }
        own = bindings(node.body) - declared
        if isinstance(node, ast.ClassDef):
            self._outer_reads(node, own - hidden)
            own |= {"__doc__"} if ast.get_docstring(node) is not None else set()
            self._scope(node.body, hidden, own, class_names=frozenset(own))
        else:
            own |= {argument.arg for argument in arguments(node)}
            self._scope(node.body, hidden - declared, own)
        self._follow(node, {node.name}, hidden)

    def _scope(
        self,
        nodes: Sequence[ast.AST],
        hidden: frozenset[str],
        own: set[str],
        class_names: frozenset[str] = frozenset(),
    ) -> None:
        """Walk through an inner scope; what a class body binds, functions in it do not see."""
        before, outer = self.class_names, hidden - self.class_names
        self.class_names = class_names - outer
        self.depth += 1
        statements = [node for node in nodes if isinstance(node, ast.stmt)]
        if statements:
            self.suite(statements, outer | own)
        else:
            self._children(nodes, outer | own)
        self.class_names = before
        self.depth -= 1

    def _outer_reads(self, node: ast.ClassDef, own: set[str]) -> None:
        """Let `n = n` in a class body read the variable of the function around it.

        A name that a class body binds is looked up in the module, never in a function around it.
        """
        names = sorted(own & (self.setting.variables | self.shared))
        body = ast.Module(node.body, [])
        for name in read_before_bound([body], names) if not self.at_top else []:
            outer = f"{self.common}.{name}" if name in self.shared else f"outer_{name}"
            if name not in self.shared:
                first = node.decorator_list[0].lineno if node.decorator_list else node.lineno
                start = (first, node.col_offset)
                self.edits.append(Edit(start, start, f"{outer} = {name}\n{' ' * node.col_offset}"))
            for statement in node.body:
                loads = [
                    inner
                    for inner in own_nodes([statement])
                    if isinstance(inner, ast.Name) and inner.id == name
                ]
                for load in loads:
                    if isinstance(load.ctx, ast.Load):
                        self._replace(load, outer)
                if name in bindings([statement]):
                    break

    def _follow(self, node: ast.stmt, names: set[str], hidden: frozenset[str]) -> None:
        """Hand on what a `def`, `class` or `import` binds to a shared name."""
        for name in sorted(names & self.shared - hidden):
            end = (node.end_lineno or 0, node.end_col_offset or 0)
            separator = "\n" + " " * node.col_offset if hasattr(node, "body") else "; "
            self.edits.append(Edit(end, end, f"{separator}{self.common}.{name} = {name}"))

    def _capture(self, body: list[ast.stmt], names: set[str], hidden: frozenset[str]) -> None:
        """Hand on what a `case` or an `except` binds, before anything in it runs."""
        for name in sorted(names & self.shared - hidden):
            start = (body[0].lineno, body[0].col_offset)
            text = f"{self.common}.{name} = {name}\n{' ' * body[0].col_offset}"
            self.edits.append(Edit(start, start, text))

    def _walrus(self, node: ast.NamedExpr) -> None:
        """An attribute cannot be bound by `:=`: a function sets it and gives the value back."""
        end = (node.end_lineno or 0, node.end_col_offset or 0)
        value = (node.value.lineno, node.value.col_offset)
        start = (node.lineno, node.col_offset)
        target_end = (node.target.end_lineno or 0, node.target.end_col_offset or 0)
        opened = "(" * text_between(self.code, target_end, value).count("(")
        self.edits.append(Edit(start, value, f'{SHARE}("{node.target.id}", {opened}'))
        self.edits.append(Edit(end, end, ")"))

    def _is_shared(self, name: str, hidden: frozenset[str]) -> bool:
        return name in self.shared and name not in hidden

    def _own(self, name: str, hidden: frozenset[str]) -> bool:
        return name in hidden or name in self.setting.variables

    def _name(self, node: ast.Name, name: str, hidden: frozenset[str]) -> None:
        if self._is_shared(name, hidden):
            self._replace(node, f"{self.common}.{name}")
        elif name in _NOTEBOOKS and isinstance(node.ctx, ast.Load) and not self._own(name, hidden):
            self._replace(node, _NOTEBOOKS[name])

    def _global(self, node: ast.Global, alone: bool) -> None:
        """Inside a step the notebook's globals are the step's own variables."""
        if self.at_top and self.depth:
            return
        inner = [name for name in node.names if name not in self.shared] if self.depth else []
        text = f"nonlocal {', '.join(inner)}" if inner else ""
        self._replace(node, text or ("pass" if alone else ""))

    def _moves(self, node: ast.ImportFrom) -> bool:
        star = any(alias.name == "*" for alias in node.names)
        return node.module == "__future__" or (star and not self.at_top)

    def _fstring(self, node: ast.JoinedStr, hidden: frozenset[str]) -> None:
        """Up to Python 3.11 what is inside an f-string has no position: write all of it anew."""
        inner = _Adapter(self.setting, self.code)
        for value in node.values:
            inner.visit(value, hidden)
        if inner.edits:
            renamed = _Renamer(inner.edits, self.common).visit(ast.parse(ast.unparse(node)))
            self._replace(node, ast.unparse(renamed))

    def _replace(self, node: ast.stmt | ast.expr, text: str) -> None:
        self.edits.append(edit_of(node, text))


class _Renamer(ast.NodeTransformer):
    """Renames in an f-string what the edits of its parts name."""

    def __init__(self, edits: list[Edit], common: str) -> None:
        self.texts = {edit.text for edit in edits}
        self.common = common

    def visit_Name(self, node: ast.Name) -> ast.expr:
        text = _NOTEBOOKS.get(node.id, f"{self.common}.{node.id}")
        return ast.parse(text, mode="eval").body if text in self.texts else node
