"""Sharing: names that hold the same objects and so are stored together."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nbcompile.lookup import use
from nbcompile.names import StepState
from nbcompile.walking import walk

if TYPE_CHECKING:
    from nbcompile.resolve import Resolver


def keep_together(resolver: Resolver, step: StepState, position: int) -> None:
    """Keep names together that share objects which a later step changes, or compares.

    Names bound in this step that another step reads side by side stay together too, so that
    `a is b` keeps its answer.
    """
    last = resolver.segments[position].statements
    if not last:
        return
    for names, objects in resolver.traces.shared[position]:
        changes = any(_changes_later(resolver, one, position, step.name) for one in objects)
        if not changes and not _compared(resolver, step, names):
            mine = frozenset(name for name in names if name in step.writes)
            if _read_side_by_side(resolver, step, mine):
                step.together.append(mine)
            continue
        group = {name for name in names if _groups(resolver, step, name)}
        if len(group) < 2:
            continue
        for name in sorted(group):
            if name not in step.writes:
                use(resolver, step, step.needs, name, last[-1], last[-1].node)
                resolver.bind_step(step, name, last[-1], maybe=False, changed=True)
        step.together.append(frozenset(group))


def _compared(resolver: Resolver, step: StepState, names: frozenset[str]) -> bool:
    """Whether another step asks of two of the names if they are the same object."""
    for other in resolver.comparing - {step.name}:
        if sum(other in resolver.readers.get(name, {}) for name in names) > 1:
            return True
    return False


def compares_identity(node: ast.AST) -> bool:
    """Whether code asks if two objects are one: `a is b`, `id(a)`."""
    for inner in walk(node):
        if isinstance(inner, ast.Name) and inner.id == "id":
            return True
        if isinstance(inner, ast.Compare):
            sides = [inner.left, *inner.comparators]
            asks = any(isinstance(op, ast.Is | ast.IsNot) for op in inner.ops)
            if asks and not any(isinstance(side, ast.Constant) for side in sides):
                return True
    return False


def _read_side_by_side(resolver: Resolver, step: StepState, names: frozenset[str]) -> bool:
    readers = [resolver.readers.get(name, {}).keys() - {step.name} for name in names]
    seen: set[str] = set()
    for group in readers:
        if not seen.isdisjoint(group):
            return True
        seen.update(group)
    return False


def _changes_later(resolver: Resolver, one: int, position: int, step: str) -> bool:
    return any(
        number > position and resolver.segments[number].step not in ("", step)
        for number in resolver.changed_in.get(one, ())
    )


def _groups(resolver: Resolver, step: StepState, name: str) -> bool:
    binding = resolver.names.get(name)
    if binding is None or binding.kind not in ("step", "parameter"):
        return False
    return resolver.read_after(name, step) and resolver.within(step, binding)
