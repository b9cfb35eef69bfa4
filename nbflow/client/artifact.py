"""Artifact: a stored value as its record tells it, loaded only when asked for."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

from nbflow.client import preview as previews
from nbflow.client.html import code, dim, page, title
from nbflow.client.text import brief, size
from nbflow.values.codecs import decode_inline
from nbflow.values.ref import Ref

if TYPE_CHECKING:
    from nbflow.store import Store


class Artifact:
    """A named value of a task: `.type`, `.size`, `.preview`; `.value()` loads it."""

    def __init__(self, path: str, ref: Ref, store: Store, load: Callable[[], Any]) -> None:
        self.path = path
        self.ref = ref
        self._store = store
        self._load = load

    @property
    def name(self) -> str:
        """The variable's name."""
        return self.path.rpartition("/")[2]

    @property
    def type(self) -> str:
        """The type as the user knows it: `pandas.DataFrame`."""
        return self.ref.type

    @property
    def size(self) -> int:
        """Bytes as they are stored."""
        return self.ref.size

    @property
    def preview(self) -> dict[str, Any]:
        """What was noted of the value when it was written."""
        return self.ref.preview or {}

    @property
    def plain(self) -> bool:
        """Whether it is a small plain value, kept with its record."""
        return not self.ref.at

    def value(self) -> Any:
        """The value itself."""
        return decode_inline(self.ref) if self.plain else self._load()

    def text(self) -> str:
        """The value in one line, without loading it."""
        if self.plain:
            return repr(self.value())
        return previews.line(self.type, self.preview)

    def details(self) -> str:
        """The preview in full, as text."""
        if self.plain:
            return repr(self.value())
        return previews.text(self.type, self.preview)

    def image(self) -> bytes | None:
        """A PNG of the value, of a figure or an image."""
        held = self.preview.get("image")
        return None if held is None else self._store.get_bytes(Ref.from_json(held))

    def __repr__(self) -> str:
        return f"<{self.path}: {brief(self.text(), 100)}>"

    def _repr_html_(self) -> str:
        if self.plain:
            shown = code(self.details())
        else:
            shown = previews.html(self.type, self.preview, lambda: self.image() or b"")
        return page(title(self.path, dim(self.type), dim(size(self.size))), shown)


def artifact_row(artifact: Artifact) -> list[str]:
    """The cells of a table's row, in HTML."""
    shown = f"<code>{escape(brief(artifact.text(), 90))}</code>"
    return [escape(artifact.name), dim(artifact.type), dim(size(artifact.size)), shown]
