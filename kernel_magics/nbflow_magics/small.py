"""Small: a value in few characters, as the history keeps it: a plain one itself, else its type.

What is the user's own may misbehave and may be large: it is neither asked nor printed.
"""

from __future__ import annotations

import math
import reprlib
from datetime import date, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath
from typing import Any
from uuid import UUID

#: characters of a value that are kept
_MOST = 200
#: elements of a container that are shown
_FEW = 20
#: integers beyond 64 bit are no numbers to a database
_WIDE = 63
_CONTAINERS = (list, tuple, dict, set, frozenset)
#: what is best told as it prints
_SCALARS = (date, time, timedelta, Decimal, Fraction, PurePath, UUID)


def small(value: Any) -> Any:
    """A value as history shows it: what JSON has, bounded."""
    try:
        return _small(value)
    except Exception:
        return type(value).__name__


def clean(text: str) -> str:
    """Text that any file can hold: halves of surrogate pairs as `\\ud800`."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _small(value: Any) -> Any:
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is int:
        return value if value.bit_length() <= _WIDE else f"int of {value.bit_length():,} bits"
    if kind is float:
        return value if math.isfinite(value) else str(value)
    if kind is str:
        return clean(value if len(value) <= _MOST else f"{value[:_MOST]}…")
    if issubclass(kind, _CONTAINERS) and kind.__module__ in ("builtins", "collections"):
        return _short(value) if len(value) <= _FEW else f"{kind.__name__} of {len(value)}"
    if kind is complex or issubclass(kind, _SCALARS):
        return clean(str(value)[:_MOST])
    if kind.__module__ == "__main__":
        return kind.__name__
    shape = getattr(value, "shape", None)
    if shape == () and kind.__module__ == "numpy" and hasattr(value, "item"):
        item = value.item()  # a number of numpy's
        return _small(item) if type(item) in (bool, int, float, str) else clean(str(value))[:_MOST]
    if isinstance(shape, tuple) and shape:
        return f"{kind.__name__} {' by '.join(map(str, shape))}"
    return kind.__name__


class _Short(reprlib.Repr):
    """Prints containers of plain values; of other elements it names the type."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = self.maxfrozenset = _FEW

    def repr1(self, x: Any, level: int) -> str:
        """One element."""
        if issubclass(type(x), dict):
            return self.repr_dict(x, level)
        if type(x) in (*_CONTAINERS, str):
            return super().repr1(x, level)
        return repr(x)[:_MOST] if type(x) is bytes else str(small(x))


def _short(value: Any) -> str:
    return clean(_Short().repr(value)[:_MOST])
