"""A fresh IPython shell with nbflow loaded, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session", autouse=True)
def _close_event_loop() -> Iterator[None]:
    """IPython keeps one event loop for cells that await."""
    yield
    from IPython.core.async_helpers import get_asyncio_loop

    get_asyncio_loop().close()


@pytest.fixture
def shell() -> Iterator[Any]:
    from IPython.core.interactiveshell import InteractiveShell

    InteractiveShell.clear_instance()
    made = InteractiveShell.instance()
    made.history_manager.enabled = False
    made.history_manager.outputs.clear()
    made.colors = "nocolor"
    made.run_line_magic("load_ext", "nbflow_magics")
    yield made
    made.run_line_magic("unload_ext", "nbflow_magics")
    InteractiveShell.clear_instance()


@pytest.fixture(autouse=True)
def _no_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests leave no history in the working directory."""
    monkeypatch.setenv("NBFLOW_HISTORY", "0")
