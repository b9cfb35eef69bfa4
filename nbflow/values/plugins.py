"""Plugins: codecs of other distributions, found by entry point.

An entry point in the group `nbflow.codecs` is named after the top-level package whose types it
serves (`torch`, say) and leads to an object with `encode` and `decode`, as in `Codec`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol

from nbflow.errors import store_error
from nbflow.values.layout import Buffer, Encoded

GROUP = "nbflow.codecs"
_PREFIX = "plugin:"
_OURS = frozenset({"__main__", "numpy", "pandas"})


class Codec(Protocol):
    """How the values of one library become bytes."""

    def encode(self, value: Any) -> Sequence[Buffer] | None:
        """The value as buffers that follow one another; None to leave it to pickle."""

    def decode(self, data: memoryview) -> Any:
        """The same value. It may keep `data`, which is its own to change."""


def encode(value: Any) -> Encoded | None:
    """The value by a plugin's codec; None where no plugin serves its type."""
    package = type(value).__module__.partition(".")[0]
    # finding entry points takes a while: not for what no plugin serves
    if package in _OURS or package in sys.stdlib_module_names or package not in _points():
        return None
    parts = _codec(package).encode(value)
    return None if parts is None else Encoded(_PREFIX + package, tuple(parts))


def decode(codec: str, data: memoryview) -> Any:
    """The value that a plugin's codec has encoded."""
    package = codec.removeprefix(_PREFIX)
    if package == codec or package not in _points():
        raise store_error(
            f"The value was stored by a codec that is not installed here: {codec}.",
            "Install the packages that the run recorded: `nbflow show RUN`.",
        )
    return _codec(package).decode(data)


@cache
def _points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


@cache
def _codec(package: str) -> Codec:
    codec: Codec = _points()[package].load()
    return codec
