"""Lookup: which version of a name a read means, and what is wrong where there is none."""

from __future__ import annotations

import ast
import builtins
from difflib import get_close_matches
from typing import TYPE_CHECKING

from nbcompile.definitions import definition_node
from nbcompile.names import Binding, Needs, StepState
from nbcompile.refusals import shell_name
from nbcompile.segments import Statement
from nbcompile.trace import Late

if TYPE_CHECKING:
    from nbcompile.resolve import Resolver

BUILTINS = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__", "__builtins__"}


def use(
    resolver: Resolver,
    step: StepState,
    needs: Needs,
    name: str,
    statement: Statement,
    node: ast.AST,
    soft: bool = False,
) -> None:
    """Resolve one read. ``soft``: a function's, which may never be called."""
    binding = resolver.names.get(name)
    if binding is None:
        _unbound(resolver, step, needs, name, statement, node, soft)
        return
    sources: list[str] = []
    for one in binding.chain():
        if one.kind == "step" and one.step == step.name and needs is step.needs:
            continue
        if not _take(resolver, step, needs, one, sources, statement, node, soft):
            break
    if sources and sources != [""]:
        known = needs.inputs.setdefault(name, [])
        known += [source for source in sources if source not in known]


def _take(
    resolver: Resolver,
    step: StepState,
    needs: Needs,
    binding: Binding,
    sources: list[str],
    statement: Statement,
    node: ast.AST,
    soft: bool,
) -> bool:
    """Note one version that a read may mean; whether the search goes on."""
    name = binding.name
    match binding.kind:
        case "step":
            if not resolver.within(step, binding):
                _outside(resolver, binding, statement, node)
                return False
            sources.append(binding.step)
            resolver.uses.append((step.name, binding.step, binding.segment, name, statement.cell))
        case "parameter":
            needs.parameters[name] = None
            sources.append("")
        case "common":
            assert binding.unit is not None
            resolver.include(binding.unit)
            there = binding.unit.renamed.get(name, name)
            if sources or (name in step.writes and needs is step.needs):
                needs.starts[name] = f"common.{there}"
            else:
                needs.common[name] = there
        case "import" if binding.step != step.name:
            for text in binding.imports:
                needs.imports[text] = None
        case "branches":
            needs.fanouts[name] = binding.step
        case "deleted":
            if not soft and name not in BUILTINS:
                resolver.say(
                    "NBF206",
                    "error",
                    f"`{name}` was deleted in cell {binding.cell} (line {binding.line}).",
                    statement,
                    node,
                    "Remove the `del`, or bind the name again.",
                )
        case "untagged":
            return _poisoned(resolver, step, binding, statement, node, soft)
    return True


def _poisoned(
    resolver: Resolver,
    step: StepState,
    binding: Binding,
    statement: Statement,
    node: ast.AST,
    soft: bool,
) -> bool:
    name, cell = binding.name, binding.cell
    where = f"cell {cell} (line {binding.line}), which is no step and does not run in the flow"
    if binding.changed and not binding.sure:
        resolver.say(
            "NBF209",
            "warning",
            f"`{name}` may be changed by {where}.",
            statement,
            node,
            f"If it changes `{name}`, tag cell {cell} as a step.",
        )
        if binding.previous is not None:
            binding.maybe = True
        return True
    if binding.changed or binding.reason == "deletes":
        message = f"`{name}` is {'changed' if binding.changed else 'deleted'} by {where}."
        fix = f"Tag cell {cell} as a step, or let it work on a copy."
    elif binding.reason.startswith("needs"):
        message = f"`{name}` is defined in {where}, and {binding.reason}."
        fix = f"Tag cell {cell} as a step."
    elif binding.reason:
        message = f"`{name}` gets a new value in {where}."
        fix = f"Tag cell {cell} as a step, or use another name there."
    else:
        message = f"`{name}` is made only in {where}."
        fix = f"Tag cell {cell} as a step, or %%setup, so that `{name}` is there in a run."
    code = "NBF202" if not binding.changed and not binding.reason else "NBF209"
    resolver.say(code, "warning" if soft else "error", message, statement, node, fix)
    return False


def _outside(resolver: Resolver, binding: Binding, statement: Statement, node: ast.AST) -> None:
    name, step = binding.name, binding.step
    resolver.say(
        "NBF203",
        "error",
        f"`{name}` exists once for each task of the fan-out `{step}`.",
        statement,
        node,
        f"Read it through the step's name: `[branch.{name} for branch in {step}]`, or "
        f"`{step}.{name}` for the list of all.",
    )


def _unbound(
    resolver: Resolver,
    step: StepState,
    needs: Needs,
    name: str,
    statement: Statement,
    node: ast.AST,
    soft: bool,
) -> None:
    if name in resolver.support or name == "display":
        needs.support[name] = None
        return
    if name in BUILTINS:
        return
    shell = shell_name(name)
    if shell is not None:
        resolver.say("NBF207", "error", shell, statement, node, "Give the value a name instead.")
        return
    if name in statement.facts.guarded and name in statement.facts.writes:
        return  # bound on some way through the statement, or not: it fails as in the notebook
    later = resolver.bound_later(name)
    if soft and later is not None:
        return
    if later is not None:
        message = f"`{name}` is read here and first bound in cell {later}, further down."
        fix = "Move that cell above this one."
    else:
        known = [*resolver.names, *BUILTINS]
        near = get_close_matches(name, known, n=1, cutoff=0.7)
        message = f"No cell binds `{name}`."
        fix = f"Did you mean `{near[0]}`?" if near else "Bind it in a step, or import it."
    resolver.say("NBF201", "warning" if soft else "error", message, statement, node, fix)


def use_late(
    resolver: Resolver, step: StepState, needs: Needs, late: Late, statement: Statement
) -> None:
    """A called function uses a name at module level."""
    unit = resolver.unit_of_node.get(id(late.function))
    name = late.name
    if unit is None and name not in resolver.class_names.get(id(late.function), ()):
        return
    binding = resolver.names.get(name)
    if binding is None and not late.writes:
        return
    own = binding is not None and binding.kind == "step" and binding.step == step.name
    if binding is not None and not own:
        if binding.kind == "common" and binding.unit is not None:
            resolver.include(binding.unit)
            if name not in binding.unit.renamed and not late.writes:
                return
        elif binding.kind == "import" or (
            binding.kind == "untagged" and definition_node(statement) is not None
        ):
            return
        if binding.kind != "deleted":
            use(resolver, step, needs, name, statement, statement.node)
    needs.late[name] = None
    if late.writes:
        step.global_writes.add(name)
        resolver.bind_step(step, name, statement, maybe=binding is None)
