"""What tests of the store share: a store with its records in a file, and one in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbflow.store import Store, open_store


@pytest.fixture(params=["folder", "postgres"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store can be made: a folder, or an empty database."""
    if request.param == "folder":
        return str(tmp_path)
    address: str = request.getfixturevalue("database")
    return address


@pytest.fixture
def store(location: str) -> Iterator[Store]:
    store = open_store(location)
    yield store
    store.close()
