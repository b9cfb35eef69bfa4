"""The watcher of the stores: nothing that happens while it begins to look is missed."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from hostile import write_odd
from nbflow_jupyter.stores import Stores
from nbflow_jupyter.watcher import Watcher
from nbflow_jupyter.wire import Change

from nbflow.store import open_store


def test_a_run_before_the_first_look_is_told_by_a_reset(tmp_path: Path) -> None:
    async def watch() -> list[Change]:
        watcher = Watcher(stores, logging.getLogger(), 0.01)
        told: list[Change] = []
        watcher.listen(told.extend)
        # over before the watcher has looked for the first time, which it does in a thread
        run = store.create_run("early", "0+odd")
        store.update_run(run.id, status="succeeded", finished=1.0)
        for count in (1, 2):
            while len(told) < count:
                await asyncio.sleep(0.01)
            store.create_run("late", "0+odd")
        await watcher.stop()
        return told

    store = open_store(tmp_path)
    write_odd(store)
    stores = Stores(tmp_path)
    try:
        told = asyncio.run(asyncio.wait_for(watch(), 30))
    finally:
        stores.close()
        store.close()
    assert [(one["kind"], one["path"]) for one in told][:2] == [("reset", None), ("run", "late/1")]
