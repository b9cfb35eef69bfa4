"""The handlers' base: what a request hears while the server shuts down."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from nbflow_jupyter.handler import NbflowHandler
from nbflow_jupyter.refusal import Refusal


def test_a_request_that_comes_too_late_hears_so() -> None:
    threads = ThreadPoolExecutor(1)
    handler: Any = SimpleNamespace(service=SimpleNamespace(threads=threads))
    assert asyncio.run(NbflowHandler.work(handler, divmod, 7, 2)) == (3, 1)
    threads.shutdown()
    with pytest.raises(Refusal) as refused:
        asyncio.run(NbflowHandler.work(handler, divmod, 7, 2))
    assert (refused.value.status_code, refused.value.message) == (
        503,
        "The server is shutting down.",
    )
