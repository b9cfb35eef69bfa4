"""State: the lines that hand process state on, with its module under a name that is free."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from nbcompile.ambient import AMBIENT, Ambient


def state_lines(kind: str, taken: Collection[str]) -> Ambient:
    """The lines for one kind of process state; ``taken`` are names that the code has for its own.

    After `from random import random`, or `*`, the module goes by another name.
    """
    ambient = AMBIENT[kind]
    (line,) = ambient.imports
    module = line.removeprefix("import ")
    root = module.partition(".")[0]
    if root not in taken and "*" not in taken:
        return ambient
    alias = f"{root}_module"
    while alias in taken:
        alias += "_"

    def renamed(text: str) -> str:
        return re.sub(rf"\b{re.escape(module)}\.", f"{alias}.", text)

    return replace(
        ambient,
        imports=(f"import {module} as {alias}",),
        restore=tuple(map(renamed, ambient.restore)),
        save=renamed(ambient.save),
        prepare=renamed(ambient.prepare),
        save_again=renamed(ambient.save_again),
    )
