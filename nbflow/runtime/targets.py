"""Targets: the names of a fan-out's `for`, bound to an item as the notebook would bind them."""

from __future__ import annotations

import ast
import functools
from collections.abc import Sequence
from types import CodeType
from typing import Any

_ITEM = "item of the fan-out"


def bind_item(target: str, names: Sequence[str], item: Any) -> dict[str, Any]:
    """The value of each name; ``target`` is the text of the target, `(number, letter)` say."""
    if len(names) == 1 and target in ("", names[0]):
        return {names[0]: item}
    bound: dict[str, Any] = {}
    exec(_assignment(target or ", ".join(names)), {_ITEM: item}, bound)
    return bound


@functools.cache
def _assignment(target: str) -> CodeType:
    tree = ast.parse(f"{target} = None")
    assign = tree.body[0]
    assert isinstance(assign, ast.Assign)
    assign.value = ast.copy_location(ast.Name(_ITEM, ast.Load()), assign.value)
    return compile(tree, "<--foreach>", "exec")
