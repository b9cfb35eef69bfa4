"""Imports: the names that an import statement binds, each with the statement for it alone.

A line that only adds folders to the module search path runs in the shared module, and so do the
imports after it: every process then finds what lies there, whatever it reads first.
"""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

from nbcompile.ambient import AMBIENT
from nbcompile.definitions import import_texts, unit_of
from nbcompile.lookup import BUILTINS
from nbcompile.names import Binding, StepState
from nbcompile.segments import Statement
from nbcompile.stars import star_exports

if TYPE_CHECKING:
    from nbcompile.resolve import Resolver


def bind_import(resolver: Resolver, statement: Statement, step: StepState | None = None) -> bool:
    """Bind an import's names; whether the statement must stay where it is."""
    node = statement.node
    assert isinstance(node, ast.Import | ast.ImportFrom)
    texts = import_texts(node)
    if resolver.path_is_set and _from_outside(node):
        unit = unit_of(statement, always=True)
        resolver.add_unit(unit)
        for name in texts:
            resolver.bind(Binding("common", name, statement.cell, statement.line(), unit=unit))
        return False
    # after a change of the search path, an import must stay where it is
    stays = step is not None and "sys_path" in step.saves
    if any(alias.name == "*" for alias in node.names):
        assert isinstance(node, ast.ImportFrom)
        exports = star_exports(node.module or "")
        if exports is None:
            resolver.say(
                "NBF201",
                "error" if step is not None else "warning",
                f"What `from {node.module} import *` brings cannot be told: the module does "
                "not import here.",
                statement,
                fix="Install it, or import the names you use by name.",
            )
        for name in exports or ():
            texts[name] = f"from {node.module} import {name}"
    for name, text in texts.items():
        previous = resolver.names.get(name)
        joined: tuple[str, ...] = (text,)
        if (
            isinstance(node, ast.Import)
            and previous is not None
            and previous.kind == "import"
            and "." in text
            and " as " not in text
        ):
            joined = tuple(dict.fromkeys((*previous.imports, text)))
        binding = Binding("import", name, statement.cell, statement.line(), imports=joined)
        if stays and step is not None:
            binding.step = step.name
        resolver.bind(binding)
        if step is not None:
            step.writes.pop(name, None)
    return stays


def made_of_code(resolver: Resolver, statement: Statement) -> bool:
    """Whether all that a definition needs at its making is code itself."""
    for name in statement.facts.reads:
        binding = resolver.names.get(name)
        if binding is None:
            if name not in BUILTINS and name not in resolver.support:
                return False
        elif binding.kind not in ("common", "import"):
            return False
    lazy = (resolver.names.get(name) for name in statement.facts.lazy)
    # an import that has to stay in its step is not there in the shared module
    return not any(one is not None and one.kind == "import" and one.step for one in lazy)


def sets_path(resolver: Resolver, statement: Statement) -> bool:
    """Add a statement to the shared module if all that it does is to set the search path.

    What it is made of has to be there when a module is imported: literals and the standard library.
    """
    trace, facts = resolver.traces.statements[statement.index], statement.facts
    if not trace.effects or any(found[:2] != ("sys_path", "set") for found in trace.effects):
        return False
    if resolver.writes_modules or facts.writes or facts.lazy:
        return False
    if any(AMBIENT[k].variable in resolver.names for k in _PLACES):
        return False
    for name in facts.reads:
        binding = resolver.names.get(name)
        if binding is None:
            continue  # a builtin, or an error that others report
        if binding.kind != "import" or not all(map(_is_standard, binding.imports)):
            return False
    resolver.add_unit(unit_of(statement, always=True))
    resolver.path_is_set = True
    return True


#: what a path may depend on without a word
_PLACES = ("cwd", "environ", "sys_path")


def _is_standard(text: str) -> bool:
    return text.split()[1].split(".")[0] in sys.stdlib_module_names


def _from_outside(node: ast.Import | ast.ImportFrom) -> bool:
    """Whether an import may be of a module that lies in a folder of the user's."""
    if isinstance(node, ast.ImportFrom):
        star = any(alias.name == "*" for alias in node.names)
        return not star and not node.level and not _is_standard(f"from {node.module}")
    return not all(_is_standard(f"import {alias.name}") for alias in node.names)
