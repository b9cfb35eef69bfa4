"""Traceback: what went wrong in a task, and what it was warned of, told in cells and lines."""

from __future__ import annotations

import re
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbflow.errors import UserError
from nbflow.runtime.spec import FlowSpec

#: characters of a traceback that are kept; recursion makes long ones
LIMIT = 40_000
#: characters of a message, which may have all the data in it
MESSAGE = 4000

#: colours and other commands to a terminal, and signs that no text shows
_UNSEEN = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|[\x00-\x08\x0b-\x1f\x7f]")


class SourceMap:
    """From lines of the package's files to cells and lines of the notebook."""

    def __init__(self, spec: FlowSpec, folder: Path) -> None:
        self._folder = str(folder)
        self._lines: dict[str, dict[int, tuple[int, int]]] = {}
        tables = [step.get("lines") or {} for step in spec.manifest["steps"]]
        for table in [spec.manifest.get("lines") or {}, *tables]:
            for path, rows in table.items():
                lines = self._lines.setdefault(path, {})
                lines.update({row[0]: (row[1], row[2]) for row in rows})

    def find(self, file: str, line: int | None) -> tuple[int, int] | None:
        """The cell, and the line in it, of a line of a file; None where no cell wrote it."""
        if line is None or not file.startswith(self._folder):
            return None
        return self._lines.get(file[len(self._folder) + 1 :], {}).get(line)

    def holds(self, file: str) -> bool:
        """Whether the file is one of the package's."""
        return file.startswith(self._folder)


@contextmanager
def warnings_by_cell(source: SourceMap) -> Iterator[None]:
    """Python's warnings of the package's code name the cell and its line, as tracebacks do."""
    held = warnings.formatwarning

    def told(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        line: str | None = None,
    ) -> str:
        text = held(message, category, filename, lineno, line)
        found = source.find(filename, lineno)
        start = f"{filename}:{lineno}: "
        if found is None or not text.startswith(start):
            return text
        return f"Cell {found[0]}, line {found[1]}: {text.removeprefix(start)}"

    warnings.formatwarning = told
    try:
        yield
    finally:
        if warnings.formatwarning is told:  # else the task's code has its own
            warnings.formatwarning = held


def error_json(error: BaseException, step: str, key: str, source: SourceMap) -> dict[str, Any]:
    """The error of a record: what, where in the notebook, and the whole traceback."""
    if isinstance(error, UserError):
        first = error.diagnostics[0]
        place: tuple[int | None, int | None] = (first.cell, first.line)
        return task_error(step, key, first.code, str(error), place, str(error))
    told = traceback.TracebackException.from_exception(error, compact=True)
    place = _place(told, source) or (None, None)
    text = _format(told, source)
    message = "".join(told.format_exception_only()).strip()
    kind = type(error)
    for name in (f"{kind.__module__}.{kind.__qualname__}", kind.__name__):
        message = message.removeprefix(name)
    message = message.removeprefix(":").strip()
    return task_error(step, key, type(error).__name__, message, place, text)


def task_error(
    step: str,
    key: str,
    type: str,
    message: str,
    place: tuple[int | None, int | None] = (None, None),
    text: str | None = None,
) -> dict[str, Any]:
    """The error of a record from its parts; without a traceback the message stands for it."""
    message = _UNSEEN.sub("", message)
    message = message if len(message) <= MESSAGE else f"{message[: MESSAGE - 1]}…"
    return {
        "step": step,
        "task": key,
        "cell": place[0],
        "line": place[1],
        "type": type,
        "message": message,
        "traceback": f"{type}: {message}" if text is None else text,
    }


def _place(told: traceback.TracebackException, source: SourceMap) -> tuple[int, int] | None:
    """The innermost line of the user's that was running."""
    for frame in reversed(told.stack):
        found = source.find(frame.filename, frame.lineno)
        if found is not None:
            return found
    return None


def _format(told: traceback.TracebackException, source: SourceMap) -> str:
    for part in _chain(told):
        part.stack = traceback.StackSummary.from_list(_frames(part.stack, source))
    text = "".join(told.format()).rstrip("\n")
    if len(text) > LIMIT:
        text = f"{text[: LIMIT // 2]}\n  …\n{text[-LIMIT // 2 :]}"
    return re.sub(r'^( *)File "notebook cell (\d+)", ', r"\1Cell \2, ", text, flags=re.MULTILINE)


def _chain(told: traceback.TracebackException) -> Iterator[traceback.TracebackException]:
    """An exception and those that it came from."""
    waiting: list[traceback.TracebackException | None] = [told]
    while waiting:
        part = waiting.pop()
        if part is not None:
            yield part
            waiting += [part.__cause__, part.__context__, *(part.exceptions or ())]


def _frames(stack: traceback.StackSummary, source: SourceMap) -> list[traceback.FrameSummary]:
    """The frames from the first one of the package on, told by cell where a cell has them."""
    first = next((i for i, frame in enumerate(stack) if source.holds(frame.filename)), None)
    frames: list[traceback.FrameSummary] = []
    for frame in stack if first is None else stack[first:]:
        found = source.find(frame.filename, frame.lineno)
        if found is None:
            frames.append(frame)
        else:
            name = f"notebook cell {found[0]}"
            frames.append(traceback.FrameSummary(name, found[1], frame.name, line=frame.line))
    return frames
