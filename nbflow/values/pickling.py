"""Pickling: any value as a pickle that shares what the original shares and says what it can't hold.

Functions and classes of an importable module go by reference. Those made inside a function go by
value, yet their globals are those of the live module again when they come back, so that what they
look up late is what the module has by then.
"""

from __future__ import annotations

import importlib
import io
import pickle
import sys
import types
from typing import Any

import cloudpickle  # type: ignore[import-untyped,unused-ignore]

from nbcompile.diagnostics import Diagnostic
from nbflow.errors import UserError
from nbflow.values.layout import Buffer, Encoded, join_pickle, split_pickle
from nbflow.values.sharing import ArraySharing

#: buffers below this many bytes stay within the pickle
_IN_BAND = 512

_FIXES = {
    "generator": "Make a list of it in the step that makes it: `name = list(name)`.",
    "TextIOWrapper": "Read the file in the step that needs it; pass its path on.",
    "BufferedReader": "Read the file in the step that needs it; pass its path on.",
    "lock": "Make the lock in the step that uses it.",
    "RLock": "Make the lock in the step that uses it.",
    "socket": "Open the connection in the step that uses it.",
    "Connection": "Open the connection in the step that uses it.",
    "Cursor": "Fetch the rows in the step that asks for them: `rows = cursor.fetchall()`.",
}


def dump(value: Any, name: str, captured: frozenset[str] = frozenset()) -> Encoded:
    """The value pickled; a `UserError` names the variable and what in it can't be stored."""
    sharing = ArraySharing()
    parts = _dump(value, name, captured, sharing)
    if sharing.found():
        parts = _dump(value, name, captured, sharing)
    return Encoded("pickle", parts)


def load(data: memoryview) -> Any:
    """The value; arrays in it lie in `data`, so that has to be the caller's own, writable bytes."""
    pickled, buffers = split_pickle(data)
    return pickle.loads(pickled, buffers=buffers)


def _dump(
    value: Any, name: str, captured: frozenset[str], sharing: ArraySharing
) -> tuple[Buffer, ...]:
    file = io.BytesIO()
    buffers: list[memoryview] = []

    def keep(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < _IN_BAND:
            return True
        buffers.append(raw)
        return False

    pickler = ValuePickler(file, keep, captured, sharing)
    try:
        pickler.dump(value)
    except _Captured as error:
        raise _captured(name, error) from None
    except Exception as error:
        raise _unstorable(name, value, pickler.last, error) from error
    return join_pickle(file.getbuffer(), buffers)


class ValuePickler(cloudpickle.Pickler):  # type: ignore[misc,unused-ignore]
    """cloudpickle's pickler, but for functions' globals, arrays' bases and what it would lose."""

    def __init__(
        self, file: io.BytesIO, keep: Any, captured: frozenset[str], sharing: ArraySharing
    ) -> None:
        super().__init__(file, protocol=5, buffer_callback=keep)
        self._captured = captured
        self._sharing = sharing
        #: the object at hand when pickling failed
        self.last: Any = None

    def reducer_override(self, obj: Any) -> Any:
        """Called by pickle for everything but the plainest types."""
        self.last = obj
        kind = type(obj)
        if isinstance(obj, io.TextIOWrapper | memoryview):
            # cloudpickle would store a copy of the text or of the bytes without a word
            raise pickle.PicklingError(f"cannot pickle {kind.__name__!r} object")
        if kind in _VIEWS:
            return _view_again, (_viewed(obj), _VIEWS[kind])
        reduced = self._sharing.reduce(obj)
        if reduced is not None:
            return reduced
        return super().reducer_override(obj)

    def _dynamic_function_reduce(self, func: types.FunctionType) -> Any:
        held = self._captured.intersection(func.__code__.co_freevars)
        if held:
            raise _Captured(func.__name__, sorted(held)[0])
        reduced = super()._dynamic_function_reduce(func)
        module = sys.modules.get(func.__module__ or "")
        if func.__module__ == "__main__" or getattr(module, "__dict__", None) is not (
            func.__globals__
        ):
            return reduced
        make, (code, _, *rest), (state, slots), *more = reduced
        # nothing of the module is copied: it is looked up again
        slots = {**slots, "__globals__": {}}
        return make, (code, _Globals(func.__module__), *rest), (state, slots), *more


class _Globals:
    """Stands in the pickle for the live dictionary of a module."""

    def __init__(self, module: str) -> None:
        self.module = module

    def __reduce__(self) -> Any:
        return _globals_of, (self.module,)


def _globals_of(module: str) -> dict[str, Any]:
    return importlib.import_module(module).__dict__


#: the views of a dictionary, which follow it as it changes
_VIEWS: dict[type, str] = {
    type({}.keys()): "keys",
    type({}.values()): "values",
    type({}.items()): "items",
}


def _viewed(view: Any) -> Any:
    import gc

    return gc.get_referents(view)[0]


def _view_again(mapping: Any, kind: str) -> Any:
    return getattr(mapping, kind)()


class _Captured(Exception):
    def __init__(self, function: str, name: str) -> None:
        super().__init__(function, name)
        self.function = function
        self.name = name


def _captured(variable: str, error: _Captured) -> UserError:
    message = (
        f"The function `{error.function}` in `{variable}` holds on to the variable "
        f"`{error.name}`, which a later step binds anew: stored, it would go on seeing the old one."
    )
    fix = (
        f"Give `{error.name}` to the function as an argument, or define the function in a "
        "`%%setup` cell."
    )
    return UserError((Diagnostic("NBF208", "error", message, fix=fix),))


def _unstorable(variable: str, value: Any, culprit: Any, error: Exception) -> UserError:
    kind = type(culprit).__name__
    if culprit is value or culprit is None:
        what = f"The variable `{variable}` is a {type(value).__name__}, which cannot be stored"
    else:
        place = _place(variable, value, culprit)
        where = f" (at `{place}`)" if place is not None else ""
        what = f"The variable `{variable}` holds a {kind}{where}, which cannot be stored"
    reason = str(error).strip().split("\n")[0].rstrip(".")
    fix = _FIXES.get(kind) or (
        f"Keep what you need of it as plain values, or leave `{variable}` out with "
        f"`--drop {variable}` and make it anew in the step that needs it."
    )
    message = f"{what}: {reason}." if reason else f"{what}."
    return UserError((Diagnostic("NBF405", "error", message, fix=fix),))


def _place(variable: str, value: Any, culprit: Any) -> str | None:
    """Where in the value the culprit is, as an expression; looked for within reason."""
    queue: list[tuple[str, Any]] = [(variable, value)]
    seen = {id(value)}
    for place, holder in queue:
        if len(queue) > 10_000:
            return None
        for step, item in _inside(holder):
            if item is culprit:
                return place + step
            if id(item) not in seen:
                seen.add(id(item))
                queue.append((place + step, item))
    return None


def _inside(holder: Any) -> list[tuple[str, Any]]:
    if isinstance(holder, dict):
        return [(f"[{key!r}]", item) for key, item in list(holder.items())[:1000]]
    if isinstance(holder, list | tuple):
        return [(f"[{index}]", item) for index, item in enumerate(holder[:1000])]
    attributes = getattr(holder, "__dict__", None)
    if isinstance(attributes, dict):
        return [(f".{name}", item) for name, item in attributes.items()]
    return []
