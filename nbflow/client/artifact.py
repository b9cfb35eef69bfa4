"""Artifact: a stored value as its record tells it, loaded only when asked for."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from nbflow.client.html import code, dim, page, title
from nbflow.client.text import brief, size
from nbflow.values.codecs import decode_inline
from nbflow.values.ref import Ref


class Artifact:
    """A named value of a task: `.type`, `.size`, `.preview`; `.value()` loads it."""

    def __init__(self, path: str, ref: Ref, load: Callable[[], Any]) -> None:
        self.path = path
        self.ref = ref
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
        return self._load()

    def text(self) -> str:
        """The value in short, without loading it."""
        if self.plain:
            return repr(decode_inline(self.ref))
        preview = self.preview
        facts = [_shape(preview["shape"])] if preview.get("shape") is not None else []
        facts += [str(preview[name]) for name in ("dtype", "length") if preview.get(name)]
        head = " ".join([self.type.rpartition(".")[2], *facts])
        return f"{head}: {brief(preview['repr'], 80)}" if preview.get("repr") else head

    def details(self) -> str:
        """The preview in full, as text."""
        if self.plain:
            return repr(decode_inline(self.ref))
        lines = [self.preview["repr"]] if self.preview.get("repr") else []
        lines += [
            f"{name}: {brief(value, 400)}"
            for name, value in self.preview.items()
            if name not in ("repr", "image")
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<{self.path}: {self.text()}>"

    def _repr_html_(self) -> str:
        return page(
            title(self.path, dim(self.type), dim(size(self.size))),
            code(self.details()),
        )


def artifact_row(artifact: Artifact) -> list[str]:
    """The cells of a table's row, in HTML."""
    shown = f"<code>{escape(brief(artifact.text(), 90))}</code>"
    return [escape(artifact.name), dim(artifact.type), dim(size(artifact.size)), shown]


def _shape(shape: Any) -> str:
    return " x ".join(map(str, shape)) if isinstance(shape, list) else str(shape)
