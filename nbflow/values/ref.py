"""Ref: the short record of a stored value, enough to show it and to find its bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

#: bytes of a content id; its text form has twice as many characters
OID_BYTES = 32


@dataclass(frozen=True, slots=True)
class Ref:
    """A stored value: what it is, and where its bytes are.

    ``at`` is ``""`` for a value held in ``inline``, ``o/<oid>`` for an object of its own and
    ``p/<pack>/<offset>/<length>`` for a part of a pack. Values stored together share ``oid`` and
    ``at`` and differ in ``member``.
    """

    oid: str
    codec: str
    type: str
    size: int
    at: str = ""
    #: the value itself in JSON, where it is small and plain (see `nbflow.values.plain`)
    inline: Any = None
    member: str | None = None
    #: what a viewer shows without loading the value
    preview: dict[str, Any] | None = None
    #: a checksum over sampled blocks; only of objects too large to be hashed at every read
    spot: int | None = None

    @property
    def identity(self) -> str:
        """Equal for equal contents: what a cache key is made of."""
        return f"{self.codec}:{self.oid}" + (f":{self.member}" if self.member is not None else "")

    def to_json(self) -> dict[str, Any]:
        """A JSON object; what is unset is left out."""
        out: dict[str, Any] = {
            "oid": self.oid,
            "codec": self.codec,
            "type": self.type,
            "size": self.size,
        }
        if self.at:
            out["at"] = self.at
        else:
            out["inline"] = self.inline
        if self.member is not None:
            out["member"] = self.member
        if self.preview is not None:
            out["preview"] = self.preview
        if self.spot is not None:
            out["spot"] = self.spot
        return out

    @staticmethod
    def from_json(data: dict[str, Any]) -> Ref:
        """The ref that `to_json` described."""
        return Ref(**data)


def inline_ref(encoded: Any, type_name: str) -> Ref:
    """The ref of a small plain value, already encoded as JSON."""
    text = json.dumps(encoded)
    return Ref(content_id(text.encode()), "json", type_name, len(text), "", encoded)


def content_id(data: bytes | memoryview) -> str:
    """The id of these bytes."""
    return blake2b(data, digest_size=OID_BYTES).hexdigest()
