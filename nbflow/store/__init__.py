"""The store: runs, tasks and values, kept."""

from __future__ import annotations

from nbflow.store.store import Store, open_store

__all__ = ["Store", "open_store"]
