"""Codecs: the one way from a value to bytes and back, chosen by type."""

from __future__ import annotations

import sys
from typing import Any

from nbflow.values.layout import Encoded
from nbflow.values.plain import NotPlain, decode_plain, encode_plain
from nbflow.values.ref import Ref, inline_ref


def type_name(value: Any) -> str:
    """The type as users know it: `int`, `pandas.DataFrame`, `churn.common.Model`."""
    kind = type(value)
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def encode_inline(value: Any) -> Ref | None:
    """The ref that holds the value itself, where it is small and plain."""
    try:
        return inline_ref(encode_plain(value), type_name(value))
    except NotPlain:
        return None


def encode(value: Any, name: str, captured: frozenset[str] = frozenset()) -> Encoded:
    """The value as bytes, by the first codec that gives it back exactly."""
    if type(value) is bytes:
        return Encoded("bytes", (value,))
    if type(value) is str and value.isascii():
        return Encoded("text", (value.encode(),))
    if "numpy" in sys.modules:
        from nbflow.values import arrays

        encoded = arrays.encode(value)
        if encoded is not None:
            return encoded
    if "pandas" in sys.modules:
        from nbflow.values import frames

        encoded = frames.encode(value)
        if encoded is not None:
            return encoded
    from nbflow.values import pickling, plugins

    encoded = plugins.encode(value)
    if encoded is not None:
        return encoded
    return pickling.dump(value, name, captured)


def decode(codec: str, data: memoryview) -> Any:
    """The value in `data`, which it keeps and may change: these must be the caller's own bytes."""
    if codec == "bytes":
        return bytes(data)
    if codec == "text":
        # a program may print any bytes
        return str(data, "utf-8", "replace")
    if codec in ("numpy", "numpy-readonly"):
        from nbflow.values import arrays

        return arrays.decode(codec, data)
    if codec == "arrow":
        from nbflow.values import frames

        return frames.decode(data)
    if codec == "pickle":
        from nbflow.values import pickling

        return pickling.load(data)
    from nbflow.values import plugins

    return plugins.decode(codec, data)


def decode_inline(ref: Ref) -> Any:
    """The value that the ref itself holds."""
    return decode_plain(ref.inline)
