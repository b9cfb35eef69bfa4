"""Fingerprint: a number that tells whether a value has been changed in place, found in no time.

What is small is looked at as a whole. Of a large array every element is added up and some are
looked at in their places; of large containers and frames, some elements and columns. So a change
can be missed, but where two fingerprints of one object differ, it was changed. A frame has one for
each column that there was time for. The thorough comparison, which needs the value as it was, is
a run's (`nbflow.runtime.unchanged`).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any
from zlib import crc32

from nbflow.runtime.unchanged import immutable

#: bytes of an array that are looked at in order, and those that are added up
_WHOLE = 64 << 10
_ADDED = 4 << 20
_SAMPLE = 2048
#: elements of a container and columns of a frame that are looked at
_ELEMENTS = 2000
_COLUMNS = 24
_DEPTH = 20


def fingerprint(value: Any, deadline: float) -> tuple[int, ...] | None:
    """The fingerprint; None where the value cannot change, cannot be read, or time is out.

    ``deadline`` is a time of `time.thread_time`.
    """
    pd = sys.modules.get("pandas")
    found: list[int] = []
    try:
        if immutable(value):
            return None
        if pd is not None and isinstance(value, pd.DataFrame):
            # one by one: those before the time is out count
            for part in _Print(deadline).frame(value, 0):
                found.append(part)
        else:
            found.append(_Print(deadline).of(value))
    except _Unknown:
        pass
    except Exception:
        return None  # a class of somebody's that cannot be read just now
    return tuple(found) or None


def differ(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether two fingerprints of one object say that it was changed, as far as both go."""
    return any(x != y for x, y in zip(one, other, strict=False))


class _Unknown(Exception):
    pass


class _Print:
    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._met: set[int] = set()

    def of(self, value: Any, depth: int = 0) -> int:
        if isinstance(value, float):
            return hash(str(value)) if value != value else hash(value)
        if immutable(value):
            return hash((type(value).__name__, value))
        if depth > _DEPTH or time.thread_time() > self._deadline:
            raise _Unknown
        if id(value) in self._met:
            return 0
        self._met.add(id(value))
        kind = type(value)
        if kind in (list, tuple):
            return hash((kind.__name__, len(value), self._all(_spread(value), depth)))
        if kind is dict:
            pairs = list(islice(value.items(), _ELEMENTS))
            return hash((len(value), self._all((one for pair in pairs for one in pair), depth)))
        if kind is set:
            return self._set(value)
        if kind is bytearray:
            return hash((len(value), crc32(value[:_WHOLE]), crc32(value[-_WHOLE:])))
        if kind.__module__ == "__main__" and hasattr(value, "__dict__"):
            return self.of(vars(value), depth + 1)
        return self._data(value, depth)

    def _all(self, values: Iterable[Any], depth: int) -> int:
        return hash(tuple(self.of(one, depth + 1) for one in values))

    def _set(self, value: set[Any]) -> int:
        if len(value) > _ELEMENTS or not all(map(immutable, value)):
            return len(value)
        return hash(frozenset(value))

    def _data(self, value: Any, depth: int) -> int:
        np, pd = sys.modules.get("numpy"), sys.modules.get("pandas")
        if np is not None and isinstance(value, np.ndarray):
            return self._array(value, np, depth)
        if pd is not None and isinstance(value, pd.DataFrame):
            return hash(tuple(self.frame(value, depth)))
        if pd is not None and isinstance(value, pd.Series):
            return hash((self._column(value.index, np, depth), self._column(value, np, depth)))
        raise _Unknown

    def frame(self, value: Any, depth: int) -> Iterator[int]:
        """A number for its shape and its names, then one for each column."""
        np = sys.modules["numpy"]
        names = self._all(_spread(list(value.columns), _ELEMENTS), depth)
        yield hash((value.shape, names, self._column(value.index, np, depth)))
        wide = value.shape[1]
        if wide <= _COLUMNS:  # the quick way, a column at a time
            columns: Iterable[Any] = (column for _, column in value.items())
        else:
            columns = (value.iloc[:, at] for at in _spread(range(wide), _COLUMNS))
        for column in columns:
            yield self._column(column, np, depth)

    def _column(self, column: Any, np: Any, depth: int) -> int:
        if time.thread_time() > self._deadline:
            raise _Unknown
        pd = sys.modules["pandas"]
        if isinstance(column, pd.RangeIndex):
            return hash((column.start, column.stop, column.step))
        if isinstance(column.dtype, np.dtype):
            return self._array(column.to_numpy(), np, depth)
        held = column.array
        about = (str(column.dtype), len(held))
        some = held[:: max(1, len(held) // 64)]
        if isinstance(column.dtype, pd.DatetimeTZDtype | pd.PeriodDtype):
            return hash((about, some.view("i8").tobytes()))
        if isinstance(column.dtype, pd.CategoricalDtype):
            ends = tuple(str(held.categories[at]) for at in (0, -1) if len(held.categories))
            return hash((about, len(held.categories), ends, some.codes.tobytes()))
        return hash((about, tuple(map(str, some.to_numpy(dtype=object)))))

    def _array(self, array: Any, np: Any, depth: int) -> int:
        about = (array.dtype.str, array.shape)
        flat = array.reshape(-1) if array.flags.c_contiguous else array.ravel(order="K")
        some = flat[:: max(1, flat.size // _SAMPLE)]
        if array.dtype.hasobject:
            return hash((about, self._all(some.tolist(), depth)))
        if array.nbytes <= _WHOLE:
            return hash((about, flat.tobytes()))
        added = 0
        if array.nbytes <= _ADDED and array.dtype.itemsize in (1, 2, 4, 8):
            added = int(np.bitwise_xor.reduce(flat.view(f"u{array.dtype.itemsize}")))
        return hash((about, added, some.tobytes(), flat[-64:].tobytes()))


def _spread(values: Sequence[Any], most: int = _ELEMENTS) -> Sequence[Any]:
    """All of a few values; of many the first ones, the last ones and some between."""
    if len(values) <= most:
        return values
    part = most // 4
    inner = values[part:-part]
    between = inner[:: len(inner) // (2 * part)]
    return [*values[:part], *between, *values[-part:]]
