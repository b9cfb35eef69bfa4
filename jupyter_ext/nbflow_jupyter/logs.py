"""Logs: what a task has printed, by ranges of bytes, finished or while it prints."""

from __future__ import annotations

import json
from typing import Any

from nbflow.runtime.printed import Running, running_task
from nbflow.store import Store
from nbflow.store.records import FINAL, Part, RunRecord
from nbflow.values.ref import Ref
from nbflow_jupyter import wire
from nbflow_jupyter.refusal import Refusal
from nbflow_jupyter.tasks import find

#: bytes in one answer, at most
MOST = 1 << 20


class Log:
    """One attempt's log: ``size`` bytes so far, and no more once ``complete``."""

    def __init__(self, data: memoryview | None = None, live: Running | None = None) -> None:
        self._data = memoryview(b"") if data is None else data
        self._live = live
        self.complete = live is None
        self.size = len(self._data) if live is None else live.size()

    def read(self, start: int, end: int) -> bytes:
        """These bytes."""
        if self._live is None:
            return bytes(self._data[start:end])
        return self._live.read(start)[: max(0, end - start)]


def open_log(
    store: Store, run: RunRecord, step: str, key: str, part: Part, attempt: int | None
) -> Log:
    """The log of a task's attempt, by default its last; a refusal where there is no such task."""
    task = find(store, run, step, key, part)
    if attempt is not None and attempt != task.attempt:
        for one in store.attempts(run.id, step, key):
            if (one.attempt, one.part) == (attempt, part):
                return Log(_held(store, one.log))
        raise Refusal(404, f"The task has no attempt {attempt}.")
    if task.log is not None or task.status in FINAL:
        return Log(_held(store, task.log))
    live = running_task(store, run.id, step, key, part)
    if live is not None:
        return Log(live=live)
    # it has not begun, or has printed nothing: there may be more to come
    log = Log()
    log.complete = run.status in FINAL
    return log


def chunk(log: Log, start: int, limit: int, tail: int | None = None) -> wire.LogChunk:
    """A range of a log as text; with ``tail``, of its last bytes."""
    size = log.size
    if tail is not None:
        start = max(0, size - tail)
    start = min(max(0, start), size)
    data = log.read(start, min(start + limit, size))
    if tail is not None and start:
        torn = _leading(data)
        data, start = data[torn:], start + torn
    whole = start + len(data) >= size and log.complete
    if not whole:
        data = data[: len(data) - _trailing(data)]
    end = start + len(data)
    return {
        "start": start,
        "end": end,
        "size": size,
        "complete": log.complete and end >= size,
        "text": data.decode("utf-8", "replace"),
    }


def outputs(store: Store, run: RunRecord, step: str, key: str) -> list[wire.OutputItem]:
    """What a task has shown."""
    record = find(store, run, step, key, "main")
    if record.outputs is None:
        return []
    held: list[dict[str, Any]] = json.loads(store.get_bytes(Ref.from_json(record.outputs)))
    return [
        {
            "start": one.get("at", 0),
            "end": one.get("end", one.get("at", 0)),
            "data": one["data"],
            "metadata": one.get("metadata") or {},
        }
        for one in held
    ]


def _held(store: Store, ref: dict[str, Any] | None) -> memoryview | None:
    return None if ref is None else store.view(Ref.from_json(ref))


def _leading(data: bytes) -> int:
    """Bytes at the start that belong to a character begun before."""
    for at, byte in enumerate(data[:3]):
        if byte & 0xC0 != 0x80:
            return at
    return min(3, len(data))


def _trailing(data: bytes) -> int:
    """Bytes at the end that begin a character without ending it."""
    for back, byte in enumerate(reversed(data[-3:]), start=1):
        if byte & 0xC0 == 0x80:
            continue
        needed = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return back if needed > back else 0
    return 0
