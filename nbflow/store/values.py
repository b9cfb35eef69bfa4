"""ValueSide: the part of the store that gives values back, checked."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from nbflow.errors import corrupt_value
from nbflow.store.items import Items
from nbflow.store.objects import Objects
from nbflow.store.writer import ValueWriter, object_name
from nbflow.values.codecs import decode, decode_inline
from nbflow.values.layout import spot_check
from nbflow.values.ref import OID_BYTES, Ref, content_id

_CHUNK = 1 << 20


class ValueSide:
    """The part of the store that keeps values."""

    objects: Objects

    def writer(self, prefix: str) -> ValueWriter:
        """A writer whose pack's name begins so."""
        return ValueWriter(self.objects, prefix)

    def get(self, ref: Ref) -> Any:
        """The value, the caller's own: changing it changes nothing that is stored."""
        if not ref.at:
            return decode_inline(ref)
        value = decode(ref.codec, self._bytes(ref))
        return value if ref.member is None else value[ref.member]

    def get_many(self, refs: Mapping[str, Ref]) -> dict[str, Any]:
        """The values by name; those stored together come back sharing what they shared."""
        together: dict[str, Any] = {}
        values: dict[str, Any] = {}
        for name, ref in refs.items():
            if ref.member is None:
                values[name] = self.get(ref)
                continue
            if ref.at not in together:
                together[ref.at] = decode(ref.codec, self._bytes(ref))
            values[name] = together[ref.at][ref.member]
        return values

    def get_bytes(self, ref: Ref) -> bytes:
        """The bytes as they are stored; of an inline value, its JSON."""
        if not ref.at:
            import json

            return json.dumps(ref.inline).encode()
        return bytes(self._bytes(ref))

    def view(self, ref: Ref) -> memoryview:
        """The bytes as they are stored, without a copy where they lie on this machine."""
        return self._bytes(ref) if ref.at else memoryview(self.get_bytes(ref))

    def items(self, ref: Ref) -> Items:
        """The items of a fan-out, as `ValueWriter.put_items` stored them."""
        return Items(self._bytes(ref))

    def verify(self, ref: Ref) -> None:
        """Read all bytes of a value and compare; raises `CorruptValueError`."""
        if not ref.at:
            return
        data = self._raw(ref)
        digest = blake2b(digest_size=OID_BYTES)
        for start in range(0, len(data), _CHUNK):
            digest.update(data[start : start + _CHUNK])
        if digest.hexdigest() != ref.oid:
            raise _differs(ref)

    def _bytes(self, ref: Ref) -> memoryview:
        data = self._raw(ref)
        if ref.spot is None:
            intact = content_id(data) == ref.oid
        else:
            # hashing all of it would cost more than mapping it saves: `verify` does that
            intact = spot_check(len(data), lambda o, n: bytes(data[o : o + n])) == ref.spot
        if not intact:
            raise _differs(ref)
        return data

    def _raw(self, ref: Ref) -> memoryview:
        kind, _, rest = ref.at.partition("/")
        if kind == "o":
            return self.objects.map(object_name(rest), ref.size)
        pack, offset, length = rest.split("/")
        return self.objects.read(f"packs/{pack}", int(offset), int(length))


def _differs(ref: Ref) -> Exception:
    return corrupt_value(
        f"The stored bytes of a {ref.type} ({ref.at}) are not those that were written: "
        "the file is damaged.",
        "Run the step that made the value again with `--no-cache`.",
    )
