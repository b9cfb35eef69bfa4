"""ValueWriter: puts values into the store; small ones share a pack, large ones are files."""

from __future__ import annotations

import dataclasses
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

from nbflow.store.items import encode_items
from nbflow.store.objects import Objects
from nbflow.values.codecs import encode, encode_inline, type_name
from nbflow.values.layout import Buffer, Encoded, hash_parts, spot_check_parts
from nbflow.values.preview import preview
from nbflow.values.ref import Ref

#: values of at most this many bytes go into a pack
PACKED = 128 * 1024
#: objects of at most this many bytes are hashed whole whenever they are read
HASHED = 4 * 1024 * 1024
_CONTAINERS = (list, dict, set, tuple, frozenset)
#: a pack that has grown beyond this is followed by another
_PACK_LIMIT = 256 * 1024 * 1024
#: locations of packed values that a writer remembers, so as not to write them twice
_REMEMBERED = 50_000


class ValueWriter:
    """One writer's way into the store, with a pack of its own. Not for several threads.

    What it has put can be read after `flush`, which has to come before the refs are published.
    """

    def __init__(self, objects: Objects, prefix: str) -> None:
        self._objects = objects
        self._prefix = re.sub(r"[^\w.-]+", "-", prefix)
        self._waiting: list[Buffer] = []
        self._known: dict[str, str] = {}
        self._pack = ""
        self._offset = 0
        #: bytes of the pack that are in its file
        self._written = 0
        self._start_pack()

    def put(self, value: Any, name: str, captured: frozenset[str] = frozenset()) -> Ref:
        """Store a value; ``name`` is its variable, for messages.

        ``captured`` are names that no function in the value may hold on to.
        """
        inline = encode_inline(value)
        if inline is not None:
            return inline
        ref = self._store(encode(value, name, captured), type_name(value))
        return dataclasses.replace(ref, preview=self._preview(value))

    def put_together(
        self, values: Mapping[str, Any], captured: frozenset[str] = frozenset()
    ) -> dict[str, Ref]:
        """Store variables that share identity, so that `Store.get_many` gives them back sharing."""
        # what cannot change has nothing to share
        alone = {
            name
            for name, value in values.items()
            if not isinstance(value, _CONTAINERS) and encode_inline(value) is not None
        }
        held = {name: value for name, value in values.items() if name not in alone}
        if len(held) < 2:
            return {name: self.put(value, name, captured) for name, value in values.items()}
        ref = self._store(encode(held, ", ".join(held), captured), "dict")
        return {
            name: self.put(value, name, captured)
            if name in alone
            else dataclasses.replace(
                ref, member=name, type=type_name(value), preview=self._preview(value)
            )
            for name, value in values.items()
        }

    def put_items(self, items: Iterable[Any], name: str) -> Ref:
        """Store the items of a fan-out, each by itself in one object: see `Store.items`."""
        return self._store(encode_items(items, name), "list")

    def put_bytes(self, data: Buffer, codec: str = "bytes") -> Ref:
        """Store bytes as they are; with the codec `text` they come back as a str."""
        return self._store(Encoded(codec, (data,)), "str" if codec == "text" else "bytes")

    def flush(self) -> None:
        """Write out what waits for the pack."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        try:
            self._objects.append(f"packs/{self._pack}", self._written, waiting)
        except BaseException:
            # what the pack should have held is nowhere: forget that it was to be there
            self._known.clear()
            self._start_pack()
            raise
        self._written = self._offset
        if not self._objects.appends or self._offset > _PACK_LIMIT:
            self._start_pack()

    def close(self) -> None:
        """Flush. The writer can be used again."""
        self.flush()

    def __enter__(self) -> ValueWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()

    def _preview(self, value: Any) -> dict[str, Any] | None:
        return preview(value, self._put_image)

    def _put_image(self, data: bytes) -> dict[str, Any]:
        return self.put_bytes(data).to_json()

    def _store(self, encoded: Encoded, kind: str) -> Ref:
        oid = hash_parts(encoded.parts)
        size = encoded.size
        if size <= PACKED:
            at = self._known.get(oid) or self._add_to_pack(oid, encoded.parts, size)
            return Ref(oid, encoded.codec, kind, size, at)
        name = object_name(oid)
        if not self._objects.has(name):
            self._objects.write(name, encoded.parts)
        spot = spot_check_parts(encoded.parts) if size > HASHED else None
        return Ref(oid, encoded.codec, kind, size, f"o/{oid}", spot=spot)

    def _add_to_pack(self, oid: str, parts: Sequence[Buffer], size: int) -> str:
        # copied: the value may be changed before the pack is written
        self._waiting.append(b"".join(parts))
        at = f"p/{self._pack}/{self._offset}/{size}"
        self._offset += size
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[oid] = at
        if self._offset - self._written > 8 * 1024 * 1024:
            self.flush()
        return at

    def _start_pack(self) -> None:
        self._pack = f"{self._prefix}-{uuid.uuid4().hex[:12]}"
        self._offset = 0
        self._written = 0


def object_name(oid: str) -> str:
    """The name of an object's file."""
    return f"objects/{oid[:2]}/{oid}"
