"""Watcher: the one poller of the stores, which tells every open page what has changed."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from logging import Logger
from typing import Any

from nbflow.errors import UserError
from nbflow.store import Store
from nbflow.store.browse import active_runs, marks, newest_id, runs_after
from nbflow.store.records import FINAL, HEARTBEAT, RunRecord
from nbflow_jupyter import shapes
from nbflow_jupyter.moved import notebook_now
from nbflow_jupyter.states import step_states
from nbflow_jupyter.stores import Stores
from nbflow_jupyter.versions import flow_version
from nbflow_jupyter.wire import Change, Changes, StepState

Listener = Callable[[list[Change]], None]

#: changes that are remembered for those who poll
_KEPT = 1000
#: new runs that are told one by one
_NEW = 100
#: seconds without anyone asking after which the stores are left in peace
_IDLE = 60.0
#: a look may take this part of the time
_SHARE = 5


class Watcher:
    """Looks at the stores while anyone listens. Call everything from the server's loop."""

    def __init__(self, stores: Stores, log: Logger, interval: float) -> None:
        self.seq = 0
        self._stores = stores
        self._log = log
        self._interval = interval
        self._watches: dict[str, _Watch] = {}
        self._changes: deque[Change] = deque(maxlen=_KEPT)
        self._listeners: set[Listener] = set()
        self._asked = float("-inf")
        #: the failure that has been logged
        self._said = ""
        self._task: asyncio.Task[None] | None = None
        # a version of the data holds for one connection, and a connection for one thread
        self._thread = ThreadPoolExecutor(1, "nbflow-watcher")

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Be told of every change from now on; returns what ends it."""
        self._listeners.add(listener)
        self._start()
        return lambda: self._listeners.discard(listener)

    def since(self, seq: int) -> Changes:
        """The changes after one that is already known."""
        self._start()
        oldest = self._changes[0]["seq"] if self._changes else self.seq + 1
        lost = seq > self.seq or seq < oldest - 1
        after = [] if lost else [one for one in self._changes if one["seq"] > seq]
        return {"seq": self.seq, "reset": lost, "changes": after}

    def hello(self) -> Change:
        """The first message to a new listener."""
        return _change("hello", "", seq=self.seq)

    async def stop(self) -> None:
        """End the watching."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._thread.shutdown(wait=False)

    def _start(self) -> None:
        self._asked = time.monotonic()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._loop(), name="nbflow-watcher")

    async def _loop(self) -> None:
        loop = asyncio.get_running_loop()
        while self._listeners or time.monotonic() - self._asked < _IDLE:
            began = time.monotonic()
            try:
                self._tell(await loop.run_in_executor(self._thread, self._look))
                self._said = ""
            except Exception as error:
                if str(error) != self._said:
                    self._said = str(error)
                    self._log.exception("nbflow: watching the stores failed")
                await asyncio.sleep(HEARTBEAT)
            took = time.monotonic() - began
            await asyncio.sleep(max(self._interval, _SHARE * took))

    def _tell(self, changes: list[Change]) -> None:
        for change in changes:
            self.seq += 1
            change["seq"] = self.seq
        if changes:
            self._changes.extend(changes)
            for listener in list(self._listeners):
                listener(changes)

    def _look(self) -> list[Change]:
        changes: list[Change] = []
        for name, store in self._stores.opened().items():
            watch = self._watches.get(name)
            if watch is None or watch.store is not store:
                # what came before this look is not known, and may have come after the page asked
                changes.append(_change("reset", name))
                watch = self._watches[name] = _Watch(name, store, self._stores)
            changes += watch.look()
        return changes


class _Watch:
    """What was last seen of one store."""

    def __init__(self, name: str, store: Store, stores: Stores) -> None:
        self._name = name
        self.store = store
        self._stores = stores
        self._version: object = None
        self._marks: tuple[int, ...] | None = None
        self._newest: int | None = None
        self._active: dict[int, dict[str, Any]] = {}
        self._steps: dict[int, dict[str, StepState]] = {}
        self._checked = float("-inf")

    def look(self) -> list[Change]:
        """What has changed since the last look."""
        overdue = bool(self._active) and time.monotonic() - self._checked > HEARTBEAT
        if overdue:
            self._checked = time.monotonic()
            self.store.runs(limit=1)  # notes which runs are lost
        version = self.store.db.version()
        if version == self._version and not overdue:
            return []
        self._version = version
        return [*self._whole(), *self._runs()]

    def _whole(self) -> Iterator[Change]:
        now = marks(self.store)
        if self._marks not in (None, now):
            yield _change("reset", self._name)
        self._marks = now

    def _runs(self) -> Iterator[Change]:
        if self._newest is None:
            self._newest = newest_id(self.store)
        fresh = runs_after(self.store, self._newest, _NEW + 1)
        self._newest = max((run.id for run in fresh), default=self._newest)
        if len(fresh) > _NEW:
            self._newest, fresh = newest_id(self.store), []
            yield _change("reset", self._name)
        records = {run.id: run for run in (*fresh, *active_runs(self.store))}
        for gone in set(self._active) - set(records):
            try:
                records[gone] = self.store.run(gone)
            except UserError:  # deleted; the reset tells of it
                self._forget(gone)
        for record in records.values():
            yield from self._run(record)

    def _run(self, record: RunRecord) -> Iterator[Change]:
        spec = flow_version(self.store, record.version).spec
        states = {state["name"]: state for state in step_states(self.store, record, spec)}
        notebook = self._stores.relative(notebook_now(self.store, record.notebook))
        row = shapes.run_row(record, notebook)
        told: dict[str, Any] = dict(row)
        known = self._steps.get(record.id, {})
        if self._active.get(record.id) != told:
            yield _change("run", self._name, record.path, row | {"steps": list(states.values())})
        else:
            moved = [state for name, state in states.items() if known.get(name) != state]
            if moved:
                yield _change("steps", self._name, record.path, steps=moved)
        if record.status in FINAL:
            self._forget(record.id)
        else:
            self._active[record.id] = told
            self._steps[record.id] = states

    def _forget(self, run: int) -> None:
        self._active.pop(run, None)
        self._steps.pop(run, None)


def _change(
    kind: Any,
    store: str,
    path: str | None = None,
    row: Any = None,
    *,
    steps: list[StepState] | None = None,
    seq: int = 0,
) -> Change:
    return {
        "seq": seq,
        "kind": kind,
        "store": store,
        "path": path,
        "run": row,
        "steps": steps or [],
    }
