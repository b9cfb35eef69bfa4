"""Builds: environments that are being built while the run goes on with what needs none."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from nbflow.environments.build import build, is_built
from nbflow.environments.locks import Lock
from nbflow.errors import UserError


class Builds:
    """The environments of one run on this machine. Asked by one thread, builds in others."""

    def __init__(self, locks: Mapping[str, Lock]) -> None:
        self._locks = locks
        self._begun: dict[str, threading.Thread] = {}
        self._failed: dict[str, str] = {}

    def want(self, name: str | None) -> None:
        """Have this environment built, if it is not."""
        lock = self._locks.get(name or "")
        if lock is None or name is None or name in self._begun:
            return
        thread = threading.Thread(target=self._build, args=(lock,), daemon=True)
        self._begun[name] = thread
        if not is_built(lock):
            thread.start()

    def waits(self, name: str | None) -> str | None:
        """Why tasks of this environment cannot start yet; None where they can, or never will."""
        if name is not None and name in self._begun and self._begun[name].is_alive():
            return f"building the environment `{name}`"
        return None

    def broken(self, name: str | None) -> str | None:
        """Why this environment cannot be had; None where it can as far as is known."""
        return self._failed.get(name or "")

    def _build(self, lock: Lock) -> None:
        try:
            build(lock)
        except UserError as error:
            self._failed[lock.name] = str(error)
        except OSError as error:
            self._failed[lock.name] = f"The environment `{lock.name}` cannot be built: {error}."
