"""Items: what a fan-out runs over, each item pickled by itself in one stored object.

number of items; for each its offset, its length, the offset of its label; the digests; the
labels; the pickles
"""

from __future__ import annotations

import json
import reprlib
import struct
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any

from nbflow.values.codecs import decode
from nbflow.values.layout import ALIGN, Buffer, Encoded
from nbflow.values.plain import NotPlain, encode_plain

_COUNT = struct.Struct("<Q")
_ENTRY = struct.Struct("<QQQQ")
_DIGEST = 16
#: characters of an item's label
_LABEL = 200


class Items(Sequence[Any]):
    """The items of a split: `items[3]` loads one; digests and labels need no unpickling."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        (self._count,) = _COUNT.unpack_from(data)

    def __len__(self) -> int:
        return int(self._count)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        offset, length, _, _ = self._entry(index)
        # copied, since equal items lie in the same place and each is the caller's to change
        return decode("pickle", memoryview(bytearray(self._data[offset : offset + length])))

    def digest(self, index: int) -> str:
        """Equal for equal items: part of the cache key of the item's task."""
        start = _COUNT.size + _ENTRY.size * len(self) + _DIGEST * self._checked(index)
        return bytes(self._data[start : start + _DIGEST]).hex()

    def label(self, index: int) -> Any:
        """The item in short, as JSON: itself where it is small and plain, else its repr."""
        _, _, offset, length = self._entry(index)
        return json.loads(bytes(self._data[offset : offset + length]))

    def _entry(self, index: int) -> tuple[int, int, int, int]:
        start = _COUNT.size + _ENTRY.size * self._checked(index)
        return _ENTRY.unpack_from(self._data, start)

    def _checked(self, index: int) -> int:
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        return index


def encode_items(items: Iterable[Any], name: str) -> Encoded:
    """The items laid out; equal items are written once."""
    labels: list[bytes] = []
    digests: list[bytes] = []
    spans: list[tuple[int, int]] = []
    body: list[Buffer] = []
    # a generator may change what it has yielded
    steady = isinstance(items, list | tuple)
    written: dict[bytes, tuple[int, int]] = {}
    end = 0
    for item, encoded in _each(items, name):
        digest = blake2b(digest_size=_DIGEST)
        for part in encoded.parts:
            digest.update(part)
        key = digest.digest()
        if key not in written:
            padding = -end % ALIGN
            written[key] = (end + padding, encoded.size)
            body.append(bytes(padding))
            body += encoded.parts if steady else [b"".join(encoded.parts)]
            end += padding + encoded.size
        digests.append(key)
        spans.append(written[key])
        labels.append(json.dumps(_label(item)).encode())
    head = _COUNT.size + (_ENTRY.size + _DIGEST) * len(labels)
    after = head + sum(map(len, labels))
    first = after + (-after % ALIGN)
    entries: list[bytes] = []
    for (offset, length), label in zip(spans, labels, strict=True):
        entries.append(_ENTRY.pack(first + offset, length, head, len(label)))
        head += len(label)
    top = [_COUNT.pack(len(labels)), *entries, *digests, *labels, bytes(first - after)]
    return Encoded("items", (b"".join(top), *body))


def _each(items: Iterable[Any], name: str) -> Iterator[tuple[Any, Encoded]]:
    from nbflow.values import pickling

    for index, item in enumerate(items):
        yield item, pickling.dump(item, f"{name}[{index}]")


def _label(item: Any) -> Any:
    try:
        encoded = encode_plain(item)
    except NotPlain:
        return _short(item)
    text = json.dumps(encoded)
    return encoded if len(text) <= _LABEL and '"$"' not in text else _short(item)


def _short(item: Any) -> str:
    try:
        return reprlib.repr(item)[:_LABEL]
    except Exception:
        return f"<{type(item).__name__}>"
