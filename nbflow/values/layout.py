"""Layout: values as a list of buffers that are hashed and written without being joined.

A pickle and its out-of-band buffers become one run of bytes in which every buffer is aligned, so
that a memory map of it can be unpickled in place:

    magic, number of buffers, length of the pickle, then (offset, length, read-only) of each
    buffer, then the pickle, then the buffers
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from nbflow.values.ref import OID_BYTES

Buffer = bytes | bytearray | memoryview

ALIGN = 64
_MAGIC = b"nbfp"
_HEAD = struct.Struct("<4sIQ")
_ENTRY = struct.Struct("<QQQ")

#: blocks and bytes of each that a spot check reads
_SPOTS = 64
_SPOT_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Encoded:
    """A value turned into bytes: the parts follow one another in the stored object."""

    codec: str
    parts: tuple[Buffer, ...]

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(memoryview(part).nbytes for part in self.parts)


def join_pickle(pickled: Buffer, buffers: Sequence[memoryview]) -> tuple[Buffer, ...]:
    """The parts of a pickle with its out-of-band buffers."""
    start = _HEAD.size + _ENTRY.size * len(buffers)
    entries: list[bytes] = []
    body: list[Buffer] = [pickled]
    offset = start + len(pickled)
    for buffer in buffers:
        padding = -offset % ALIGN
        offset += padding
        entries.append(_ENTRY.pack(offset, buffer.nbytes, int(buffer.readonly)))
        body += [bytes(padding), buffer]
        offset += buffer.nbytes
    head = _HEAD.pack(_MAGIC, len(buffers), len(pickled)) + b"".join(entries)
    return (head, *body)


def split_pickle(data: memoryview) -> tuple[memoryview, list[memoryview]]:
    """The pickle and its buffers, as slices of the bytes that `join_pickle` laid out."""
    magic, count, length = _HEAD.unpack_from(data)
    if magic != _MAGIC:
        raise ValueError("not a stored pickle")
    start = _HEAD.size + _ENTRY.size * count
    buffers: list[memoryview] = []
    for index in range(count):
        offset, size, readonly = _ENTRY.unpack_from(data, _HEAD.size + index * _ENTRY.size)
        buffer = data[offset : offset + size]
        buffers.append(buffer.toreadonly() if readonly else buffer)
    return data[start : start + length], buffers


def hash_parts(parts: Iterable[Buffer]) -> str:
    """The content id of the parts as if they were joined."""
    digest = blake2b(digest_size=OID_BYTES)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def spot_check(size: int, read: Callable[[int, int], bytes]) -> int:
    """A checksum over blocks spread over `size` bytes: cheap, and blind to a change elsewhere."""
    check = zlib.crc32(size.to_bytes(8, "little"))
    last = max(size - _SPOT_BYTES, 0)
    for index in range(_SPOTS):
        check = zlib.crc32(read(last * index // (_SPOTS - 1), _SPOT_BYTES), check)
    return check


def spot_check_parts(parts: Sequence[Buffer]) -> int:
    """`spot_check` of the parts as if they were joined."""
    views = [memoryview(part).cast("B") for part in parts if memoryview(part).nbytes]
    starts: list[int] = []
    size = 0
    for view in views:
        starts.append(size)
        size += view.nbytes

    def read(offset: int, length: int) -> bytes:
        found: list[bytes] = []
        for start, view in zip(starts, views, strict=True):
            low, high = max(offset - start, 0), min(offset + length - start, view.nbytes)
            if low < high:
                found.append(bytes(view[low:high]))
        return b"".join(found)

    return spot_check(size, read)
