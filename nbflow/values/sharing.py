"""Sharing: arrays that are views of one memory come back as views of one memory."""

from __future__ import annotations

import sys
from typing import Any

#: where the arrays of pandas keep theirs
_INNER = ("_ndarray", "_data", "_mask", "_codes")


class ArraySharing:
    """What is known of the arrays in a value: filled by a first pickling, used by a second.

    The memory of frames is left out: frames that pandas lets share memory until one is written to
    are separate values, and pandas would not know of sharing that a pickle has restored.
    """

    def __init__(self) -> None:
        #: by the id of a memory's owner: the owner, and the arrays met that lie in it
        self._met: dict[int, tuple[Any, dict[int, Any]]] = {}
        #: by the same id: stretches of addresses that arrays share, and the array of each
        self._shared: dict[int, list[tuple[int, int, Any]]] = {}
        #: arrays of frames, and the owners of their memory, by their ids
        self._framed: dict[int, Any] = {}
        self._np: Any = sys.modules.get("numpy")
        managers = sys.modules.get("pandas.core.internals.managers")
        self._manager: Any = getattr(managers, "BaseBlockManager", None)

    def found(self) -> bool:
        """Whether a second pickling is needed, in which views are written as views."""
        self._framed.clear()
        for key, (root, arrays) in self._met.items():
            stretches = _stretches(list(arrays.values())) if len(arrays) > 1 else []
            for low, high in stretches:
                whole = root if id(root) in arrays else _window(root, low, high)
                self._shared.setdefault(key, []).append((low, high, whole))
        return bool(self._shared)

    def wholes(self) -> dict[int, Any]:
        """The arrays met that own their memory, by its address."""
        return {
            root.__array_interface__["data"][0]: root
            for root, arrays in self._met.values()
            if id(root) in arrays
        }

    def reduce(self, obj: Any) -> Any:
        """How to pickle an array or the inside of a frame; None to leave it to others."""
        if self._manager is not None and isinstance(obj, self._manager):
            return self._reduce_manager(obj)
        if self._np is None or type(obj) is not self._np.ndarray:
            return None
        root = self._root(obj)
        if root is not None and id(obj) not in self._framed:
            self._met.setdefault(id(root), (root, {}))[1][id(obj)] = obj
            first, last = _span(obj)
            for low, high, whole in self._shared.get(id(root), ()):
                if low <= first and last <= high and obj is not whole:
                    return _reduce_view(obj, whole)
        if not (obj.flags.c_contiguous or obj.flags.f_contiguous) and not obj.dtype.hasobject:
            # numpy itself would copy it twice
            copy = self._np.ascontiguousarray(obj)
            copy.flags.writeable = obj.flags.writeable
            return copy.__reduce_ex__(5)
        return None

    def _root(self, array: Any) -> Any:
        root = self._owner(array)
        whole = root.flags.c_contiguous or root.flags.f_contiguous
        return root if whole and root.flags.writeable else None

    def _owner(self, array: Any) -> Any:
        while type(array.base) is self._np.ndarray:
            array = array.base
        return array

    def _reduce_manager(self, manager: Any) -> Any:
        arrays = self._arrays(manager)
        if any(id(self._owner(array)) in self._framed for array in arrays):
            manager = manager.copy(deep=True)
            arrays = self._arrays(manager)
        for array in arrays:
            owner = self._owner(array)
            self._framed[id(array)] = array
            self._framed[id(owner)] = owner
        return manager.__reduce_ex__(5)

    def _arrays(self, manager: Any) -> list[Any]:
        values = [block.values for block in manager.blocks]
        inner = [getattr(value, name, None) for value in values for name in _INNER]
        return [array for array in (*values, *inner) if type(array) is self._np.ndarray]


def _span(array: Any) -> tuple[int, int]:
    """The addresses that the array's elements lie between."""
    start = array.__array_interface__["data"][0]
    if not array.size:
        return start, start
    steps = [(n - 1) * by for n, by in zip(array.shape, array.strides, strict=True)]
    low, high = sum(min(step, 0) for step in steps), sum(max(step, 0) for step in steps)
    return start + low, start + high + array.itemsize


def _stretches(arrays: list[Any]) -> list[tuple[int, int]]:
    """Where arrays overlap, merged; where only one lies, nothing is shared."""
    found: list[tuple[int, int, int]] = []
    for low, high in sorted(map(_span, arrays)):
        if found and low < found[-1][1]:
            first, last, count = found[-1]
            found[-1] = (first, max(last, high), count + 1)
        else:
            found.append((low, high, 1))
    return [(low, high) for low, high, count in found if count > 1]


def _window(root: Any, low: int, high: int) -> Any:
    """The part of the memory that is needed, as an array of the root's elements."""
    start, _ = _span(root)
    size = root.itemsize
    return root.ravel(order="K")[(low - start) // size : -(-(high - start) // size)]


def _reduce_view(view: Any, root: Any) -> Any:
    start = root.__array_interface__["data"][0]
    offset = view.__array_interface__["data"][0] - start
    writeable = bool(view.flags.writeable)
    return view_of, (root, view.dtype, view.shape, offset, view.strides, writeable)


def view_of(root: Any, dtype: Any, shape: Any, offset: int, strides: Any, writeable: bool) -> Any:
    """The view of `root` that starts `offset` bytes into it."""
    import numpy as np

    if dtype == root.dtype and offset % root.itemsize == 0:
        flat = root.ravel(order="K")[offset // root.itemsize :]
        view = np.lib.stride_tricks.as_strided(flat, shape, strides)
    else:
        whole = root if root.flags.c_contiguous else root.T
        view = np.ndarray(shape, dtype, whole, offset, strides)
    if not writeable:
        view.flags.writeable = False
    return view
