"""References: functions and classes of a module travel as its name, and are looked up again.

While a task runs, the modules of its package may all call themselves `__main__`, as the notebook
does. So a module is known by its dictionary, and goes by the name under which it is loaded.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import Any

#: names that stand for another module, differently in every process
_ALIASES = frozenset({"__main__", "__mp_main__"})

#: the generators that a process has once, by their class: what holds one goes on with the
#: process's own, whose state crosses steps by itself
_GENERATORS = {
    "Random": ("random", "_inst"),
    "RandomState": ("numpy.random.mtrand", "_rand"),
}

#: by the id of a dictionary: the module's name; checked at every use
_names: dict[int, str] = {}

_importer: ContextVar[Callable[[str], ModuleType]] = ContextVar(
    "nbflow_importer", default=importlib.import_module
)


@contextmanager
def importing(importer: Callable[[str], ModuleType]) -> Iterator[None]:
    """Within it, values that need a module of a package that is not loaded get it from here."""
    token = _importer.set(importer)
    try:
        yield
    finally:
        _importer.reset(token)


def module_name(namespace: dict[str, Any]) -> str | None:
    """The name of the loaded module with this dictionary, `__main__` aside."""
    held = _names.get(id(namespace))
    if held is not None and _is_module(held, namespace):
        return held
    name = namespace.get("__name__")
    if name in _ALIASES or not _is_module(name, namespace):
        name = next((n for n in list(sys.modules) if _is_module(n, namespace)), None)
    if name is not None:
        _names[id(namespace)] = name
    return name


def reference(obj: Any, namespace: dict[str, Any]) -> tuple[str, str] | None:
    """The module and the path in it by which a function or class is found again."""
    module = module_name(namespace)
    if module is None:
        return None
    if _walk(namespace, obj.__qualname__) is obj:
        return module, obj.__qualname__
    # a decorated function, a lambda: what it calls itself is not where it is
    for name, held in list(namespace.items()):
        if held is obj:
            return module, name
    return None


def process_wide(obj: Any) -> tuple[str, str] | None:
    """The module and the name in it of a generator that a process has once; None for all else."""
    module, name = _GENERATORS.get(type(obj).__name__, ("", ""))
    return (module, name) if getattr(sys.modules.get(module), name, None) is obj else None


def find(module: str, path: str) -> Any:
    """What `reference` described: from the loaded module, the notebook, or by importing it."""
    for name in (module, "__main__"):
        loaded = sys.modules.get(name)
        held = None if loaded is None else _walk(vars(loaded), path)
        if held is not None:
            return held
    held = _walk(vars(_importer.get()(module)), path)
    if held is None:
        raise AttributeError(f"module {module!r} has no {path!r}")
    return held


def find_globals(module: str) -> dict[str, Any]:
    """The live dictionary of the module; the notebook's own where there is no such module."""
    loaded = sys.modules.get(module)
    if loaded is None:
        try:
            loaded = _importer.get()(module)
        except ModuleNotFoundError:
            loaded = sys.modules["__main__"]
    return vars(loaded)


def _is_module(name: Any, namespace: dict[str, Any]) -> bool:
    if name in _ALIASES or not isinstance(name, str):
        return False
    return getattr(sys.modules.get(name), "__dict__", None) is namespace


def _walk(namespace: dict[str, Any], path: str) -> Any:
    first, *rest = path.split(".")
    held = namespace.get(first)
    for name in rest:
        held = getattr(held, name, None)
    return held
