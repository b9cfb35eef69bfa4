"""What the conformance tests share."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _warm() -> None:
    """Import what many patterns import, once: the steps' processes are forks of this one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("matplotlib.pyplot", "pandas", "sklearn.linear_model", "IPython.display"):
            importlib.import_module(name)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of one Dask cluster that the tests of a module share; it takes no fixed port."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        dashboard_address="127.0.0.1:0",
        worker_dashboard_address="127.0.0.1:0",
        scheduler_kwargs={"dashboard": False},
        silence_logs=50,
        resources={"cpu": 4, "memory": 4e9},
    ) as made:
        yield made.scheduler_address
