"""Worker: what runs inside a Dask worker: hands batches to host processes, and ends them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from nbflow.engines.base import Batch
from nbflow.engines.slot import Slot

if TYPE_CHECKING:
    from nbflow.store import Store

_LOCK = threading.Lock()
_STORES: dict[str, Store] = {}
#: the slot of each thread, and the run it serves
_SLOTS: dict[int, tuple[tuple[str, int], Slot]] = {}
#: runs that were stopped, and whether hard
_STOPPED: dict[tuple[str, int], bool] = {}


def run_batch(url: str, run: int, batch: Batch) -> tuple[float, list[bytes]]:
    """Run a batch; how long it took, and its records in packs that Dask need not look into."""
    started = time.monotonic()
    packs = list(_slot(url, run).run(batch))
    return time.monotonic() - started, packs


async def stop_run(url: str, run: int, hard: bool) -> None:
    """End the tasks of a run in this worker, and start no other.

    A coroutine, as Dask waits for the end of anything else.
    """
    with _LOCK:
        _STOPPED[url, run] = hard
        slots = [slot for job, slot in _SLOTS.values() if job == (url, run)]
    for slot in slots:
        slot.stop(hard)


def probe(url: str) -> dict[str, str | None]:
    """What the driver wants to know of a worker: its versions, and whether it sees the store."""
    import platform

    trouble: str | None = None
    try:
        _store(url)
    except Exception as error:
        trouble = str(error) or type(error).__name__
    return {"python": platform.python_version(), "nbflow": nbflow_version(), "trouble": trouble}


def nbflow_version() -> str:
    """The version of nbflow installed here."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("nbflow")
    except PackageNotFoundError:
        return "unknown"


def _slot(url: str, run: int) -> Slot:
    me = threading.get_ident()
    with _LOCK:
        held = _SLOTS.get(me)
        stopped = _STOPPED.get((url, run))
    if held is None or held[0] != (url, run):
        if held is not None:
            held[1].close()
        held = ((url, run), Slot(_store(url), run))
        with _LOCK:
            _SLOTS[me] = held
    if stopped is not None:
        held[1].stop(stopped)
    return held[1]


def _store(url: str) -> Store:
    from nbflow.store import open_store
    from nbflow.store.database import OUTAGE

    with _LOCK:
        if url not in _STORES:
            _STORES[url] = open_store(url, create=False)
            _STORES[url].db.patience = OUTAGE
        return _STORES[url]
