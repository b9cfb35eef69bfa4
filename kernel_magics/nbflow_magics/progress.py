"""The progress bar of a fan-out that runs in the kernel."""

from __future__ import annotations

import html
import time
from typing import Any

#: seconds between two updates of the bar
_PACE = 0.1


class Progress:
    """How many of a step's tasks have ended; drawn by the front end, at most ten times a second."""

    def __init__(self, step: str, total: int, live: bool) -> None:
        self.step = step
        self.total = total
        self.done = 0
        self.failed = 0
        self.started = time.monotonic()
        self._drawn = 0.0
        #: without a front end that can redraw an output there is one line at the end
        self._live = live
        self._handle: Any = None
        if live:
            self._draw()

    def advance(self, failed: bool = False) -> None:
        """One more task has ended."""
        self.done += 1
        self.failed += failed
        if self._live and time.monotonic() - self._drawn >= _PACE:
            self._draw()

    def finish(self) -> None:
        """No more tasks follow."""
        if self._live:
            self._draw()
        else:
            print(self)

    def __str__(self) -> str:
        failed = f", {self.failed} failed" if self.failed else ""
        tasks = "task" if self.total == 1 else "tasks"
        seconds = time.monotonic() - self.started
        return f"{self.step}: {self.done} of {self.total} {tasks}{failed}, {seconds:.1f} s"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        bar = f'<progress value="{self.done}" max="{max(self.total, 1)}"></progress>'
        return {"text/plain": str(self), "text/html": f"{bar} {html.escape(str(self))}"}

    def _draw(self) -> None:
        from IPython.display import display

        self._drawn = time.monotonic()
        if self._handle is None:
            self._handle = display(self, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(self)
