"""Cells: the notebook as this kernel knows it: what ran, and how the file stands beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbcompile.notebook import Cell, Notebook, NotebookError, read_notebook
from nbcompile.tags import read_tags

if TYPE_CHECKING:
    from nbcompile.flow import Flow

#: bytes up to which the file is read between cells, and cells up to which it is understood
_BYTES = 256 << 10
_CELLS = 300


@dataclass(frozen=True, slots=True)
class Ran:
    """A cell as it ran last: its `In [n]`, when, its source and its tags."""

    count: int
    at: float
    source: str
    tags: tuple[str, ...] = ()


class Cells:
    """What ran in this kernel, by the cells' ids, and the notebook's file where it is known."""

    def __init__(self, path: Callable[[], Path | None]) -> None:
        self._path = path
        self.ran: dict[str, Ran] = {}
        self._file: Notebook | None = None
        self._saved = 0.0
        #: ids that the file has had
        self._seen: set[str] = set()
        self._places: dict[str, int] = {}
        self._known: tuple[Any, Understood | None] = (None, None)

    def add(self, cell: str | None, step: str | None, ran: Ran) -> None:
        """A cell has run; where the front end gives no id, a step's newest cell stands for it."""
        key = cell if cell is not None else f"step {step}" if step else f"In [{ran.count}]"
        self.ran[key] = ran

    def look(self) -> None:
        """Read the file again if it has been saved since."""
        path = self._path()
        if path is None:
            return
        try:
            status = path.stat()
            if status.st_mtime == self._saved:
                return
            self._saved = status.st_mtime
            self._file = read_notebook(path) if status.st_size <= _BYTES else None
        except (OSError, NotebookError):
            self._file = None
        cells = self._file.cells if self._file is not None else ()
        self._places = {cell.id: cell.index for cell in cells if cell.id}
        self._seen.update(self._places)

    def steps(self) -> list[str]:
        """The steps that the file has, in order."""
        self.look()
        cells = self._file.cells if self._file is not None else ()
        found = (read_tags(cell).step for cell in cells if cell.kind == "code")
        return list(dict.fromkeys(filter(None, found)))

    def gone(self, cell: str | None) -> str:
        """What has become of a cell since it ran, as saved: "edited", "deleted" or nothing."""
        ran = self.ran.get(cell or "")
        if ran is None or cell is None or self._file is None or self._saved <= ran.at:
            return ""
        place = self._places.get(cell)
        if place is None:
            return "deleted" if cell in self._seen else ""
        saved = self._file.cells[place]
        same = saved.source == ran.source or _body(saved.source) == _body(ran.source)
        return "" if same else "edited"

    def below(self, cell: str | None, other: str | None) -> bool:
        """Whether the file has ``cell`` further down than ``other``."""
        place, above = self._places.get(cell or ""), self._places.get(other or "")
        return place is not None and above is not None and place > above

    def understood(self) -> Understood | None:
        """The notebook as it stands, compiled; None where it cannot be, or is too long."""
        text = (self._saved, tuple((key, one.source) for key, one in self.ran.items()))
        if self._known[0] != text:
            notebook = self._notebook()
            found = Understood(notebook) if len(notebook.cells) <= _CELLS else None
            self._known = (text, found)
        return self._known[1]

    def _notebook(self) -> Notebook:
        """The file's cells, with what ran in their places, then those that it does not have."""
        cells = []
        for cell in self._file.cells if self._file is not None else ():
            ran = self.ran.get(cell.id)
            cells.append((cell.kind, ran.source if ran else cell.source, cell.tags))
        cells += [
            ("code", ran.source, ran.tags)
            for key, ran in self.ran.items()
            if key not in self._places
        ]
        path = str(self._path() or "notebook.ipynb")
        numbered = enumerate(cells)
        return Notebook(
            Path(path).stem,
            path,
            tuple(Cell(at, kind, source, tags) for at, (kind, source, tags) in numbered),
        )


class Understood:
    """What the compiler sees in a notebook."""

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook

    def writes(self, step: str, name: str) -> bool:
        """Whether the compiler has the step bind the name, or change its value in place."""
        from nbcompile.writes import step_writes

        try:
            return name in step_writes(self._notebook).get(step, ())
        except Exception:
            return True  # nothing is known: nothing is said

    def reader(self, step: str, name: str) -> tuple[str, str] | None:
        """A step after ``step`` that gets the name from one before it, and that one."""
        if self._flow is None:
            return None
        from nbcompile.emit.manifest import edges

        order = [one.name for one in self._flow.steps]
        if step not in order:
            return None
        here = order.index(step)
        for edge in edges(self._flow):
            source, target = order.index(edge["source"]), order.index(edge["target"])
            if name in edge["names"] and source < here < target:
                return edge["source"], edge["target"]
        return None

    @cached_property
    def _flow(self) -> Flow | None:
        from nbcompile.infer import infer_flow

        try:
            return infer_flow(self._notebook)
        except Exception:
            return None


def _body(source: str) -> str:
    return read_tags(Cell(0, "code", source)).body.strip()
