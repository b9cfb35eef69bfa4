"""Unchanged: whether a task changed, in place and unseen, an input that a later step reads too."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from functools import cached_property
from inspect import getattr_static
from types import CellType, CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from nbflow.errors import user_error
from nbflow.runtime.spec import StepSpec
from nbflow.values.ref import Ref

if TYPE_CHECKING:
    from nbflow.store import Store

_IMMUTABLE = (bool, int, float, complex, str, bytes, type(None), range, frozenset, type, CodeType)
#: bytes up to which a value is compared as a whole; of larger arrays and frames a sample is
WHOLE = 32 << 20
_SAMPLE = 100_000


def changed(value: Any, before: Any) -> bool | None:
    """Whether ``value`` differs from what it was; None where only its author could tell.

    Containers, arrays and frames are compared by what they hold. An object of another class may
    differ in what does not count, a cache say: then the answer is None.
    """
    try:
        return _Comparison().differ(value, before)
    except Exception:
        return None  # a class of somebody's that cannot be compared


def check_unchanged(
    step: StepSpec, values: Mapping[str, Any], refs: Mapping[str, Ref], store: Store
) -> tuple[str, ...]:
    """Compare the inputs that a later step reads too with what is stored.

    A difference is a `UserError`; the names of those that only may differ are returned.
    """
    doubtful: list[str] = []
    for name in step.unchanged:
        value, ref = values.get(name), refs.get(name)
        if ref is None or immutable(value):
            continue
        found = changed(value, store.get(ref))
        if found:
            raise user_error(
                "NBF305",
                f"The step `{step.name}` changed `{name}` in place, which nbflow did not see: a "
                "later step would get the value as it was before.",
                f"Say so in the step's cell: `{name} = {name}` after the change makes it the "
                f"step's own; or change a copy, `{name}.copy()`.",
                cell=step.cells[-1] if step.cells else None,
                line=1,
            )
        if found is None:
            doubtful.append(name)
    return tuple(doubtful)


def immutable(value: Any) -> bool:
    """Whether it cannot have been changed."""
    return issubclass(type(value), _IMMUTABLE)


class _Comparison:
    def __init__(self) -> None:
        #: pairs under comparison, kept alive so that no id is used again
        self._met: dict[tuple[int, int], tuple[Any, Any]] = {}

    def differ(self, one: Any, other: Any) -> bool | None:
        if one is other:
            return False
        if type(one) is not type(other):
            return True
        if type(one) is frozenset:  # its elements may be equal only to themselves
            return False if one == other else None
        if immutable(one):
            return not _equal(one, other)
        if (id(one), id(other)) in self._met:
            return False
        self._met[id(one), id(other)] = (one, other)
        if type(one) in (list, tuple):
            return len(one) != len(other) or self._any(zip(one, other, strict=True))
        if type(one) is dict:
            pairs = zip(one.items(), other.items(), strict=True)
            return len(one) != len(other) or self._any(
                both for pair in pairs for both in zip(*pair, strict=True)
            )
        if type(one) is set and len(one) == len(other) and one != other:
            # elements that are equal only to themselves are others each time they are read
            return True if all(immutable(item) and item == item for item in one) else None
        if type(one) in (set, bytearray):
            return bool(one != other)
        return self._array(one, other)

    def _any(self, pairs: Any) -> bool | None:
        unknown = False
        for one, other in pairs:
            found = self.differ(one, other)
            if found:
                return True
            unknown |= found is None
        return None if unknown else False

    def _array(self, one: Any, other: Any) -> bool | None:
        np, pd = sys.modules.get("numpy"), sys.modules.get("pandas")
        if np is not None and isinstance(one, np.ndarray):
            if one.dtype != other.dtype or one.shape != other.shape:
                return True
            if one.dtype.hasobject:
                return self._any(zip(one.ravel(), other.ravel(), strict=True))
            one, other = _sample(one), _sample(other)
            return not all(
                np.array_equal(x, y, equal_nan=x.dtype.kind in "fcmM")
                for x, y in zip(_fields(one), _fields(other), strict=True)
            )
        if pd is not None and isinstance(one, (pd.DataFrame, pd.Series, pd.Index)):
            return self._frame(one, other)
        return self._object(one, other)

    def _frame(self, one: Any, other: Any) -> bool | None:
        if one.shape != other.shape:
            return True
        if hasattr(one, "columns") and not one.columns.identical(other.columns):
            return True
        if hasattr(one, "index") and not _rows(one.index).equals(_rows(other.index)):
            return True
        one, other = _rows(one), _rows(other)
        if one.equals(other):
            return False
        return self._any(
            (list(x), list(y)) if x.dtype == object and y.dtype == object else (x.equals(y), True)
            for x, y in zip(_columns(one), _columns(other), strict=True)
        )

    def _object(self, one: Any, other: Any) -> bool | None:
        if getattr(type(one), "__eq__", None) is not getattr(object, "__eq__", None):
            try:
                if bool(one == other):
                    return False
            except Exception:
                return None
        state = _state(one)
        return False if state and self.differ(state, _state(other)) is False else None


def _state(value: Any) -> list[Any]:
    """What an object is made of: what pickle stores of it, caches left out; empty if unknown.

    Its class may be written in C, and have no attributes.
    """
    if isinstance(value, FunctionType):
        held = [_contents(cell) for cell in value.__closure__ or ()]
        return [value.__code__, value.__defaults__, value.__kwdefaults__, vars(value), held]
    try:
        reduced = value.__reduce_ex__(4)
    except Exception:
        return [uncached(value, vars(value))] if hasattr(value, "__dict__") else []
    if isinstance(reduced, str):
        return [reduced]
    arguments, state, items, pairs = (*reduced[1:], None, None, None)[:4]
    if isinstance(state, dict):
        state = uncached(value, state)
    return [arguments, state, list(items or ()), list(pairs or ())]


def uncached(value: Any, state: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes; of a library's class without those that any use fills in, as a cache is."""
    kind = type(value)
    if kind.__module__ == "__main__":
        return dict(state)
    return {
        name: held
        for name, held in state.items()
        if "cache" not in str(name).lower()
        and not isinstance(getattr_static(kind, str(name), None), cached_property)
    }


def _contents(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not bound yet
        return None


def _columns(frame: Any) -> Iterator[Any]:
    """The columns of a frame; a series or an index by itself."""
    if not hasattr(frame, "columns"):
        yield frame
        return
    for position in range(frame.shape[1]):
        yield frame.iloc[:, position]


def _equal(one: Any, other: Any) -> bool:
    """Whether two plain values are equal; what is not a number is itself."""
    if isinstance(one, complex):
        return _equal(one.real, other.real) and _equal(one.imag, other.imag)
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)


def _fields(array: Any) -> Iterator[Any]:
    """The fields of a structured array, those of fields too; another array by itself."""
    if array.dtype.names is None:
        yield array
        return
    for name in array.dtype.names:
        yield from _fields(array[name])


def _sample(array: Any) -> Any:
    if array.nbytes <= WHOLE:
        return array
    flat = array.reshape(-1) if array.flags.c_contiguous else array.ravel(order="K")
    return flat[:: max(1, flat.size // _SAMPLE)]


def _rows(frame: Any) -> Any:
    """All rows, or of a large frame a sample of them."""
    size = frame.memory_usage()
    if (size if isinstance(size, int) else int(size.sum())) <= WHOLE:
        return frame
    step = max(1, len(frame) // _SAMPLE)
    return frame.iloc[::step] if hasattr(frame, "iloc") else frame[::step]
