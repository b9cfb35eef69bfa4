"""Sharing: arrays that are views of one memory come back as views of one memory."""

from __future__ import annotations

import sys
from typing import Any


class ArraySharing:
    """What is known of the arrays in a value: filled by a first pickling, used by a second.

    Frames are left out: pandas copies the memory that its frames share when one is written to, but
    it does not know of sharing that a pickle has restored.
    """

    def __init__(self) -> None:
        #: by the id of a memory's owner: the owner, and the arrays met that lie in it
        self._roots: dict[int, tuple[Any, dict[int, Any]]] = {}
        self._shared: frozenset[int] = frozenset()
        self._blocks: dict[int, Any] = {}
        self._np = sys.modules.get("numpy")
        internals = sys.modules.get("pandas._libs.internals")
        self._block = getattr(internals, "Block", None)

    def found(self) -> bool:
        """Whether a second pickling is needed, in which views are written as views."""
        self._blocks.clear()
        self._shared = frozenset(root for root, arrays in self._roots.items() if len(arrays) > 1)
        return bool(self._shared)

    def reduce(self, obj: Any) -> Any:
        """How to pickle an array or a block of a frame; None to leave it to others."""
        if self._block is not None and isinstance(obj, self._block):
            return self._reduce_block(obj)
        if self._np is None or type(obj) is not self._np.ndarray:
            return None
        if id(obj) not in self._blocks:
            root = self._root(obj)
            if root is not None:
                self._roots.setdefault(id(root), (root, {}))[1][id(obj)] = obj
                if id(root) in self._shared and root is not obj:
                    return self._reduce_view(obj, root)
        if not (obj.flags.c_contiguous or obj.flags.f_contiguous) and not obj.dtype.hasobject:
            return self._contiguous(obj).__reduce_ex__(5)
        return None

    def _root(self, array: Any) -> Any:
        root = array
        while type(root.base) is self._np.ndarray:  # type: ignore[union-attr]
            root = root.base
        whole = root.flags.c_contiguous or root.flags.f_contiguous
        return root if whole and root.flags.writeable else None

    def _reduce_view(self, view: Any, root: Any) -> Any:
        start = root.__array_interface__["data"][0]
        offset = view.__array_interface__["data"][0] - start
        writeable = bool(view.flags.writeable)
        return view_of, (root, view.dtype, view.shape, offset, view.strides, writeable)

    def _reduce_block(self, block: Any) -> Any:
        values = block.values
        if id(values) in self._blocks:
            # two frames that share until one is written to: pandas calls that a copy
            values = values.copy()
        self._blocks[id(values)] = values
        make, (_, *rest) = block.__reduce__()
        return make, (values, *rest)

    def _contiguous(self, array: Any) -> Any:
        copy = self._np.ascontiguousarray(array)  # type: ignore[union-attr]
        copy.flags.writeable = array.flags.writeable
        return copy


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
