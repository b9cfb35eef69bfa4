"""`--timeout` in the kernel: an exception raised in the body when its time is up."""

from __future__ import annotations

import asyncio
import signal
import threading
from types import FrameType


class StepTimeout(TimeoutError):
    """A task that took longer than its `--timeout`."""


class Timer:
    """Ends the code that runs between `start` and `stop` once its seconds are over.

    Code that awaits is cancelled by its event loop; other code gets the exception from an alarm
    signal, which only the main thread of a POSIX process has.
    """

    def __init__(self, seconds: float, message: str, awaits: bool) -> None:
        self.seconds = seconds
        self.message = message
        self.awaits = awaits
        self.expired = False
        self._running = False
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> bool:
        """Whether the time can be limited here."""
        self._running, self.expired = True, False
        if self.awaits:
            task = asyncio.current_task()
            if task is None:
                return False
            self._handle = asyncio.get_running_loop().call_later(self.seconds, self._cancel, task)
            return True
        if not can_interrupt():
            return False
        signal.signal(signal.SIGALRM, self._raise)
        signal.setitimer(signal.ITIMER_REAL, max(self.seconds, 1e-6))
        return True

    def stop(self) -> None:
        self._running = False
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        elif not self.awaits and can_interrupt():
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)

    def translate(self, error: BaseException) -> BaseException:
        """The error that the task failed with: a cancellation of ours is a timeout."""
        if self.expired and isinstance(error, asyncio.CancelledError):
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
            return StepTimeout(self.message)
        return error

    def _cancel(self, task: asyncio.Task[object]) -> None:
        if self._running:
            self.expired = True
            task.cancel()

    def _raise(self, signum: int, frame: FrameType | None) -> None:
        if self._running:
            self._running = False
            self.expired = True
            raise StepTimeout(self.message)


def can_interrupt() -> bool:
    """Whether this thread can be interrupted by an alarm."""
    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
