"""Fixtures: a server with a notebook that has been run, for all tests of the session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("jupyter_server")

from hostile import write_odd
from serving import NOTEBOOK, Api, start_server, stop_server

from nbflow.store import Store, open_store


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server whose root has `churn.py`, run as churn/1, and the hand-made run odd/1."""
    root = tmp_path_factory.mktemp("root")
    (root / "churn.py").write_text(NOTEBOOK, encoding="utf-8")
    served = start_server(root, tmp_path_factory.mktemp("jupyter"))
    try:
        body = {"notebook": "churn.py", "engine": "inline", "tags": ["first"], "params": {}}
        run = served.post("runs", body)["run"]
        assert served.wait(run) == "succeeded"
        store = open_store(root)
        write_odd(store)
        store.close()
        yield served
    finally:
        stop_server(served)


@pytest.fixture
def store(api: Api) -> Iterator[Store]:
    """The server's store."""
    opened = open_store(api.root)
    yield opened
    opened.close()
