"""Capture: what a task prints and shows, in order, as its cell would have shown it.

Everything printed goes to a live file. A shown value adds its plain text there, so that the log
alone is readable, and is kept with the range of the log that its rich form replaces. A picture
adds nothing to the log.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any

from nbflow.runtime.live import LiveFile
from nbflow.runtime.show import Bundle, bundle_of, figure_bundles


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
            sys.stdout = _text(1)
            sys.stderr = _text(2)
        self._whole = whole
        self._held: tuple[Any, Any, Any] | None = None

    def begin(self, name: str, started: float) -> None:
        """Everything printed and shown from now on is this task's."""
        self.outputs = []
        self.live.begin(name, started)
        if not self._whole:
            self._held = (sys.stdout, sys.stderr, sys.breakpointhook)
            sys.stdout = _text(os.dup(self.live.fd))
            sys.stderr = _text(os.dup(self.live.fd))
            sys.breakpointhook = _breakpoint

    def end(self) -> tuple[bytes, list[dict[str, Any]]]:
        """The task is over: what it has printed and what it has shown."""
        self.show_figures()
        self._flush()
        if self._held is not None:
            streams = (sys.stdout, sys.stderr)
            sys.stdout, sys.stderr, sys.breakpointhook = self._held
            self._held = None
            for stream in streams:
                stream.close()
        return self.live.read(), self.outputs

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
            os.write(self.live.fd, text.encode("utf-8", "replace") + b"\n")
        if set(bundle.data) - {"text/plain"}:
            output = {"at": start, "end": self.live.size(), "data": bundle.data}
            self.outputs.append({**output, "metadata": bundle.metadata})

    def show_figures(self, *_: Any, **__: Any) -> None:
        """Show and close the open figures: at `plt.show()`, and when a step ends."""
        for bundle in figure_bundles():
            self.add(bundle)

    def _flush(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):  # the task has closed it
                continue


def _text(fd: int) -> io.TextIOWrapper:
    # the fd stays open when the stream is collected: a task may replace sys.stdout
    raw = io.FileIO(fd, "w", closefd=fd > 2)
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding="utf-8", errors="backslashreplace", line_buffering=True
    )


def _breakpoint(*_: Any, **__: Any) -> None:
    """`breakpoint()` in a captured task talks to the terminal, not to the log."""
    import pdb

    debugger = pdb.Pdb(stdin=sys.__stdin__, stdout=sys.__stdout__)
    debugger.set_trace(sys._getframe(1))
