"""Free names: what functions and classes read and bind at module level when they are called."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from nbcompile.generics import alias_parts, type_alias, type_bounds, type_parameters
from nbcompile.walking import walk

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(slots=True)
class Facts:
    """What one statement does to the names of its cell."""

    #: eager reads that no binding inside the statement surely precedes: name → first place
    reads: dict[str, ast.AST] = field(default_factory=dict)
    #: bindings: name → whether it is bound whenever the statement ends
    writes: dict[str, bool] = field(default_factory=dict)
    deletes: set[str] = field(default_factory=set)
    #: eager reads that a binding inside the statement may precede, as a loop's earlier round does
    guarded: set[str] = field(default_factory=set)
    #: reads inside functions that the statement makes: name → first place
    lazy: dict[str, ast.AST] = field(default_factory=dict)
    #: names that such functions bind through `global`
    lazy_writes: dict[str, ast.AST] = field(default_factory=dict)
    #: the statement awaits outside any function
    awaits: bool = False


def free_names(node: Function | ast.ClassDef) -> tuple[dict[str, ast.AST], dict[str, ast.AST]]:
    """Names that a function or class reads, and binds by `global`, when it is called.

    Default values, decorators, bases and class bodies run at the definition and do not count.
    """
    facts = Facts()
    if isinstance(node, ast.ClassDef):
        for inner, around in functions_in([node]):
            collect_lazy(inner, around, facts)
    else:
        collect_lazy(node, frozenset(), facts)
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
    for node in walk(pattern):
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
    if isinstance(node, COMPREHENSIONS):
        # only a walrus inside a comprehension binds outside of it
        for inner in walk(node):
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


def functions_in(
    nodes: Iterable[ast.AST], around: frozenset[str] = frozenset()
) -> Iterator[tuple[Function, frozenset[str]]]:
    """The outermost functions inside nodes, class bodies being looked through.

    With each the type parameters of the classes that it is in, besides those ``around``.
    """
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node, around
        else:
            inner = around | type_parameters(node)
            yield from functions_in(ast.iter_child_nodes(node), inner)


def _arguments(node: Function) -> set[str]:
    spec = node.args
    every = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
    every += [extra for extra in (spec.vararg, spec.kwarg) if extra is not None]
    return {argument.arg for argument in every}


def collect_lazy(node: Function, outer: frozenset[str], facts: Facts) -> None:
    """Add what a function reads from module level when called; `outer` are enclosing locals."""
    body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
    outer |= type_parameters(node)
    declared: set[str] = set()
    nonlocal_: set[str] = set()
    for inner in same_scope(body):
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
    collect_reads(body, visible, facts)


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
            collect_reads([tree.body], outer, facts)


def same_scope(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All nodes of a block, without those inside nested functions and classes."""
    for node in nodes:
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield from same_scope(ast.iter_child_nodes(node))


def collect_reads(
    nodes: Iterable[ast.AST],
    visible: frozenset[str],
    facts: Facts,
    below: frozenset[str] | None = None,
) -> None:
    """Add the reads of code inside a function, but for names that are ``visible`` to it.

    In the body of a class, functions and comprehensions see only what is visible ``below``.
    """
    inner = visible if below is None else below
    for node in nodes:
        types = type_parameters(node)
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Store) and node.id not in visible:
                facts.lazy.setdefault(node.id, node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            collect_reads(definition_time(node), visible, facts, inner)
            if not isinstance(node, ast.Lambda):
                typed = [*annotations_of(node), *type_bounds(node)]
                collect_reads(typed, visible | types, facts, inner | types)
            collect_lazy(node, inner, facts)
        elif isinstance(node, ast.ClassDef):
            parts = [*definition_time(node), *type_bounds(node)]
            collect_reads(parts, visible | types, facts, inner | types)
            _collect_class(node, inner | types, facts)
        elif type_alias(node) is not None:
            collect_reads(alias_parts(node), visible | types, facts, inner | types)
        elif isinstance(node, COMPREHENSIONS):
            collect_reads([node.generators[0].iter], visible, facts, inner)
            own = {name.id for part in node.generators for name in target_names(part.target)}
            rest = [child for child in ast.iter_child_nodes(node) if child not in node.generators]
            collect_reads(rest, inner | own, facts)
            for number, part in enumerate(node.generators):
                parts = [*part.ifs, *([part.iter] if number else [])]
                collect_reads(parts, inner | own, facts)
        else:
            target = node.target if isinstance(node, ast.AugAssign) else None
            if isinstance(target, ast.Name) and target.id not in visible:
                facts.lazy.setdefault(target.id, target)
            facts_from_strings(node, visible, facts.lazy)
            collect_reads(ast.iter_child_nodes(node), visible, facts, inner)


def _collect_class(node: ast.ClassDef, visible: frozenset[str], facts: Facts) -> None:
    """A class inside a function: its body sees the names that it has bound, its methods do not."""
    known = visible
    for statement in node.body:
        bound = frozenset(bound_names([statement]))
        # `n = n` reads the name of outside; a loop may read what its earlier round has bound
        at_once = isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign)
        collect_reads([statement], known if at_once else known | bound, facts, visible)
        known |= bound


def definition_time(node: Function | ast.ClassDef) -> list[ast.AST]:
    """The parts of a definition that run when it is made."""
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *(k.value for k in node.keywords)]
    spec = node.args
    parts: list[ast.AST] = [*spec.defaults, *(d for d in spec.kw_defaults if d is not None)]
    if not isinstance(node, ast.Lambda):
        parts += node.decorator_list
    return parts


def annotations_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.AST]:
    spec = node.args
    every = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
    every += [extra for extra in (spec.vararg, spec.kwarg) if extra is not None]
    found: list[ast.AST] = [a.annotation for a in every if a.annotation is not None]
    return [*found, *([node.returns] if node.returns is not None else [])]


def facts_from_strings(node: ast.AST, visible: frozenset[str], into: dict[str, ast.AST]) -> None:
    """Names that a string passed to `df.query`, `df.eval` or `eval` reads."""
    if not isinstance(node, ast.Call) or not node.args:
        return
    text = "".join(
        part.value
        for part in walk(node.args[0])
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
        collect_reads([tree.body], visible, facts)
        for name in facts.lazy:
            into.setdefault(name, node)
