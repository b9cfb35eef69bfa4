"""Other cells: what setup and analysis cells add to the names in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbcompile.ambient import AMBIENT
from nbcompile.definitions import (
    definition_node,
    is_conditional_definition,
    is_constant,
    is_import,
    is_lock,
    unit_of,
)
from nbcompile.importing import bind_import, made_of_code, sets_path
from nbcompile.names import Binding
from nbcompile.processstate import state_of_setup
from nbcompile.segments import Statement

if TYPE_CHECKING:
    from nbcompile.resolve import Resolver


def setup_statement(resolver: Resolver, statement: Statement) -> None:
    resolver.note_future(statement)
    unit = unit_of(statement, always=True)
    for name in (*statement.facts.reads, *statement.facts.lazy):
        binding = resolver.names.get(name)
        if binding is None and name in resolver.support:
            resolver.common.support[name] = None
        eager = name in statement.facts.reads
        if eager and binding is not None and binding.kind in ("step", "parameter", "untagged"):
            where = "a parameter" if binding.kind == "parameter" else "no part of setup"
            resolver.say(
                "NBF210",
                "error",
                f"Setup runs when a module is imported, and `{name}` is {where} then.",
                statement,
                statement.facts.reads[name],
                f"Move this line to the step that needs it, or make `{name}` in setup too.",
            )
    if is_import(statement):
        if not resolver.path_is_set:
            resolver.add_unit(unit)
        bind_import(resolver, statement)
        return
    if sets_path(resolver, statement):
        return
    resolver.add_unit(unit)
    for name in statement.facts.writes:
        resolver.bind(Binding("common", name, statement.cell, statement.line(), unit=unit))
    state_of_setup(resolver, statement)


def analysis_statement(resolver: Resolver, statement: Statement) -> None:
    trace = resolver.traces.statements[statement.index]
    resolver.note_future(statement)
    if is_import(statement):
        bind_import(resolver, statement)
        return
    if sets_path(resolver, statement):
        return
    taken = _carry(resolver, statement)
    for name in statement.facts.writes if not taken else ():
        reason = _why_not_carried(resolver, statement, name)
        resolver.bind(
            Binding(
                "untagged",
                name,
                statement.cell,
                statement.line(),
                previous=resolver.names.get(name),
                reason=reason,
            )
        )
    for name in statement.facts.deletes:
        if name in resolver.names:
            resolver.bind(
                Binding("untagged", name, statement.cell, statement.line(), reason="deletes")
            )
    for name, change in trace.changed.items():
        binding = resolver.names.get(name)
        if name in statement.facts.writes or binding is None or binding.kind == "untagged":
            continue
        if binding.kind in ("step", "parameter", "common"):
            resolver.bind(
                Binding(
                    "untagged",
                    name,
                    statement.cell,
                    statement.line(change.node),
                    previous=binding,
                    changed=True,
                    sure=change.sure,
                )
            )
    if trace.sets_option:
        resolver.say(
            "NBF303",
            "warning",
            "This sets an option in a cell that does not run in the flow.",
            statement,
            fix="Tag the cell %%setup, so that it holds for every step.",
        )
    for kind, effect, node in trace.effects:
        if effect == "set" and kind != "figure":
            resolver.say(
                "NBF301" if "random" in kind else "NBF303",
                "warning",
                f"This sets {AMBIENT[kind].title} in a cell that does not run in the flow.",
                statement,
                node,
                "Tag the cell %%setup or as a step.",
            )


def _carry(resolver: Resolver, statement: Statement) -> bool:
    """Make a definition of an analysis cell available to later steps, where it can be."""
    wanted = (
        definition_node(statement) is not None
        or is_constant(statement)
        or is_conditional_definition(statement)
        or is_lock(statement)
    )
    if not wanted:
        return False
    constant = is_constant(statement)
    for name in statement.facts.writes:
        now = resolver.names.get(name)
        if constant and now is not None and now.kind in ("step", "parameter", "untagged"):
            return False
    if not made_of_code(resolver, statement):
        return False
    unit = unit_of(statement)
    for name in unit.names:
        versions = sum(name in other.names for other in resolver.units)
        if versions:
            unit.renamed[name] = f"{name}_{versions + 1}"
    resolver.add_unit(unit)
    for name in unit.names:
        resolver.bind(Binding("common", name, statement.cell, statement.line(), unit=unit))
    return True


def _why_not_carried(resolver: Resolver, statement: Statement, name: str) -> str:
    if definition_node(statement) is None:
        now = resolver.names.get(name)
        if now is not None and now.kind in ("step", "parameter"):
            return f"sets `{name}` again"
        return ""
    others = [n for n in statement.facts.reads if n in resolver.names]
    needs = [n for n in others if resolver.names[n].kind not in ("common", "import")]
    return f"needs `{needs[0]}` when it is made" if needs else ""
