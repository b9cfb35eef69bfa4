"""Capture: what a task prints and shows, in order, as its cell would have shown it.

Everything printed goes to a live file. A shown value adds its plain text there, so that the log
alone is readable, and is kept with the range of the log that its rich form replaces. A picture
adds nothing to the log. What standard error, child processes and C code print stands in the log
in its place, and its ranges are known: they are *aside* of what the step itself printed.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any

from nbflow.runtime.live import LiveFile
from nbflow.runtime.show import Bundle, bundle_of, figure_bundles

#: ranges of a log that are told apart; beyond that, all of it counts as printed
_RANGES = 1000


class Capture:
    """Catches the output of one task after another.

    With ``whole`` the process's own file descriptors are redirected for good, so that child
    processes and C code are caught too: for a process that does nothing but run tasks. Otherwise
    only `sys.stdout` and `sys.stderr` are, while a task runs.
    """

    def __init__(self, live: LiveFile, *, whole: bool) -> None:
        self.live = live
        self.outputs: list[dict[str, Any]] = []
        if whole:
            os.dup2(live.fd, 1)
            os.dup2(live.fd, 2)
            sys.stdout = _text(_Printed(self, 1))
            sys.stderr = _text(io.FileIO(2, "w", closefd=False))
        self._whole = whole
        self._held: tuple[Any, Any, Any] | None = None
        #: ranges of the log that the task itself printed, adjacent ones as one
        self._own: list[list[int]] = []

    def begin(self, name: str, started: float) -> None:
        """Everything printed and shown from now on is this task's."""
        self.outputs = []
        self._own = []
        self.live.begin(name, started)
        if not self._whole:
            self._held = (sys.stdout, sys.stderr, sys.breakpointhook)
            sys.stdout = _text(_Printed(self, os.dup(self.live.fd)))
            sys.stderr = _text(io.FileIO(os.dup(self.live.fd), "w"))
            sys.breakpointhook = _breakpoint

    def end(self) -> tuple[bytes, list[dict[str, Any]], list[list[int]]]:
        """The task is over: what was printed, what it has shown, which ranges stand aside."""
        self.show_figures()
        self._flush()
        if self._held is not None:
            streams = (sys.stdout, sys.stderr)
            sys.stdout, sys.stderr, sys.breakpointhook = self._held
            self._held = None
            for stream in streams:
                stream.close()
        log = self.live.read()
        return log, self.outputs, self._aside(len(log))

    def write(self, data: bytes) -> int:
        """Write to the log what the task itself prints."""
        start = self.live.size()
        written = os.write(self.live.fd, data)
        if self._own and self._own[-1][1] == start:
            self._own[-1][1] += written
        elif len(self._own) < _RANGES:
            self._own.append([start, start + written])
        return written

    def echo(self, text: str) -> None:
        """Write to the log what a child process printed; hook of the `notebook` module."""
        self._flush()
        os.write(self.live.fd, text.encode("utf-8", "backslashreplace"))

    def _aside(self, size: int) -> list[list[int]]:
        if len(self._own) >= _RANGES:
            return []
        edges = [0, *(edge for one in self._own for edge in one), size]
        gaps = zip(edges[::2], edges[1::2], strict=True)
        return [[start, end] for start, end in gaps if start < end]

    def show(self, value: Any) -> None:
        """Show a value as a cell does; the hook of the package's `notebook` module."""
        self.add(bundle_of(value))

    def add(self, bundle: Bundle) -> None:
        """Add an output: its text to the log, all of it to the outputs where it is more."""
        self._flush()
        start = self.live.size()
        text = bundle.data.get("text/plain")
        # of a picture the text says nothing, and nobody has printed it
        if text and not any(mime.startswith("image/") for mime in bundle.data):
            self.write(text.encode("utf-8", "replace") + b"\n")
        if set(bundle.data) - {"text/plain"}:
            output = {"at": start, "end": self.live.size(), "data": bundle.data}
            self.outputs.append({**output, "metadata": bundle.metadata})

    def show_figures(self, ended: bool = True) -> None:
        """Show and close the open figures: when a step has ``ended``, or at `plt.show()`."""
        for bundle in figure_bundles(ended):
            self.add(bundle)

    def _flush(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):  # the task has closed it
                continue


class _Printed(io.RawIOBase):
    """Standard output: a stream into the log that tells its own ranges."""

    def __init__(self, capture: Capture, fd: int) -> None:
        self._capture = capture
        self._fd = fd

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._capture.write(bytes(data))

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        if not self.closed and self._fd > 2:
            os.close(self._fd)
        super().close()


def _text(raw: io.RawIOBase) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding="utf-8", errors="backslashreplace", line_buffering=True
    )


def _breakpoint(*_: Any, **__: Any) -> None:
    """`breakpoint()` in a captured task talks to the terminal, not to the log."""
    import pdb

    debugger = pdb.Pdb(stdin=sys.__stdin__, stdout=sys.__stdout__)
    debugger.set_trace(sys._getframe(1))
