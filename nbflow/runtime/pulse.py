"""Pulse: the signs of life of a run's driver, and its ear for requests to cancel."""

from __future__ import annotations

import _thread
import threading
from types import TracebackType
from typing import TYPE_CHECKING

from nbflow.errors import LeaseLostError
from nbflow.store.records import HEARTBEAT

if TYPE_CHECKING:
    from nbflow.store import Store

#: seconds between two beats: a request to cancel is heard within this time
_BEAT = min(2.0, HEARTBEAT)


class Pulse:
    """A thread that beats while the run goes on."""

    def __init__(self, store: Store, run: int, token: str) -> None:
        self._store = store
        self._run = run
        self.token = token
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name="nbflow-pulse")
        self._heard = False
        #: the main thread takes interrupts for what they are: `stops`, or `lost`
        self.heeded = False
        #: how often somebody has asked for the run to stop
        self.stops = 0
        #: why this driver has to stop at once, though the run is not over
        self.lost: BaseException | None = None

    def __enter__(self) -> Pulse:
        if self._store.heartbeat(self._run, self.token):
            self._heard = True
            self.stops += 1
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._over.wait(_BEAT):
            try:
                asked = self._store.heartbeat(self._run, self.token)
            except LeaseLostError as error:
                self.give_up(error)
                return
            except Exception:  # a store that is busy or full now: the next beat tries again
                continue
            if asked and not self._heard:
                self._heard = True
                self._interrupt()

    def give_up(self, reason: BaseException) -> None:
        """Have the driver stop at once, and say no more of the run. Called from any thread."""
        self.lost = reason
        self._interrupt()

    def _interrupt(self) -> None:
        if self.heeded:
            # as if somebody had pressed Ctrl-C: it ends a task of this process too
            _thread.interrupt_main()
        else:
            self.stops += 1
