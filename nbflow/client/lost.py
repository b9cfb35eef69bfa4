"""Lost: what is known of why a run's driver has died."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbflow.client.text import when
from nbflow.runtime.live import last_words, live_folder

if TYPE_CHECKING:
    from nbflow.client.run import Run


def why_lost(run: Run) -> str:
    """When the driver of a lost run was last heard of, what it said, and how to go on."""
    driver = run.store.driver(run.id)
    words = last_words(live_folder(run.store.root, run.id))
    said = f"It said: {words}\n" if words else "It was killed, or its machine was. "
    return (
        f"Its driver{f' {driver}' if driver else ''} was last heard of at "
        f"{when(run.record.heartbeat)}. {said}`nbflow drive {run.path}` goes on with the run."
    )
