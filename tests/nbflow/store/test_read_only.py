"""A store that one may read and not write: a colleague's, or one on a volume mounted so."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from nbflow.errors import StoreError
from nbflow.store import Store, open_store

NOBODY = 65534

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody else")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that others can look into, unlike those of tests."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@contextmanager
def somebody_else() -> Iterator[None]:
    """Without root's rights for a while."""
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("open_meanwhile", [False, True])
def test_it_is_read_and_refuses_changes(folder: Path, open_meanwhile: bool) -> None:
    owner = open_store(folder)
    run = owner.create_run("churn", "0+abc", params={"alpha": 0.1})
    with owner.writer("t") as writer:
        ref = writer.put({"a": [1, 2]}, "value")
    # its driver is silent: whoever may write notes that it is lost
    owner.db.execute("UPDATE runs SET status = 'running', heartbeat = 0")
    if not open_meanwhile:
        owner.close()
    with somebody_else():
        reader: Store = open_store(folder)
        assert reader.run("churn/1") == replace(run, status="running", heartbeat=0)
        assert [one.path for one in reader.runs()] == ["churn/1"]
        assert reader.get(ref) == {"a": [1, 2]}
        with pytest.raises(StoreError, match="can only be read: you may not write there"):
            reader.create_run("churn", "0+abc")
    if open_meanwhile:
        owner.create_run("churn", "0+abc")
        assert [one.path for one in reader.runs()] == ["churn/2", "churn/1"]
    reader.close()
    owner.close()
