"""Source: the text of a file as it is put together, each line knowing its cell and line."""

from __future__ import annotations

from dataclasses import dataclass, field

#: a cell and a line in it
Origin = tuple[int, int]


@dataclass(slots=True)
class Source:
    """Lines of Python, and for each the origin it has in the notebook, if any."""

    lines: list[str] = field(default_factory=list)
    origins: list[Origin | None] = field(default_factory=list)

    def add(self, text: str = "", origin: Origin | None = None) -> None:
        """Add lines that all have one origin, or none."""
        for line in text.split("\n"):
            self.lines.append(line)
            self.origins.append(origin)

    def add_mapped(self, text: str, cell: int, lines: tuple[int, ...]) -> None:
        """Add the lines of a piece; ``lines`` are their lines in the cell."""
        for line, number in zip(text.split("\n"), lines, strict=True):
            self.lines.append(line)
            self.origins.append((cell, number))

    def text(self) -> str:
        """The file's text."""
        return "\n".join(self.lines).rstrip("\n") + "\n"
