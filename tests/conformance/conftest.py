"""What the conformance tests share."""

from __future__ import annotations

import importlib
import warnings

import pytest


@pytest.fixture(scope="session", autouse=True)
def _warm() -> None:
    """Import what many patterns import, once: the steps' processes are forks of this one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("matplotlib.pyplot", "pandas", "sklearn.linear_model", "IPython.display"):
            importlib.import_module(name)
