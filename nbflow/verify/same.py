"""Same: whether two values are equal through and through, and the first place where they are not.

Knows arrays, frames, containers and functions; any other object is compared by what pickle would
store of it, which holds for the models of scikit-learn as for a user's own classes.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from nbflow.runtime.unchanged import uncached

#: floats that differ by less than this share of themselves are equal: sums in another order
_ROUNDING = 1e-9
#: after this many parts a value is taken to be equal
_PARTS = 500_000
#: attributes that tell how long something took, and keys of such results
_TIMINGS = ("fit_time", "score_time", "refit_time_")


#: what a command or a cell printed, as IPython has it: the flow's own class, and its attributes
_PRINTED = {
    "IPython.utils.text.SList": ("Lines", ()),
    "IPython.utils.capture.CapturedIO": ("CapturedOutput", ("stdout", "stderr")),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two values differ, as an expression, and what stands there in each."""

    place: str
    kernel: str
    flow: str

    def __str__(self) -> str:
        return f"{self.place}: {self.kernel} in the kernel, {self.flow} in the flow"


def find_difference(
    kernel: Any, flow: Any, name: str, own: Sequence[str] = ()
) -> Difference | None:
    """The first difference between two values; ``own`` are the modules of the flow's package.

    Raises `Incomparable` where an object in them fails when it is looked at.
    """
    try:
        _Comparison(own).compare(kernel, flow, name)
    except _Differ as differ:
        return differ.difference
    except _Enough:
        return None
    except Exception as error:
        raise Incomparable(f"{name}: {type(error).__name__}: {error}") from error
    return None


class Incomparable(Exception):
    """Values whose own methods fail."""


class _Differ(Exception):
    def __init__(self, difference: Difference) -> None:
        self.difference = difference


class _Enough(Exception):
    pass


class _Comparison:
    """Walks two values side by side; raises `_Differ` at the first difference."""

    def __init__(self, own: Sequence[str]) -> None:
        self._own = tuple(own)
        self._seen: dict[tuple[int, int], tuple[Any, Any]] = {}
        self._parts = 0

    def compare(self, a: Any, b: Any, place: str) -> None:
        self._parts += 1
        if self._parts > _PARTS:
            raise _Enough
        if a is b:
            return
        printed, parts = _PRINTED.get(self._type(a), ("", ()))
        if printed == self._type(b):
            self._printed(a, b, place, parts)
            return
        if self._type(a) != self._type(b):
            raise _Differ(Difference(place, self._type(a), self._type(b)))
        if issubclass(type(a), (bool, int, str, bytes, range, complex, float)):
            self._plain(a, b, place)
            return
        if (id(a), id(b)) in self._seen:
            return
        # kept alive, so that no id is used again
        self._seen[id(a), id(b)] = (a, b)
        self._comparer(a)(a, b, place)

    def _comparer(self, a: Any) -> Callable[[Any, Any, str], None]:
        numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
        if numpy is not None and isinstance(a, (numpy.ndarray, numpy.generic)):
            return self._array
        if pandas is not None and isinstance(a, (pandas.DataFrame, pandas.Series, pandas.Index)):
            return self._frame
        if isinstance(a, dict):
            return self._mapping
        if isinstance(a, (list, tuple)):
            return self._sequence
        if isinstance(a, (set, frozenset)):
            return self._set
        if isinstance(a, FunctionType):
            return self._function
        if isinstance(a, (type, ModuleType, BuiltinFunctionType)):
            return self._named
        if isinstance(a, MethodType):
            return self._method
        return self._object

    def _plain(self, a: Any, b: Any, place: str) -> None:
        if not _equal(a, b):
            raise _Differ(Difference(place, _short(a), _short(b)))
        if isinstance(a, (int, str, bytes)) and type(a).__module__ != "builtins":
            self._state(a, b, place)

    def _printed(self, a: Any, b: Any, place: str, parts: Sequence[str]) -> None:
        """What IPython's class holds, against the flow's."""
        if not parts:
            self.compare(list(a), list(b), place)
        for name in parts:
            self.compare(getattr(a, name), getattr(b, name), f"{place}.{name}")

    def _array(self, a: Any, b: Any, place: str) -> None:
        import numpy as np

        if a.dtype != b.dtype or a.shape != b.shape:
            raise _Differ(Difference(place, f"{a.dtype} {a.shape}", f"{b.dtype} {b.shape}"))
        if a.dtype == object or a.dtype.hasobject:
            for at, (x, y) in enumerate(zip(a.ravel().tolist(), b.ravel().tolist(), strict=True)):
                self.compare(x, y, f"{place}.flat[{at}]")
            return
        if a.dtype.names is not None:
            for name in a.dtype.names:
                self._array(a[name], b[name], f"{place}[{name!r}]")
            return
        equal = a == b
        if a.dtype.kind in "fc":
            equal = np.isclose(a, b, rtol=_ROUNDING, atol=0, equal_nan=True)
        elif a.dtype.kind in "mM":
            equal = equal | (np.isnat(a) & np.isnat(b))
        if not np.all(equal):
            where = tuple(int(i) for i in np.argwhere(~np.atleast_1d(equal))[0])
            index = f"[{', '.join(map(str, where))}]" if a.shape else ""
            x, y = (np.atleast_1d(one)[where] for one in (a, b))
            raise _Differ(Difference(place + index, _short(x), _short(y)))

    def _frame(self, a: Any, b: Any, place: str) -> None:
        import pandas as pd

        if a.shape != b.shape:
            raise _Differ(Difference(f"{place}.shape", str(a.shape), str(b.shape)))
        if isinstance(a, pd.DataFrame):
            self.compare(a.columns, b.columns, f"{place}.columns")
            self.compare(a.index, b.index, f"{place}.index")
            for at, column in enumerate(a.columns):
                self._values(a.iloc[:, at], b.iloc[:, at], f"{place}[{column!r}]")
        elif isinstance(a, pd.Series):
            self.compare(a.name, b.name, f"{place}.name")
            self.compare(a.index, b.index, f"{place}.index")
            self._values(a, b, place)
        else:
            self.compare(list(a.names), list(b.names), f"{place}.names")
            self._values(a, b, place)
        if getattr(a, "attrs", None) or getattr(b, "attrs", None):
            self.compare(a.attrs, b.attrs, f"{place}.attrs")

    def _values(self, a: Any, b: Any, place: str) -> None:
        """The values of a column or an index."""
        if str(a.dtype) != str(b.dtype):
            raise _Differ(Difference(f"{place}.dtype", str(a.dtype), str(b.dtype)))
        if a.equals(b):
            return
        missing_a, missing_b = a.isna(), b.isna()
        for at, (x, y, gone_x, gone_y) in enumerate(zip(a, b, missing_a, missing_b, strict=True)):
            if gone_x != gone_y:
                raise _Differ(Difference(f"{place}[{at}]", _short(x), _short(y)))
            if not gone_x:
                self.compare(x, y, f"{place}[{at}]")

    def _mapping(self, a: dict[Any, Any], b: dict[Any, Any], place: str) -> None:
        if len(a) != len(b):
            raise _Differ(Difference(f"len({place})", str(len(a)), str(len(b))))
        for (x, left), (y, right) in zip(a.items(), b.items(), strict=True):
            self.compare(x, y, f"list({place})")
            if not (isinstance(x, str) and x.endswith(_TIMINGS)):
                self.compare(left, right, f"{place}[{_short(x)}]")
        if type(a) is not dict:
            self._state(a, b, place)

    def _sequence(self, a: Sequence[Any], b: Sequence[Any], place: str) -> None:
        if len(a) != len(b):
            raise _Differ(Difference(f"len({place})", str(len(a)), str(len(b))))
        for at, (x, y) in enumerate(zip(a, b, strict=True)):
            self.compare(x, y, f"{place}[{at}]")
        if type(a) not in (list, tuple):
            self._state(a, b, place)

    def _set(self, a: set[Any], b: set[Any], place: str) -> None:
        if len(a) != len(b):
            raise _Differ(Difference(f"len({place})", str(len(a)), str(len(b))))
        if a == b:
            return
        # objects that compare by identity: matched by how they print
        for x, y in zip(sorted(a, key=repr), sorted(b, key=repr), strict=True):
            self.compare(x, y, f"an element of {place}")

    def _function(self, a: FunctionType, b: FunctionType, place: str) -> None:
        """Functions travel as code, so the source is one: what they hold may differ."""
        self.compare(a.__name__, b.__name__, f"{place}.__name__")
        self.compare(a.__defaults__, b.__defaults__, f"{place}.__defaults__")
        self.compare(a.__kwdefaults__, b.__kwdefaults__, f"{place}.__kwdefaults__")
        names = a.__code__.co_freevars
        self.compare(names, b.__code__.co_freevars, f"{place}.__code__.co_freevars")
        for name, x, y in zip(names, a.__closure__ or (), b.__closure__ or (), strict=True):
            self.compare(_cell(x), _cell(y), f"{place}: its {name}")

    def _named(self, a: Any, b: Any, place: str) -> None:
        x, y = (getattr(one, "__qualname__", one.__name__) for one in (a, b))
        if x != y:
            raise _Differ(Difference(place, x, y))

    def _method(self, a: MethodType, b: MethodType, place: str) -> None:
        self.compare(a.__func__.__name__, b.__func__.__name__, place)
        self.compare(a.__self__, b.__self__, f"{place}.__self__")

    def _object(self, a: Any, b: Any, place: str) -> None:
        if type(a).__module__.startswith(("matplotlib", "mpl_toolkits")):
            return  # a figure is compared as it is shown
        self._state(a, b, place)

    def _state(self, a: Any, b: Any, place: str) -> None:
        x, y = _reduced(a), _reduced(b)
        if isinstance(x, str) or isinstance(y, str):
            self.compare(x, y, place)
            return
        if x is None or y is None:
            return
        _, arguments_a, state_a, items_a, pairs_a = x
        _, arguments_b, state_b, items_b, pairs_b = y
        self.compare(arguments_a, arguments_b, f"{place}: its arguments")
        if isinstance(state_a, dict) and isinstance(state_b, dict):
            own = self._is_own(type(a))
            if not own:
                state_a, state_b = uncached(a, state_a), uncached(b, state_b)
            self._attributes(state_a, state_b, place, own)
        elif _has_slots(state_a) and _has_slots(state_b):
            self._attributes(_merged(state_a), _merged(state_b), place, self._is_own(type(a)))
        else:
            self.compare(state_a, state_b, f"{place}: its state")
        if not isinstance(a, (list, dict)):
            self.compare(items_a, items_b, f"list({place})")
            self.compare(pairs_a, pairs_b, f"dict({place})")

    def _attributes(
        self, a: Mapping[str, Any], b: Mapping[str, Any], place: str, own: bool
    ) -> None:
        if set(a) != set(b):
            x, y = (sorted(str(n) for n in one) for one in (set(a) - set(b), set(b) - set(a)))
            raise _Differ(Difference(f"the attributes of {place}", f"also {x}", f"also {y}"))
        for name, value in a.items():
            if not own and _empty(value) and _empty(b[name]) and None in (value, b[name]):
                continue  # empty and not there yet: a library fills it in when asked
            if not str(name).endswith(_TIMINGS):
                self.compare(value, b[name], f"{place}.{name}")

    def _type(self, value: Any) -> str:
        kind = type(value)
        if self._is_own(kind) or kind.__module__ == "builtins":
            return kind.__qualname__
        return f"{kind.__module__}.{kind.__qualname__}"

    def _is_own(self, kind: type) -> bool:
        """Whether a class is the notebook's, which is `__main__` or in the flow's package."""
        module = kind.__module__
        return module == "__main__" or module in self._own or module.split(".")[0] in self._own


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, float):
        return (math.isnan(a) and math.isnan(b)) or math.isclose(
            a, b, rel_tol=_ROUNDING, abs_tol=0.0
        )
    if isinstance(a, complex):
        return _equal(a.real, b.real) and _equal(a.imag, b.imag)
    return bool(a == b)


def _reduced(value: Any) -> Any:
    """What pickle would store: a name, or callable, arguments, state, items and pairs."""
    try:
        reduced = value.__reduce_ex__(4)
    except Exception:
        return None  # it could not have been stored either
    if isinstance(reduced, str):
        return reduced
    parts = (*reduced, None, None, None)[:5]
    return (*parts[:3], *(None if one is None else list(one) for one in parts[3:]))


def _has_slots(state: Any) -> bool:
    """Whether a state is that of a class with slots: its attributes, or none, and its slots."""
    return isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict)


def _merged(state: Any) -> dict[str, Any]:
    return {**(state[0] or {}), **state[1]}


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, (dict, list, set)) and not value)


def _cell(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:
        text = type(value).__name__
    return text if len(text) <= 80 else f"{text[:79]}…"
