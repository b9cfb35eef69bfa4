"""Pickling: any value as a pickle that shares what the original shares, or says what it can't hold.

Functions and classes of a module go by reference. Those made inside a function go by value, yet
their globals are those of the live module again when they come back, so that what they look up
late is what the module has by then.
"""

from __future__ import annotations

import copyreg
import gc
import io
import pickle
import sys
import types
from collections import deque
from itertools import islice
from typing import Any

import cloudpickle  # type: ignore[import-untyped,unused-ignore]

from nbflow.values.layout import Buffer, Encoded, join_pickle, split_pickle
from nbflow.values.references import find, find_globals, module_name, process_wide, reference
from nbflow.values.refusals import CapturedError, refuse, refuse_captured
from nbflow.values.sharing import ArraySharing
from nbflow.values.tensors import TensorSharing

#: buffers below this many bytes stay within the pickle
_IN_BAND = 512

#: the views of a dictionary, which follow it as it changes
_DICT_VIEWS: dict[type, str] = {
    type({}.keys()): "keys",
    type({}.values()): "values",
    type({}.items()): "items",
}


def dump(value: Any, name: str, captured: frozenset[str] = frozenset()) -> Encoded:
    """The value pickled; a `UserError` names the variable and what in it can't be stored."""
    sharing, tensors = ArraySharing(), TensorSharing()
    parts = _dump(value, name, captured, sharing, tensors)
    # both are asked, as each takes note
    if any([sharing.found(), tensors.found(sharing.wholes())]):
        parts = _dump(value, name, captured, sharing, tensors)
    return Encoded("pickle", parts)


def load(data: memoryview) -> Any:
    """The value; arrays in it lie in `data`, so that has to be the caller's own, writable bytes."""
    pickled, buffers = split_pickle(data)
    return pickle.loads(pickled, buffers=buffers)


def _dump(
    value: Any,
    name: str,
    captured: frozenset[str],
    sharing: ArraySharing,
    tensors: TensorSharing,
) -> tuple[Buffer, ...]:
    file = io.BytesIO()
    buffers: list[memoryview] = []

    def keep(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < _IN_BAND:
            return True
        buffers.append(raw)
        return False

    current = "_figure" in name.split(", ")
    pickler = ValuePickler(file, keep, captured, sharing, tensors, current)
    try:
        pickler.dump(value)
    except CapturedError as error:
        raise refuse_captured(name, error) from None
    except Exception as error:
        raise refuse(name, value, pickler.last, error) from error
    return join_pickle(file.getbuffer(), buffers)


class ValuePickler(cloudpickle.Pickler):  # type: ignore[misc,unused-ignore]
    """cloudpickle's pickler, but for modules' globals, arrays' memory, and what it would lose."""

    def __init__(
        self,
        file: io.BytesIO,
        keep: Any,
        captured: frozenset[str],
        sharing: ArraySharing,
        tensors: TensorSharing,
        current: bool = False,
    ) -> None:
        super().__init__(file, protocol=5, buffer_callback=keep)
        self._captured = captured
        self._sharing = sharing
        self._tensors = tensors
        #: whether a figure is pyplot's current one, and is so again when it comes back
        self._current = current
        #: the object in hand, should pickling fail
        self.last: Any = None

    def reducer_override(self, obj: Any) -> Any:
        """Called by pickle for everything but the plainest types."""
        self.last = obj
        kind = type(obj)
        if isinstance(obj, io.TextIOWrapper | memoryview):
            # cloudpickle would store a copy of the text or of the bytes without a word
            raise pickle.PicklingError(f"cannot pickle {kind.__name__!r} object")
        if kind is types.CellType:
            return _make_cell, (), _contents(obj), None, None, _fill_cell
        if kind in _DICT_VIEWS:
            return _view_again, (gc.get_referents(obj)[0], _DICT_VIEWS[kind])
        if not self._current and _is_figure(obj):
            return _apart_from_pyplot(obj.__reduce_ex__(5))
        if kind.__name__ == "flatiter" and kind.__module__ == "numpy":
            return _flat_again, (obj.base, obj.index)
        if isinstance(obj, type) and kind in copyreg.dispatch_table:
            return NotImplemented  # the author of the metaclass knows how its classes are made
        if isinstance(obj, types.FunctionType | type):
            found = _by_reference(obj)
            return super().reducer_override(obj) if found is None else (find, found)
        generator = process_wide(obj)
        if generator is not None:
            return find, generator
        reduced = self._sharing.reduce(obj) or self._tensors.reduce(obj)
        return super().reducer_override(obj) if reduced is None else reduced

    def _dynamic_function_reduce(self, func: types.FunctionType) -> Any:
        held = self._captured.intersection(func.__code__.co_freevars)
        if held:
            raise CapturedError(func.__name__, min(held))
        reduced = _with_own_cells(func, super()._dynamic_function_reduce(func))
        module = module_name(func.__globals__)
        if module is None:
            return reduced
        make, (code, _, *rest), (state, slots), *more = reduced
        # nothing of the module is copied: it is looked up again
        slots = {**slots, "__globals__": {}}
        return make, (code, _Globals(module), *rest), (state, slots), *more


def _by_reference(obj: Any) -> tuple[str, str] | None:
    """Where an object is found again that pickle itself would not go by reference for."""
    if isinstance(obj, types.FunctionType):
        found = reference(obj, obj.__globals__)
    elif obj.__module__ == "__main__" and "__main__" in sys.modules:
        found = reference(obj, vars(sys.modules["__main__"]))
    else:
        return None
    return None if found == (obj.__module__, obj.__qualname__) else found


def _with_own_cells(func: types.FunctionType, reduced: Any) -> Any:
    """Give the function its very cells back: cloudpickle copies them, and functions made by one
    call would no longer share their variables. A cell that holds its own function is sound, as
    it is filled after it is made.
    """
    make, (code, base, name, defaults, _, *rest), (state, slots), *more = reduced
    slots = {**slots, "__closure__": None}
    return make, (code, base, name, defaults, func.__closure__, *rest), (state, slots), *more


def _make_cell() -> types.CellType:
    return types.CellType()


def _contents(cell: types.CellType) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:  # a variable not bound yet
        return ()


def _fill_cell(cell: types.CellType, contents: tuple[Any, ...]) -> None:
    if contents:
        cell.cell_contents = contents[0]


def _is_figure(value: Any) -> bool:
    figure = sys.modules.get("matplotlib.figure")
    return figure is not None and isinstance(value, figure.Figure)


def _apart_from_pyplot(reduced: Any) -> Any:
    """A figure's reduction with which pyplot does not open, and so show, it again."""
    make, arguments, state, *more = reduced
    state.pop("_restore_to_pylab", None)
    return make, arguments, state, *more


def _view_again(mapping: Any, kind: str) -> Any:
    return getattr(mapping, kind)()


def _flat_again(array: Any, index: int) -> Any:
    """An array's `flat`, as far on as it was."""
    flat = array.flat
    deque(islice(flat, index), maxlen=0)
    return flat


class _Globals:
    """Stands in the pickle for the live dictionary of a module."""

    def __init__(self, module: str) -> None:
        self.module = module

    def __reduce__(self) -> Any:
        return find_globals, (self.module,)
