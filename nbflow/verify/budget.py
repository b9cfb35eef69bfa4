"""Budget: the time that a verification may take, kept by the kernel and by the run alike."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from nbcompile.units import format_time
from nbflow.runtime.listener import Listener

if TYPE_CHECKING:
    from nbflow.runtime.spec import FlowSpec
    from nbflow.store import Store
    from nbflow.store.records import RunRecord


class Budget(Listener):
    """So many seconds from now, or any number; as a listener it cancels a run that takes longer."""

    def __init__(self, seconds: float | None = None) -> None:
        self._seconds = seconds
        self._until = None if seconds is None else time.monotonic() + seconds
        self._timer: threading.Timer | None = None
        self._location: str | None = None

    def left(self) -> float | None:
        """Seconds that are left, at least a moment; None where there is no end."""
        return None if self._until is None else max(self._until - time.monotonic(), 0.1)

    @property
    def over(self) -> bool:
        """Whether it is used up."""
        return self._until is not None and time.monotonic() >= self._until

    def sentence(self, what: str) -> str:
        """That something was not done in time."""
        return f"{what} was not done within {format_time(self._seconds or 0.0)}."

    def watch(self, store: str) -> Budget:
        """Itself, to listen to a run in this store."""
        self._location = store
        return self

    def started(self, run: RunRecord, spec: FlowSpec) -> None:
        """The run begins: it is cancelled when the time is up."""
        left = self.left()
        if left is not None:
            self._timer = threading.Timer(left, self._cancel, (run.id,))
            self._timer.daemon = True
            self._timer.start()

    def finished(self, run: RunRecord) -> None:
        """The run is over."""
        if self._timer is not None:
            self._timer.cancel()

    def _cancel(self, run: int) -> None:
        from nbflow.store import open_store

        store: Store = open_store(self._location)
        store.request_cancel(run)
        store.close()
