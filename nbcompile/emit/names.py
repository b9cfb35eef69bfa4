"""Names: which names a piece of code binds in its own scope, and which it reads before that."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def own_nodes(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of a scope, without the inside of functions, classes and lambdas.

    Comprehensions are gone through: what `:=` binds there is bound outside them.
    """
    stack = list(nodes)[::-1]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            stack.extend(reversed(list(definition_time(node))))
        else:
            stack.extend(reversed(list(ast.iter_child_nodes(node))))


def definition_time(node: Scope) -> Iterator[ast.AST]:
    """What is evaluated outside a function or class when it is defined."""
    if isinstance(node, ast.ClassDef):
        yield from node.decorator_list
        yield from node.bases
        yield from node.keywords
        return
    yield from getattr(node, "decorator_list", [])
    yield from node.args.defaults
    yield from (default for default in node.args.kw_defaults if default is not None)
    if not isinstance(node, ast.Lambda):
        for argument in arguments(node):
            if argument.annotation is not None:
                yield argument.annotation
        if node.returns is not None:
            yield node.returns


def arguments(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Iterator[ast.arg]:
    """All arguments of a function."""
    spec = node.args
    yield from [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
    yield from (argument for argument in (spec.vararg, spec.kwarg) if argument is not None)


def bindings(nodes: Iterable[ast.AST]) -> set[str]:
    """The names that a scope's own statements bind."""
    bound: set[str] = set()
    skip: set[int] = set()
    for node in own_nodes(nodes):
        if isinstance(node, _COMPREHENSIONS):
            for generator in node.generators:
                skip.update(id(target) for target in ast.walk(generator.target))
        if id(node) not in skip:
            bound.update(_binds(node))
    return bound


def _binds(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in aliases)
        case ast.ExceptHandler(name=str(name)):
            yield name
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name


def read_before_bound(trees: Iterable[ast.Module], names: Iterable[str]) -> list[str]:
    """Those names that may be read before the code itself has bound them, in the given order."""
    open_names = dict.fromkeys(names)
    found: set[str] = set()
    for statement in (statement for tree in trees for statement in tree.body):
        if not open_names:
            break
        loads = {
            node.id
            for node in ast.walk(statement)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        found.update(loads.intersection(open_names))
        for name in [n for n in open_names if n in found or _binds_surely(statement, n)]:
            del open_names[name]
    return [name for name in names if name in found]


def _binds_surely(statement: ast.stmt, name: str) -> bool:
    simple = ast.Assign | ast.AnnAssign | ast.Import | ast.ImportFrom
    definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    if isinstance(statement, ast.AnnAssign) and statement.value is None:
        return False
    return isinstance(statement, simple | definition) and name in bindings([statement])
