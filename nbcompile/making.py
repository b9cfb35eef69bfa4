"""Making functions and classes in abstract execution: what they hold on to from then on."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nbcompile.calls import creating_class, decorated
from nbcompile.frames import Code, Definition, Env
from nbcompile.heap import Value, join

if TYPE_CHECKING:
    from nbcompile.interpret import Interpreter


def define(machine: Interpreter, node: Definition, env: Env) -> Value:
    origin = env.origin
    if env is machine.top and not isinstance(node, ast.Lambda):
        origin = node
    code = machine.codes[id(node)] = Code(node, env, origin)
    captured: frozenset[int] = frozenset()
    if isinstance(node, ast.ClassDef):
        captured = _class_body(machine, node, env, origin)
    else:
        code.defaults = _defaults(machine, node, env)
        captured = join(code.defaults.values()).own | _captured(machine, env)
    one = machine.heap.new(captured, frozenset({id(node)}))
    if not isinstance(node, ast.ClassDef):
        machine.heap.functions.add(one)
    result = code.value = Value(frozenset({one}), frozenset({id(node)}))
    if isinstance(node, ast.ClassDef):
        creating_class(machine, node, result, env)
    for decorator in reversed(getattr(node, "decorator_list", [])):
        result = decorated(machine, decorator, result, env)
    if not isinstance(node, ast.Lambda):
        machine._set(node.name, result, env)
    return result


def _class_body(
    machine: Interpreter, node: ast.ClassDef, env: Env, origin: Definition | None
) -> frozenset[int]:
    """Run a class's body; instances share the collections that stand in it."""
    body = Env(outer=env, origin=origin)
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            machine.methods.setdefault(statement.name, []).append((node.name, statement))
        machine.execute(statement, body)
    machine.class_fields[id(node)] = body.names
    own: frozenset[int] = frozenset()
    for value in body.names.values():
        own |= value.own & machine.heap.plain
    return own


def _defaults(
    machine: Interpreter, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, env: Env
) -> dict[str, Value]:
    """The values of a function's defaults, which it keeps from call to call."""
    spec = node.args
    names = [a.arg for a in [*spec.posonlyargs, *spec.args]]
    pairs = list(zip(reversed(names), reversed(spec.defaults), strict=False))
    pairs += [
        (a.arg, default)
        for a, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True)
        if default is not None
    ]
    return {name: machine.evaluate(default, env) for name, default in pairs}


def _captured(machine: Interpreter, env: Env) -> frozenset[int]:
    """What a function made inside another can reach: that call's variables."""
    found: frozenset[int] = frozenset()
    place: Env | None = env
    while place is not None and place is not machine.top:
        if place.frame is None:
            place.frame = machine.heap.new()
        found |= {place.frame}.union(*(value.own for value in place.names.values()))
        place = place.outer
    return found
