"""History of tinkering: executions of tagged cells, as the tasks of this kernel's interactive run.

"What did I try an hour ago?" The store keeps a bounded number of bounded tasks. They are written by
a thread of their own, so that no cell waits for a disk or a database. `%nbflow history off` turns
it off; so does `NBFLOW_HISTORY=0`.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbflow.errors import UserError, user_error
from nbflow_magics.small import clean, small

if TYPE_CHECKING:
    from nbflow.client.interactive import InteractiveTasks
    from nbflow.store import Store
    from nbflow.store.records import Status

#: characters that are kept of an execution
_CODE = 16_000
_SHOWN = 2_000
_VALUES = 4_000
_NAMES = 40


class History:
    """Remembers executions in the store that serves the notebook."""

    def __init__(self, notebook: Callable[[], Path | None]) -> None:
        self.on = os.environ.get("NBFLOW_HISTORY", "1") not in ("0", "off", "false")
        #: why nothing is kept although it is on
        self.problem: Exception | None = None
        self._notebook = notebook
        self._kernel = uuid.uuid4().hex
        self._began = time.time()
        self._thread: ThreadPoolExecutor | None = None
        self._opened: Store | None = None
        self._runs: dict[str, int] = {}

    def add(
        self,
        step: str,
        cell: str | None,
        started: float,
        status: Status,
        code: str,
        made: Mapping[str, Any],
        shown: str = "",
    ) -> None:
        """Remember an execution that has just ended; returns before it is written."""
        if not self.on or self.problem is not None:
            return
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "nbflow-history")
        values = _bounded(made)
        times = (started, time.time())
        self._thread.submit(
            self._write,
            step,
            cell,
            status,
            times,
            clean(code[:_CODE]),
            values,
            clean(shown[:_SHOWN]),
        )

    def newest(self, step: str | None = None, count: int = 30) -> InteractiveTasks:
        """What this user ran of this notebook, in any kernel, newest first; of one step or all."""
        from nbflow.client.interactive import InteractiveTasks
        from nbflow.runtime.environment import user

        store = self._settled()
        if store is None:
            return InteractiveTasks((), step=step)
        return InteractiveTasks(
            store.interactive_tasks(notebook=self._place(), user=user(), step=step, limit=count),
            step=step,
        )

    def one(self, number: int) -> InteractiveTasks:
        """An execution by its number, with its code."""
        from nbflow.client.interactive import InteractiveTasks

        store = self._settled()
        found = None if store is None else store.interactive_task(number)
        if found is None:
            raise user_error(
                "NBF407",
                f"There is no execution {number} in the history.",
                "%nbflow history lists them.",
            )
        return InteractiveTasks([found], whole=True)

    def settle(self) -> None:
        """Wait until all that was remembered is written."""
        if self._thread is not None:
            self._thread.submit(lambda: None).result()

    def close(self) -> None:
        """Write what is left, and let go of the store."""
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _write(
        self,
        step: str,
        cell: str | None,
        status: Status,
        times: tuple[float, float],
        code: str,
        made: dict[str, Any],
        shown: str,
    ) -> None:
        if self.problem is not None:
            return
        try:
            from nbflow.runtime.environment import host, user
            from nbflow.store.interactive import InteractiveTask

            store, place = self._store(create=True), self._place()
            if place not in self._runs:
                kernel = f"{self._kernel} {len(self._runs)}"
                self._runs[place] = store.interactive_run(
                    kernel, place, user(), host(), self._began
                )
            task = InteractiveTask(step, cell, status, *times, code, made, shown)
            store.add_interactive(self._runs[place], task)
        except Exception as error:  # a cell that ran well must not fail for want of a disk
            self.problem = error

    def _settled(self) -> Store | None:
        """The store with all that was remembered; None where there is none yet."""
        self.settle()
        if self.problem is not None:
            raise user_error(
                "NBF407",
                f"The history of this kernel is not kept: {_why(self.problem)}",
                "%nbflow history on tries again.",
            )
        try:
            return self._store(create=False)
        except UserError:
            return None

    def _store(self, create: bool) -> Store:
        from nbflow.config import find_store

        if self._opened is None:
            path = self._notebook()
            self._opened = find_store(path.parent if path else Path.cwd(), create=create)
        return self._opened

    def _place(self) -> str:
        """The notebook's file, or the folder of one that is not known."""
        return str((self._notebook() or Path.cwd()).absolute())


def shown_text(outputs: Iterable[Any]) -> str:
    """What a cell printed and showed, from the outputs that IPython remembers of it."""
    parts: list[str] = []
    for output in outputs:
        bundle = output.bundle
        parts.extend(bundle.get("stream") or [f"{bundle.get('text/plain', '')}\n"])
        if sum(map(len, parts)) > _SHOWN:
            break
    return "".join(parts)


def _bounded(made: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    size = 0
    for name, value in made.items():
        kept[name] = small(value)
        size += len(name) + len(str(kept[name]))
        if size > _VALUES or len(kept) == _NAMES:
            break
    return kept


def _why(error: Exception) -> str:
    return error.diagnostics[0].message if isinstance(error, UserError) else str(error)
