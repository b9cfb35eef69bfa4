"""One small Dask cluster for a module of tests; packages written by hand."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbflow.engines.cluster import LocalCluster

sys.path.insert(0, str(Path(__file__).parents[1] / "runtime"))


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Two workers of this machine, shared by the module's tests."""
    own = LocalCluster(2)
    yield own
    own.close()
