"""Process state among steps: who sets it, who goes on from it, and what can only be warned of."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nbcompile.ambient import AMBIENT, GENERATORS
from nbcompile.definitions import unit_of
from nbcompile.names import Binding, StepState
from nbcompile.segments import Statement
from nbcompile.trace import Trace
from nbcompile.walking import walk

if TYPE_CHECKING:
    from nbcompile.resolve import Resolver


def follow_state(resolver: Resolver, step: StepState, statement: Statement, trace: Trace) -> None:
    for kind, effect, node in trace.effects:
        ambient = AMBIENT[kind]
        if kind == "figure" and "_figures_stay" not in resolver.names:
            continue
        binding = resolver.names.get(ambient.variable)
        own = binding is not None and binding.kind == "step" and binding.step == step.name
        if effect == "set" or own:
            pass
        elif binding is None:
            if effect == "hint":
                continue
            _unseeded(resolver, step, kind, statement, node)
            if kind != "figure":
                continue
        else:
            restore_state(resolver, step, kind)
        from_before = effect != "set" and not own and binding is not None
        if step.space and from_before and kind not in step.draws:
            _drawn_in_branch(resolver, kind, statement, node)
        if kind in GENERATORS:
            step.draws[kind] = None
        if step.space and (effect != "set" or ambient.pervasive):
            continue
        if ambient.pervasive:
            step.taints = True
        step.saves[kind] = None
        resolver.bind_step(step, ambient.variable, statement, maybe=False)
    for name, node in trace.warned:
        resolver.say(
            "NBF303",
            "warning",
            f"`{name}` changes this step's process only; other steps run in processes of "
            "their own.",
            statement,
            node,
            "Put it into a %%setup cell, so that it holds for every step.",
        )
    if trace.sets_option:
        step.taints = True
        if not step.space and step.when is None:
            resolver.options.append((statement.index, step.name))
    if any(
        isinstance(n, ast.Call)
        and isinstance(n.func, ast.Attribute)
        and n.func.attr == "use"
        and isinstance(n.func.value, ast.Name)
        and n.func.value.id in ("matplotlib", "mpl")
        for n in walk(statement.node)
    ):
        resolver.bind(Binding("common", "_figures_stay", statement.cell, statement.line()))


def state_of_setup(resolver: Resolver, statement: Statement) -> None:
    trace = resolver.traces.statements[statement.index]
    for kind, effect, _ in trace.effects:
        if effect == "set" and kind in GENERATORS:
            resolver.bind(
                Binding(
                    "common",
                    AMBIENT[kind].variable,
                    statement.cell,
                    statement.line(),
                    unit=unit_of(statement),
                )
            )


def restore_state(resolver: Resolver, step: StepState, kind: str) -> None:
    """Let a step begin with process state as an earlier step, or setup, left it."""
    variable = AMBIENT[kind].variable
    binding = resolver.names[variable]
    if binding.kind == "common" and binding.unit is not None:
        index = binding.unit.statement.index
        resolver.statements[index] = binding.unit.statement
        if index not in step.settings:
            step.settings.append(index)
            resolver.read_all(step, step.needs, binding.unit.statement)
        return
    if binding.step == step.name or not resolver.within(step, binding):
        return
    step.restores[kind] = None
    step.taints |= AMBIENT[kind].pervasive
    sources = [one.step for one in binding.chain() if one.kind == "step"]
    step.needs.inputs.setdefault(variable, sources)


def _unseeded(
    resolver: Resolver, step: StepState, kind: str, statement: Statement, node: ast.AST
) -> None:
    if kind not in GENERATORS or kind in resolver.drawn:
        return
    resolver.drawn.add(kind)
    resolver.say(
        "NBF301",
        "warning",
        f"This draws from {AMBIENT[kind].title[13:]}, which no cell seeds: every task gets a "
        "seed of its own, recorded with the run.",
        statement,
        node,
        "Seed it in a %%setup cell, or use a generator of your own.",
    )


def _drawn_in_branch(resolver: Resolver, kind: str, statement: Statement, node: ast.AST) -> None:
    resolver.say(
        "NBF301",
        "warning",
        f"Each task of a fan-out draws from {AMBIENT[kind].title[13:]} as it stood before "
        "the fan-out; in the notebook, one item goes on where the last one stopped.",
        statement,
        node,
        "Seed a generator from the item in each task.",
    )
