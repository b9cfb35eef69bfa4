"""Flow-wide options: what `%flow` lines say, and the flow's name."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from typing import Any

from nbcompile.diagnostics import Diagnostic
from nbcompile.tags import TaggedCell


def flow_options(
    cells: Iterable[TaggedCell], stem: str
) -> tuple[str, dict[str, Any], tuple[Diagnostic, ...]]:
    """The flow's name (the file's stem where none is given), its options, what is wrong."""
    name: str | None = None
    options: dict[str, Any] = {}
    diagnostics = []
    for cell in cells:
        if cell.flow_name is not None:
            if name not in (None, cell.flow_name):
                message = f"The flow is named both `{name}` and `{cell.flow_name}`."
                diagnostics.append(
                    Diagnostic("NBF106", "error", message, cell.cell, 1, fix="Keep one of them.")
                )
            name = cell.flow_name
        for given in cell.flow_given:
            options[given.option.name] = given.value.strip("\"'")
    return name or _usable(stem), options, tuple(diagnostics)


def _usable(stem: str) -> str:
    """A file's stem as a name: `My flow-2` → `my_flow_2`."""
    name = re.sub(r"\W+", "_", stem).strip("_").lower() or "flow"
    if name[0].isdigit() or keyword.iskeyword(name):
        name = f"flow_{name}"
    return name
