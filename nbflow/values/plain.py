"""Plain: small plain values as JSON that gives back exactly the same value and types.

What JSON has is written as it is; the rest becomes `{"$": kind, "v": …}`. Anything large, shared
within itself, or of another type is not plain, and is stored by another codec.
"""

from __future__ import annotations

import base64
import itertools
import json
import math
import random
import sys
from typing import Any, Final

#: characters of JSON that a plain value may have
LIMIT: Final = 1024
#: values within values that are looked at before giving up
_NODES: Final = 256
_DEPTH: Final = 16
#: integers longer than this meet Python's limit on digits
_BITS: Final = 2048
#: sets up to this size have every order tried, larger ones so many
_FEW: Final = 6
_TRIES: Final = 200


class NotPlain(Exception):
    """The value is not small and plain."""


def encode_plain(value: Any) -> Any:
    """The value as JSON data; raises `NotPlain`."""
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is float and math.isfinite(value):
        return value
    encoded = _Encoder().encode(value, 0)
    if len(json.dumps(encoded)) > LIMIT:
        raise NotPlain
    return encoded


def decode_plain(data: Any) -> Any:
    """The value that `encode_plain` was given."""
    if type(data) is list:
        return [decode_plain(item) for item in data]
    if type(data) is not dict:
        return data
    kind = data.get("$")
    if kind is None:
        return {key: decode_plain(item) for key, item in data.items()}
    held = data["v"]
    match kind:
        case "float":
            return float(held)
        case "complex":
            return complex(decode_plain(held[0]), decode_plain(held[1]))
        case "bytes":
            return base64.b64decode(held)
        case "tuple":
            return tuple(decode_plain(item) for item in held)
        case "set":
            return {decode_plain(item) for item in held}
        case "frozenset":
            return frozenset(decode_plain(item) for item in held)
        case "dict":
            return {decode_plain(key): decode_plain(item) for key, item in held}
        case "numpy":
            import numpy as np

            return np.dtype(data["t"]).type(decode_plain(held))
    raise ValueError(f"unknown kind of plain value: {kind!r}")


class _Encoder:
    """One walk over a value: counts what it meets and notices what it meets twice."""

    def __init__(self) -> None:
        self.nodes = 0
        self.seen: set[int] = set()

    def encode(self, value: Any, depth: int) -> Any:
        self.nodes += 1
        if self.nodes > _NODES or depth > _DEPTH:
            raise NotPlain
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is int:
            if value.bit_length() > _BITS:
                raise NotPlain
            return value
        if kind is float:
            return value if math.isfinite(value) else {"$": "float", "v": repr(value)}
        if kind is str:
            return _text(value)
        if kind is bytes and len(value) <= LIMIT:
            return {"$": "bytes", "v": base64.b64encode(value).decode()}
        if kind is complex:
            parts = [self.encode(value.real, depth), self.encode(value.imag, depth)]
            return {"$": "complex", "v": parts}
        if kind in (list, dict, set, tuple, frozenset):
            return self._container(value, kind, depth + 1)
        return self._numpy(value)

    def _container(self, value: Any, kind: type, depth: int) -> Any:
        if len(value) > _NODES:
            raise NotPlain
        if kind in (list, dict, set):
            # the same container in two places is to come back as the same one: pickle does that
            if id(value) in self.seen:
                raise NotPlain
            self.seen.add(id(value))
        if kind is dict:
            if all(type(key) is str for key in value) and "$" not in value:
                return {_text(key): self.encode(item, depth) for key, item in value.items()}
            pairs = [
                [self.encode(key, depth), self.encode(item, depth)] for key, item in value.items()
            ]
            return {"$": "dict", "v": pairs}
        elements = in_order(value) if kind in (set, frozenset) else value
        items = [self.encode(item, depth) for item in elements]
        return items if kind is list else {"$": kind.__name__, "v": items}

    def _numpy(self, value: Any) -> Any:
        np = sys.modules.get("numpy")
        if np is None or not isinstance(value, np.generic):
            raise NotPlain
        dtype = value.dtype
        if dtype.kind not in "biuf" or dtype.itemsize > 8 or np.dtype(dtype.name) is not dtype:
            raise NotPlain
        if np.dtype(dtype.name).type is not type(value):
            raise NotPlain
        return {"$": "numpy", "t": dtype.name, "v": self.encode(value.item(), 0)}


def in_order(value: Any) -> list[Any]:
    """A set's elements in an order that makes a set met in the same order again.

    Elements whose hashes collide stand where the order of their coming put them; the order in
    which they are met now need not be one that puts them there. For a few elements every order is
    tried, for many only some: then the set may be met in another order.
    """
    met = list(value)
    if list(set(met)) == met:
        return met
    shuffler = random.Random(0)
    shuffled = (shuffler.sample(met, len(met)) for _ in range(_TRIES))
    for tried in itertools.permutations(met) if len(met) <= _FEW else shuffled:
        if list(set(tried)) == met:
            return list(tried)
    return met


def _text(value: str) -> str:
    if len(value) > LIMIT:
        raise NotPlain
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            # two lone surrogates would come back as one character
            raise NotPlain from None
    return value
