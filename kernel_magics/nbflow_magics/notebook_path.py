"""Which notebook file this kernel runs: front ends tell it in different ways, or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: set by a user, or a tool that executes notebooks, where the front end says nothing
VARIABLE = "NBFLOW_NOTEBOOK"


def notebook_path(names: Mapping[str, Any]) -> Path | None:
    """The running notebook's file; ``names`` is the user's namespace.

    VS Code leaves the path in the namespace, Jupyter Server in the kernel's environment.
    """
    for found in (
        os.environ.get(VARIABLE),
        names.get("__vsc_ipynb_file__"),
        os.environ.get("JPY_SESSION_NAME"),
    ):
        if isinstance(found, str) and found and Path(found).is_file():
            return Path(found)
    return None
