"""Calls in abstract execution: the user's functions are followed, libraries are judged by name."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from nbcompile import library
from nbcompile.ambient import dotted
from nbcompile.frames import Code, Env
from nbcompile.freenames import same_scope
from nbcompile.heap import SCALAR, Value, join
from nbcompile.walking import walk

if TYPE_CHECKING:
    from nbcompile.interpret import Interpreter

_BUILTINS = frozenset(dir(builtins))
#: builtins whose result can be gone through any number of times
_COLLECTIONS = frozenset({"list", "tuple", "set", "frozenset", "dict", "sorted"})
_SHOWING = frozenset({"show", "display", "nb_show", "nb_display"})


def evaluate_call(machine: Interpreter, node: ast.Call, env: Env, bare: bool) -> Value:
    """What a call may return, its changes noted; ``bare`` when its result is thrown away."""
    arguments = [machine.evaluate(a, env) for a in node.args]
    named = {k.arg: machine.evaluate(k.value, env) for k in node.keywords}
    everything = [*arguments, *named.values()]
    function = node.func
    if isinstance(function, ast.Name) and function.id in _SHOWING and node.args:
        # `show(m.fit())` stands for a bare last expression
        return machine.evaluate(node.args[0], env, bare=True)
    for argument in everything:
        if argument.kind == "stateful":
            machine.change(argument, node)
    if "out" in named:
        machine.change(named["out"], node)
    if _says_inplace(node) and isinstance(function, ast.Attribute):
        machine.change(machine.evaluate(function.value, env), node)
        return SCALAR
    full = dotted(function, machine.modules)
    if full is not None:
        return _library_call(machine, full, node, arguments, everything)
    if isinstance(function, ast.Attribute):
        return _method_call(machine, node, function, env, arguments, named, bare)
    if isinstance(function, ast.Name):
        known = machine.lookup(function.id, env)
        if known is None and function.id in _BUILTINS:
            return _builtin_call(machine, function.id, node, arguments, env)
    callee = machine.evaluate(function, env)
    if callee.kind == "stateful":  # `pick = rng.normal`, called
        machine.change(callee, node)
    results = [invoke(machine, key, node, arguments, named, None) for key in sorted(callee.code)]
    if not results:
        if bare and callee.own:
            # an object that is called: a partial, a bound method
            machine.change(Value(machine.heap.reach(callee.own)), node, sure=False)
        return _unknown(machine, everything)
    return join(results)


def decorated(machine: Interpreter, decorator: ast.expr, value: Value, env: Env) -> Value:
    """What a decorator makes of a definition: the user's are followed, others wrap it."""
    wrapper = machine.evaluate(decorator, env)
    if isinstance(decorator, ast.Name) and wrapper.code and not machine.branching:
        results = [invoke(machine, key, decorator, [value], {}, None) for key in wrapper.code]
        return join(results)
    return Value(value.own | machine.heap.reach(wrapper.own), value.code | wrapper.code)


def creating_class(machine: Interpreter, node: ast.ClassDef, value: Value, env: Env) -> None:
    """Code of bases and metaclasses that runs when a class is made."""
    for base in [*node.bases, *(k.value for k in node.keywords if k.arg == "metaclass")]:
        if not isinstance(base, ast.Name):
            continue
        for name in ("__init_subclass__", "__new__", "__init__"):
            if name != "__init_subclass__" and base in node.bases:
                continue
            for owner, method in machine.methods.get(name, []):
                if owner == base.id:
                    _follow_method(machine, method, node, [], {}, value)


def managed(machine: Interpreter, value: Value, node: ast.AST) -> None:
    """Entering and leaving a `with` block over an object of the user's class."""
    if value.kind.startswith("instance "):
        owner = value.kind.removeprefix("instance ")
        for name in ("__enter__", "__exit__", "__aenter__", "__aexit__"):
            for cls, method in machine.methods.get(name, []):
                if cls == owner:
                    _follow_method(machine, method, node, [], {}, value)


def invoke(
    machine: Interpreter,
    key: int,
    node: ast.AST,
    arguments: list[Value],
    named: dict[str | None, Value],
    receiver: Value | None,
) -> Value:
    """Follow a call into the user's own function, class or lambda."""
    from nbcompile.interpret import DEPTH

    code = machine.codes[key]
    everything = [*arguments, *named.values(), *([receiver] if receiver else [])]
    if key in machine.active or machine.depth >= DEPTH or machine.budget <= 0:
        return _unknown(machine, everything)
    target = code.node
    if isinstance(target, ast.ClassDef):
        return _construct(machine, key, target, node, arguments, named)
    local = Env(outer=code.around if code.around is not machine.top else None, origin=code.origin)
    _bind_arguments(code, machine, target, local, arguments, named, receiver)
    before = len(machine.changed)
    machine.active.append(key)
    machine.depth += 1
    branching, machine.branching = machine.branching, 0
    if isinstance(target, ast.Lambda):
        result = machine.evaluate(target.body, local)
    else:
        machine.block(target.body, local)
        result = join(local.returns) if local.returns else SCALAR
        yields = any(isinstance(i, ast.Yield | ast.YieldFrom) for i in same_scope(target.body))
        if yields and not target.decorator_list:
            result = Value(
                machine.fresh(holding=result.own).own | result.own, kind="bound a generator"
            )
    machine.branching = branching
    machine.depth -= 1
    machine.active.pop()
    if _remembers(target) and (len(machine.changed) > before or _does_something(target)):
        # what it does happens only when its memory does not know the answer
        machine.change(code.value, node)
    return result


def _remembers(target: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> bool:
    names = {
        part.attr if isinstance(part, ast.Attribute) else getattr(part, "id", "")
        for decorator in getattr(target, "decorator_list", [])
        for part in [decorator.func if isinstance(decorator, ast.Call) else decorator]
    }
    return bool(names & library.CACHING)


def _does_something(target: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> bool:
    return any(
        isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Call) for inner in walk(target)
    )


def _construct(
    machine: Interpreter,
    key: int,
    target: ast.ClassDef,
    node: ast.AST,
    arguments: list[Value],
    named: dict[str | None, Value],
) -> Value:
    held = join([*arguments, *named.values()])
    shared = machine.lookup(target.name, machine.top) or SCALAR
    one = machine.heap.new(held.own | machine.heap.inside(shared.own), held.code | {key})
    instance = Value(frozenset({one}), kind=f"instance {target.name}")
    for method in _methods(machine, "__init__", target.name):
        _follow_method(machine, method, node, arguments, named, instance)
    machine.changed.pop(one, None)
    return instance


def _bind_arguments(
    code: Code,
    machine: Interpreter,
    target: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda,
    local: Env,
    arguments: list[Value],
    named: dict[str | None, Value],
    receiver: Value | None,
) -> None:
    spec = target.args
    names = [a.arg for a in [*spec.posonlyargs, *spec.args]]
    given = [receiver, *arguments] if receiver is not None else list(arguments)
    everything = join([*[v for v in given if v is not None], *named.values()])
    for position, name in enumerate(names):
        if position < len(given):
            local.names[name] = given[position] or SCALAR
        else:
            local.names[name] = named.get(name, SCALAR)
    for name, default in code.defaults.items():
        if local.names.get(name, SCALAR) is SCALAR and name not in named:
            local.names[name] = default
    for argument in spec.kwonlyargs:
        local.names.setdefault(argument.arg, named.get(argument.arg, SCALAR))
    for extra in (spec.vararg, spec.kwarg):
        if extra is not None:
            local.names[extra.arg] = machine.fresh(holding=everything.own)


def _methods(
    machine: Interpreter, name: str, owner: str | None
) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    found = machine.methods.get(name, [])
    exact = [method for cls, method in found if cls == owner]
    return exact or [method for _, method in found]


def _follow_method(
    machine: Interpreter,
    method: ast.FunctionDef | ast.AsyncFunctionDef,
    node: ast.AST,
    arguments: list[Value],
    named: dict[str | None, Value],
    receiver: Value,
) -> Value:
    key = id(method)
    if key not in machine.codes:
        machine.codes[key] = Code(method, machine.top, None)
    return invoke(machine, key, node, arguments, named, receiver)


def _method_call(
    machine: Interpreter,
    node: ast.Call,
    function: ast.Attribute,
    env: Env,
    arguments: list[Value],
    named: dict[str | None, Value],
    bare: bool,
) -> Value:
    name = function.attr
    receiver = machine.evaluate(function.value, env)
    everything = join([*arguments, *named.values()])
    owner = receiver.kind.removeprefix("instance ") if "instance " in receiver.kind else None
    own_methods = _methods(machine, name, owner) if receiver.kind != "pandas" else []
    if own_methods and (owner is not None or receiver.own or receiver.code):
        results = [
            _follow_method(machine, method, node, arguments, named, receiver)
            for method in own_methods[:4]
        ]
        if owner is not None:
            return join(results)
    changing = name in library.CHANGING or receiver.kind in ("stateful", "figure")
    if changing and receiver.kind == "pandas" and name not in ("insert", "pop", "update"):
        changing = False
    if changing or (bare and name not in library.HARMLESS and receiver.kind != "pandas"):
        machine.change(receiver, node, deep=name in library.CHANGING_DEEP, sure=changing)
        if name in library.KEEPING or not changing:
            machine.heap.put(machine.heap.data(receiver.own), everything.own)
            machine.heap.put_code(machine.heap.data(receiver.own), everything.code)
    if receiver.kind == "stateful" and name == "shuffle" and arguments:
        machine.change(arguments[0], node)
    _follow_callbacks(machine, node, [*arguments, *named.values()], receiver)
    if receiver.kind in ("pandas", "figure"):
        return machine.fresh(kind="pandas") if receiver.kind == "pandas" else receiver
    if name in library.RETURNING_NONE:
        return SCALAR
    if name in library.RETURNING_SELF:
        return receiver
    if name in library.VIEWS and receiver.own:
        return Value(receiver.own | machine.fresh(holding=receiver.own).own)
    if name in library.FRESH:
        return machine.fresh() if receiver.own else SCALAR
    if name == "copy":
        plain = receiver.own <= machine.heap.plain
        return machine.fresh(holding=machine.heap.inside(receiver.own), plain=plain)
    if name in ("pop", "get", "setdefault", "popleft", "popitem", "__getitem__"):
        return join([machine.element(receiver), everything])
    if not receiver.own and not everything.own:
        return SCALAR
    return Value(
        machine.fresh(holding=receiver.own | everything.own).own, machine.heap.codes(receiver)
    )


def _follow_callbacks(
    machine: Interpreter, node: ast.Call, arguments: list[Value], receiver: Value
) -> None:
    """Functions handed to a library are called with what it has: elements of the rest."""
    if not any(argument.code for argument in arguments):
        return
    rest = join([receiver, *[a for a in arguments if not a.code]])
    part = machine.element(rest)
    for argument in arguments:
        for key in sorted(argument.code):
            target = machine.codes[key].node
            if isinstance(target, ast.ClassDef):
                continue
            wanted = len(target.args.args)
            invoke(machine, key, node, [part] * wanted, {}, None)


def _builtin_call(
    machine: Interpreter, name: str, node: ast.Call, arguments: list[Value], env: Env
) -> Value:
    whole = join(arguments)
    if name in ("setattr", "delattr") and arguments:
        machine.change(arguments[0], node)
        machine.heap.put(arguments[0].own, whole.own - arguments[0].own)
        return SCALAR
    if name == "vars" and arguments:
        return arguments[0]
    if name == "open":
        return machine.fresh(kind="bound an open file")
    if name in library.PICKING_BUILTINS:
        if name == "next" and arguments:
            machine.change(arguments[0], node)
        _follow_callbacks(
            machine, node, [machine.evaluate(k.value, env) for k in node.keywords], whole
        )
        return machine.element(whole)
    if name in library.SHALLOW_BUILTINS:
        _follow_callbacks(machine, node, arguments, whole)
        held = machine.heap.elements(whole.own)
        if name in ("enumerate", "reversed", "zip") and not _any_bound(arguments):
            # these can be stored, with how far they are used up
            return machine.fresh(holding=held | whole.own, kind="stateful", plain=True)
        kind = "" if name in _COLLECTIONS else "bound an iterator"
        return machine.fresh(holding=held, kind=kind, plain=True)
    if name in ("bytearray", "object", "memoryview", "slice", "property", "super"):
        return machine.fresh(holding=whole.own)
    return SCALAR


def _library_call(
    machine: Interpreter,
    full: str,
    node: ast.Call,
    arguments: list[Value],
    everything: list[Value],
) -> Value:
    whole = join(everything)
    position = library.CHANGING_FUNCTIONS.get(full)
    if position is not None and position < len(arguments):
        machine.change(arguments[position], node)
        machine.heap.put(arguments[position].own, join(arguments[position + 1 :]).own)
        return SCALAR if "heappop" not in full else machine.element(arguments[position])
    _follow_callbacks(machine, node, everything, SCALAR)
    bound = library.PROCESS_BOUND.get(full)
    if bound is not None:
        return machine.fresh(kind=f"bound {bound}")
    if full.startswith(library.PANDAS_ROOTS):
        return machine.fresh(kind="pandas")
    if full in library.FIGURES:
        return machine.fresh(kind="figure")
    if full in library.STATEFUL:
        return machine.fresh(holding=whole.own, kind="stateful")
    if full == "collections.defaultdict":
        return machine.fresh(holding=whole.own, kind="inserting", plain=True)
    if full == "copy.deepcopy":
        return machine.fresh()
    if full in library.ALIASING_FUNCTIONS:
        return Value(machine.fresh(holding=whole.own).own | whole.own, whole.code)
    module, _, name = full.rpartition(".")
    keeps = full in library.HOLDING_FUNCTIONS or (
        name[:1].isupper() and module.split(".")[0] not in library.COPYING_MODULES
    )
    if keeps or whole.code:
        return Value(frozenset({machine.heap.new(whole.own, whole.code)}))
    return machine.fresh()


def _unknown(machine: Interpreter, everything: list[Value]) -> Value:
    whole = join(everything)
    if not whole.own and not whole.code:
        return machine.fresh()
    return Value(machine.fresh(holding=whole.own).own | whole.own, whole.code)


def _any_bound(arguments: list[Value]) -> bool:
    return any(one.kind.startswith("bound ") for one in arguments)


def _says_inplace(node: ast.Call) -> bool:
    return any(
        k.arg == "inplace" and isinstance(k.value, ast.Constant) and k.value.value is True
        for k in node.keywords
    )
