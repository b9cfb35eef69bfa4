"""Star imports: the names that `from module import *` brings."""

from __future__ import annotations

import importlib
import warnings
from functools import cache


@cache
def star_exports(module: str) -> tuple[str, ...] | None:
    """The public names of a module, sorted; None where it cannot be imported here."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded = importlib.import_module(module)
    except Exception:  # a module's own code may fail in any way
        return None
    names = getattr(loaded, "__all__", None)
    if names is None:
        names = [name for name in vars(loaded) if not name.startswith("_")]
    return tuple(sorted(names))
