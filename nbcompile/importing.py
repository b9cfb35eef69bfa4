"""Imports: the names that an import statement binds, each with the statement for it alone."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nbcompile.definitions import import_texts
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
