"""Frames: large pandas frames as Arrow IPC files (Feather), whose columns are read in place.

What other readers see are the columns, in the order of pandas' blocks. What pandas has beyond that
(labels of any type, the index, which columns lie in one block) is in the schema's metadata, so that
a frame comes back as it was. A column that Arrow can't hold without a copy leaves the whole frame
to pickle, which is exact for all of them.
"""

from __future__ import annotations

import pickle
import sys
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import numpy as np

from nbflow.values.layout import Buffer, Encoded

#: smaller frames are pickled: they lie in packs, where nobody else reads them
_SMALL = 128 * 1024
#: an index that is neither a range nor numbers goes into the metadata, if it has no more labels
_LABELS = 1000
_KEY = b"nbflow"
_INDEX = "__index_level_0__"


def encode(value: Any) -> Encoded | None:
    """The frame or series as parts of an Arrow file; None where it is to be pickled."""
    pd = sys.modules["pandas"]
    if type(value) not in (pd.DataFrame, pd.Series) or not _supported():
        return None
    if value.attrs or not value.flags.allows_duplicate_labels or not _indexable(value.index):
        return None
    if sum(block.values.nbytes for block in value._mgr.blocks) < _SMALL:
        return None
    columns: list[Any] = []
    places: list[tuple[Any, Any]] = []
    for block in value._mgr.blocks:
        held = _arrow(block.values)
        if held is None:
            return None
        columns += held
        at = block.mgr_locs.as_array if value.ndim == 2 else np.zeros(1, np.intp)
        places.append((at, block.values.dtype))
    labels = value.columns if value.ndim == 2 else value.name
    names = [str(labels[n]) if value.ndim == 2 else str(labels) for at, _ in places for n in at]
    index: Any = value.index
    if type(index) is not pd.RangeIndex and len(index) > _LABELS:
        columns += _arrow(index.to_numpy()) or []
        names.append(_INDEX)
        index = index[:0]
    try:
        about = pickle.dumps((value.ndim, labels, index, places), protocol=5)
    except (pickle.PicklingError, TypeError, AttributeError):
        return None
    return _write(columns, names, about)


def decode(data: memoryview) -> Any:
    """The frame, its columns lying in `data`."""
    import pandas as pd
    import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]

    reader = pa.ipc.open_file(pa.py_buffer(data))
    columns = list(reader.get_batch(0).columns)
    # written by `encode` above and checked by the store since
    dimensions, labels, index, places = pickle.loads(reader.schema.metadata[_KEY])
    if reader.schema.names[-1] == _INDEX:
        held = _in_place(data, [columns.pop()], index.dtype)[0]
        index = pd.Index(held, name=index.name, copy=False)
    blocks: list[tuple[Any, Any]] = []
    for at, dtype in places:
        held, columns = columns[: len(at)], columns[len(at) :]
        if isinstance(dtype, np.dtype):
            blocks.append((_in_place(data, held, dtype), at))
        else:
            blocks.append((dtype.__from_arrow__(pa.chunked_array(held)), at))
    if dimensions == 2:
        frame_of = import_module("pandas.api.internals").create_dataframe_from_blocks
        return frame_of(blocks, index, labels)
    ((values, _),) = blocks
    only = values[0] if isinstance(values, np.ndarray) else values
    return pd.Series(only, index=index, name=labels, copy=False)


def _supported() -> bool:
    """Whether pyarrow is there, and a pandas that makes frames of blocks."""
    return find_spec("pyarrow") is not None and find_spec("pandas.api.internals") is not None


def _indexable(index: Any) -> bool:
    pd = sys.modules["pandas"]
    if type(index) is pd.RangeIndex or len(index) <= _LABELS:
        return True
    plain = isinstance(index.dtype, np.dtype) and index.dtype.kind in "iuf"
    return type(index) is pd.Index and plain and index.to_numpy().flags.c_contiguous


def _arrow(values: Any) -> list[Any] | None:
    """The columns of a block as Arrow arrays over the same memory; None where that can't be."""
    import pyarrow as pa

    pd = sys.modules["pandas"]
    if isinstance(values.dtype, pd.StringDtype) and values.dtype.storage == "pyarrow":
        chunks = values._pa_array.chunks
        return chunks if len(chunks) == 1 and pa.types.is_large_string(chunks[0].type) else None
    if not isinstance(values.dtype, np.dtype) or values.dtype.kind not in "biufmM":
        return None
    if not values.dtype.isnative or values.dtype.itemsize > 8:
        return None
    array = np.atleast_2d(getattr(values, "_ndarray", values))
    if array.dtype.kind == "b":
        # Arrow packs eight to a byte
        array = array.view(np.uint8)
    kind = pa.from_numpy_dtype(array.dtype)
    if not all(row.flags.c_contiguous for row in array):
        return None
    return [pa.Array.from_buffers(kind, len(row), [None, pa.py_buffer(row)], 0) for row in array]


def _in_place(data: memoryview, columns: list[Any], dtype: Any) -> Any:
    """Arrow columns of one type as the rows of an array that lies in `data`, as they do."""
    base = np.frombuffer(data, np.uint8).__array_interface__["data"][0]
    starts = [column.buffers()[1].address - base for column in columns]
    step = starts[1] - starts[0] if len(starts) > 1 else 0
    # `encode` writes columns of one block, so of one size, one after another
    assert all(after - before == step for before, after in pairwise(starts))
    shape = (len(columns), len(columns[0]))
    return np.ndarray(shape, dtype, data, starts[0], (step, dtype.itemsize))


def _write(columns: list[Any], names: list[str], about: bytes) -> Encoded:
    import pyarrow as pa

    fields = [
        pa.field(name, column.type) for name, column in zip(_distinct(names), columns, strict=True)
    ]
    schema = pa.schema(fields, metadata={_KEY: about})
    sink = _Parts()
    with pa.ipc.new_file(pa.PythonFile(sink, "w"), schema) as writer:
        writer.write_batch(pa.record_batch(columns, schema=schema))
    return Encoded("arrow", tuple(sink.parts))


def _distinct(names: list[str]) -> list[str]:
    taken: set[str] = {_INDEX} if names[-1] != _INDEX else set()
    for position, name in enumerate(names):
        if name in taken:
            name = f"{name}_{position}"
        while name in taken:
            name += "_"
        taken.add(name)
        names[position] = name
    return names


class _Parts:
    """A file that keeps what is written to it, as the buffers that they are."""

    closed = False

    def __init__(self) -> None:
        self.parts: list[Buffer] = []

    def write(self, data: Any) -> None:
        self.parts.append(data if isinstance(data, bytes) else memoryview(data))

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        self.closed = True
