"""What the notebook offers beside Python: shown values, shell commands, captured output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _print(value: Any) -> None:
    print(repr(value))


#: where shown values go: replace it to show them in another way
_emit: Callable[[Any], None] = _print


def show(value: Any) -> None:
    """Show the value of a cell's last expression."""
    if value is not None:
        _emit(value)
