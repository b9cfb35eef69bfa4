"""Abstract execution: runs a notebook's code without running it, to see what shares and changes.

Statements are walked in notebook order over an abstract heap. Calls of the user's own functions
are followed into their bodies; calls of libraries are judged by `nbcompile.library`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from nbcompile import library
from nbcompile.ambient import dotted
from nbcompile.calls import evaluate_call, managed
from nbcompile.frames import Change, Code, Env, enclosing
from nbcompile.freenames import imported_name, pattern_names
from nbcompile.heap import SCALAR, Heap, Value, join
from nbcompile.making import define

#: How many expressions of called functions one statement may visit before calls are not followed.
BUDGET = 4000
DEPTH = 6


class Interpreter:
    """Walks code and keeps the abstract state of the notebook."""

    def __init__(self) -> None:
        self.heap = Heap()
        self.top = Env()
        self.modules: dict[str, str] = {}
        self.codes: dict[int, Code] = {}
        self.class_fields: dict[int, dict[str, Value]] = {}
        #: attributes of objects, as far as they were seen to be set
        self.fields: dict[tuple[int, str], Value] = {}
        self.methods: dict[str, list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]] = {}
        #: objects changed since last taken, and where
        self.changed: dict[int, Change] = {}
        #: module-level names by the objects they may be
        self.named: dict[int, set[str]] = {}
        #: names that a definition uses when called, computed once
        self.free: dict[int, tuple[list[str], list[str]]] = {}
        self.depth = 0
        self.active: list[int] = []
        self.budget = BUDGET
        self.branching = 0

    # -- what the compiler asks -----------------------------------------------------------------
    def run(self, node: ast.stmt) -> dict[int, Change]:
        """Execute one top-level statement; the objects that it changed."""
        self.changed = {}
        self.budget = BUDGET
        self.execute(node, self.top)
        return self.changed

    def affected(self, objects: Iterable[int]) -> set[str]:
        """The module-level names for which a change of the objects is a change."""
        names: set[str] = set()
        for one in self.heap.holders(objects):
            names |= self.named.get(one, set())
        return names

    def value(self, name: str) -> Value:
        """What a module-level name may be now."""
        return self.top.names.get(name, SCALAR)

    def bind(self, name: str, value: Value) -> None:
        """Bind a module-level name."""
        self._set(name, value, self.top)

    def reachable_code(self, name: str) -> list[Code]:
        """The functions that using a module-level name may call."""
        return [self.codes[key] for key in sorted(self.heap.codes(self.value(name)))]

    def fresh(self, *, holding: Iterable[int] = (), kind: str = "", plain: bool = False) -> Value:
        """A new object; ``plain`` for a builtin collection."""
        return Value(frozenset({self.heap.new(holding, plain=plain)}), kind=kind)

    # -- statements -----------------------------------------------------------------------------
    def block(self, nodes: Iterable[ast.stmt], env: Env) -> None:
        for node in nodes:
            self.execute(node, env)

    def execute(self, node: ast.stmt, env: Env) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                result = self.evaluate(value, env)
                for target in targets:
                    self.assign(target, result, env, value)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                self.assign(target, self.evaluate(value, env), env, value)
            case ast.AugAssign(target=target, value=value):
                self.augmented(target, value, env)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                define(self, node, env)
            case ast.Import() | ast.ImportFrom():
                self.imports(node, env)
            case ast.For() | ast.AsyncFor():
                self.branching += 1
                self.assign_items(node.target, node.iter, env)
                self.block([*node.body, *node.orelse], env)
                self.branching -= 1
            case ast.While() | ast.If():
                self.evaluate(node.test, env)
                self.inside([*node.body, *node.orelse], env)
            case ast.Try() | ast.TryStar():
                handlers = [inner for handler in node.handlers for inner in handler.body]
                self.inside([*node.body, *handlers, *node.orelse, *node.finalbody], env)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    result = self.evaluate(item.context_expr, env)
                    if result.kind == "bound a generator":
                        result = self.element(result)
                    managed(self, result, node)
                    if item.optional_vars is not None:
                        self.assign(item.optional_vars, result, env, item.context_expr)
                self.block(node.body, env)
            case ast.Match():
                subject = self.evaluate(node.subject, env)
                part = Value(self.heap.reach(subject.own), subject.code)
                for branch in node.cases:
                    for name, _ in pattern_names(branch.pattern):
                        self._set(name, part, env)
                    self.inside(branch.body, env)
            case ast.Delete(targets=targets):
                for target in targets:
                    if isinstance(target, ast.Name):
                        env.names.pop(target.id, None)
                    elif isinstance(target, ast.Subscript | ast.Attribute):
                        self.change(self.evaluate(target.value, env), node)
            case ast.Return(value=value) if value is not None:
                env.returns.append(self.evaluate(value, env))
            case ast.Global(names=names):
                env.declared.update(names)
            case ast.Nonlocal(names=names):
                env.nonlocals.update(names)
            case ast.Expr(value=value):
                self.evaluate(value, env, bare=True)
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self.evaluate(child, env)

    def inside(self, nodes: list[ast.stmt], env: Env) -> None:
        """A block that may run or not: bindings there add to what a name may be."""
        self.branching += 1
        self.block(nodes, env)
        self.branching -= 1

    def assign_items(self, target: ast.expr, items: ast.expr, env: Env) -> None:
        """Bind a loop's target to the items; `zip` and `enumerate` are taken apart."""
        match items, target:
            case ast.Call(func=ast.Name(id="enumerate"), args=[inner, *_]), ast.Tuple(
                elts=[number, one]
            ):
                self.assign(number, SCALAR, env, None)
                self.assign_items(one, inner, env)
            case ast.Call(func=ast.Name(id="zip"), args=parts), ast.Tuple(elts=targets) if len(
                parts
            ) == len(targets):
                for one, part in zip(targets, parts, strict=True):
                    self.assign_items(one, part, env)
            case _:
                self.assign(target, self.element(self.evaluate(items, env), items), env, None)

    def assign(self, target: ast.expr, value: Value, env: Env, source: ast.expr | None) -> None:
        match target:
            case ast.Name(id=name):
                self._set(name, value, env)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                if isinstance(source, ast.Tuple | ast.List) and len(source.elts) == len(elements):
                    for one, part in zip(elements, source.elts, strict=True):
                        self.assign(one, self.evaluate(part, env), env, part)
                elif value.kind == "figure":
                    # `fig, ax = plt.subplots()`: parts of one figure
                    for one in elements:
                        self.assign(one, value, env, None)
                elif isinstance(source, ast.Call) and not self.heap.inside(value.own):
                    # `a, b = split(x)`: what a call returns together need not be one object
                    for one in elements:
                        self.assign(one, self.fresh(kind=value.kind), env, None)
                else:
                    for one in elements:
                        self.assign(one, self.element(value), env, None)
            case ast.Starred(value=inner):
                self.assign(inner, self.fresh(holding=value.own, plain=True), env, None)
            case ast.Attribute(value=place) | ast.Subscript(value=place):
                owner = self.evaluate(place, env)
                if isinstance(target, ast.Attribute):
                    self.set_field(owner, target.attr, value)
                self.heap.put(owner.own, value.own)
                self.heap.put_code(owner.own, value.code)
                self.change(owner, target)

    def augmented(self, target: ast.expr, value: ast.expr, env: Env) -> None:
        added = self.evaluate(value, env)
        if isinstance(target, ast.Name):
            current = self.lookup(target.id, env) or SCALAR
            if current.own:
                self.heap.put(current.own, self.heap.inside(added.own))
                self.change(current, target)
            elif added.own:
                self._set(target.id, self.fresh(holding=self.heap.inside(added.own)), env)
            elif target.id in env.declared or target.id in env.nonlocals:
                self._set(target.id, SCALAR, env)
        elif isinstance(target, ast.Attribute | ast.Subscript):
            owner = self.evaluate(target.value, env)
            self.heap.put(owner.own, added.own)
            self.change(owner, target)

    def imports(self, node: ast.Import | ast.ImportFrom, env: Env) -> None:
        for alias in node.names:
            if alias.name == "*":
                continue
            name = imported_name(alias)
            if isinstance(node, ast.ImportFrom):
                full = f"{'.' * node.level}{node.module or ''}.{alias.name}"
            else:
                full = alias.name if alias.asname else name
            if env is self.top:
                self.modules[name] = full
            self._set(name, Value(kind="module"), env)

    # -- expressions ----------------------------------------------------------------------------
    def evaluate(self, node: ast.expr, env: Env, bare: bool = False) -> Value:
        self.budget -= 1
        match node:
            case ast.Constant() | ast.JoinedStr():
                return SCALAR
            case ast.Name(id=name):
                return self.lookup(name, env) or SCALAR
            case ast.Call():
                return evaluate_call(self, node, env, bare)
            case ast.Attribute(value=inner, attr=attribute):
                return self.attribute(inner, attribute, env)
            case ast.Subscript(value=inner, slice=index):
                self.evaluate(index, env)
                value = self.evaluate(inner, env)
                if value.kind == "inserting":
                    self.change(value, node)
                return self.item(value, index)
            case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
                return self.container([self.evaluate(part, env) for part in parts])
            case ast.Dict(keys=keys, values=values):
                present = [key for key in keys if key is not None]
                return self.container([self.evaluate(v, env) for v in [*present, *values]])
            case ast.BinOp(left=left, right=right):
                return self.combined(self.evaluate(left, env), self.evaluate(right, env))
            case ast.UnaryOp(operand=operand):
                return self.combined(self.evaluate(operand, env), SCALAR)
            case ast.BoolOp(values=values):
                return join([self.evaluate(value, env) for value in values])
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self.evaluate(test, env)
                return join([self.evaluate(body, env), self.evaluate(orelse, env)])
            case ast.NamedExpr(target=target, value=inner):
                value = self.evaluate(inner, env)
                self._set(target.id, value, env)
                return value
            case ast.Lambda():
                return define(self, node, env)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self.comprehension(node, env)
            case ast.Await(value=inner) | ast.Starred(value=inner):
                return self.evaluate(inner, env)
            case ast.Compare(left=left, comparators=others):
                kinds = {self.evaluate(one, env).kind for one in [left, *others]}
                return self.fresh(kind="pandas") if "pandas" in kinds else SCALAR
            case ast.Yield(value=inner) | ast.YieldFrom(value=inner):
                if inner is not None:
                    env.returns.append(self.evaluate(inner, env))
                return SCALAR
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self.evaluate(child, env)
                return SCALAR

    def container(self, parts: list[Value]) -> Value:
        whole = join(parts)
        one = self.heap.new(whole.own, whole.code, plain=True)
        return Value(frozenset({one}))

    def combined(self, left: Value, right: Value) -> Value:
        if not left.own and not right.own:
            return SCALAR
        kind = "pandas" if "pandas" in (left.kind, right.kind) else ""
        holding = () if kind else self.heap.inside(left.own) | self.heap.inside(right.own)
        return self.fresh(holding=holding, kind=kind)

    def comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, env: Env
    ) -> Value:
        local = Env(outer=env, origin=env.origin)
        for part in node.generators:
            self.assign_items(part.target, part.iter, local)
            for condition in part.ifs:
                self.evaluate(condition, local)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        result = self.container([self.evaluate(part, local) for part in parts])
        if isinstance(node, ast.GeneratorExp):
            return Value(result.own, kind="bound a generator")
        return result

    def attribute(self, inner: ast.expr, attribute: str, env: Env) -> Value:
        full = dotted(inner, self.modules)
        if full is not None:
            return Value(kind="module")
        value = self.evaluate(inner, env)
        if attribute in library.PLAIN_ATTRIBUTES or not value.own:
            return SCALAR
        if value.kind == "pandas":
            writes_through = attribute in ("loc", "iloc", "at", "iat")
            return value if writes_through else self.fresh(kind="pandas")
        if value.kind in ("figure", "stateful"):
            return value
        known = self.field(value, attribute)
        if known is not None:
            return known
        return Value(value.own | self.heap.reach(value.own), self.heap.codes(value))

    def set_field(self, owner: Value, attribute: str, value: Value) -> None:
        """Remember what an attribute may be."""
        for one in owner.own:
            known = self.fields.get((one, attribute))
            self.fields[one, attribute] = value if known is None else join([known, value])

    def field(self, owner: Value, attribute: str) -> Value | None:
        """What an attribute was seen to be set to: on the object, else on its class."""
        found = [self.fields[o, attribute] for o in owner.own if (o, attribute) in self.fields]
        if found:
            return join(found)
        for key in self.heap.codes(owner):
            names = self.class_fields.get(key, {})
            if attribute in names and not names[attribute].code:
                shared = names[attribute].own & self.heap.plain
                return Value(shared or names[attribute].own | owner.own)
        return None

    def item(self, value: Value, index: ast.expr) -> Value:
        if value.kind == "pandas":
            return self.fresh(kind="pandas")
        if value.kind == "figure":
            return value
        picked = isinstance(index, ast.List | ast.Compare | ast.BinOp) or (
            isinstance(index, ast.UnaryOp) and not isinstance(index.operand, ast.Constant)
        )
        if picked and value.own:
            # a list or a mask picks a copy; what it holds is the same
            return self.fresh(holding=self.heap.inside(value.own))
        if isinstance(index, ast.Slice) and value.own and value.own <= self.heap.plain:
            return self.fresh(holding=self.heap.elements(value.own), plain=True)
        return self.element(value)

    def element(self, value: Value, taken: ast.expr | None = None) -> Value:
        """One element of a collection, or part of an array; ``taken`` out where that uses it up."""
        if taken is not None and value.kind == "stateful":
            self.change(value, taken)
        if value.kind == "pandas":
            return self.fresh(kind="pandas")
        if value.kind == "figure":
            return value
        return Value(self.heap.elements(value.own), self.heap.codes(value))

    # -- state ----------------------------------------------------------------------------------
    def lookup(self, name: str, env: Env) -> Value | None:
        place: Env | None = env
        while place is not None:
            if name in place.names and name not in place.declared:
                return place.names[name]
            place = place.outer
        return self.top.names.get(name)

    def change(self, value: Value, node: ast.AST, deep: bool = False, sure: bool = True) -> None:
        """Note that what a value may be was changed here."""
        objects = value.own
        if deep:
            # a fit changes estimators and parameters, not the lists that they stand in
            objects |= self.heap.reach(objects) - self.heap.plain
        for one in self.heap.data(objects):
            known = self.changed.get(one)
            if known is None or (sure and not known.sure):
                self.changed[one] = Change(node, sure)

    def _set(self, name: str, value: Value, env: Env) -> None:
        if name in env.declared:
            env = self.top
        elif name in env.nonlocals:
            env = enclosing(name, env)
            if env.frame is not None:
                self.changed.setdefault(env.frame, Change(ast.Pass(), True))
        if self.branching and name in env.names:
            value = join([env.names[name], value])
        if env is self.top:
            for one in self.top.names.get(name, SCALAR).own:
                self.named.get(one, set()).discard(name)
            for one in value.own:
                self.named.setdefault(one, set()).add(name)
        env.names[name] = value
