"""Changes in place, found by looking: values of other steps before a cell runs, and after it.

The compiler knows most changes from the code; what it misses (a function of a library that changes
its argument, another name of the same object) shows here, on the live objects.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nbflow_magics.fingerprint import differ, fingerprint

#: seconds for the fingerprints before a cell, twice that after it, and names that are looked at
_SECONDS = 0.0006
_NAMES = 60
#: columns of a frame that are looked at for memory shared
_COLUMNS = 50


@dataclass(frozen=True, slots=True)
class Held:
    """A value as it was last seen: which binding of the name, which object, and its print."""

    serial: int
    object: int
    print: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A cell changed the value of ``name`` in place; ``through`` is the other name it used."""

    name: str
    through: str | None = None


class InPlace:
    """Looks at the values of steps around each tagged cell."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._held: dict[str, Held] = {}
        self._looked: tuple[str, ...] = ()

    def before(self, serials: Mapping[str, int]) -> list[str]:
        """Look at these names, each with the serial of its binding, the first ones first.

        Returns those that were changed since they were looked at last: by no tagged cell.
        """
        deadline = time.thread_time() + _SECONDS
        changed = []
        looked = []
        for name, serial in list(serials.items())[:_NAMES]:
            now = self._look(name, serial, deadline)
            held = self._held.pop(name, None)
            if now is None:
                continue
            if held is not None and _same_object(held, now) and differ(held.print, now.print):
                changed.append(name)
            self._held[name] = now
            looked.append(name)
        self._looked = tuple(looked)
        return changed

    def after(self, reads: Sequence[str], bound: Sequence[str]) -> list[Change]:
        """What the cell that has run changed of what it has not ``bound`` anew.

        ``reads`` are the names that it read, to tell through which one.
        """
        deadline = time.thread_time() + 1.5 * _SECONDS
        changes = []
        for name in self._looked:
            held = self._held.pop(name)
            if name in bound:
                continue
            now = self._look(name, held.serial, deadline)
            if now is None:
                continue
            self._held[name] = now
            if held.object == now.object and differ(held.print, now.print):
                value = self._namespace[name]
                other = None if name in reads else self._alias(value, reads)
                changes.append(Change(name, other))
        self._looked = ()
        return changes

    def settle(self, serials: Mapping[str, int]) -> None:
        """Take in new bindings: how these values are when the cell that made them has ended."""
        deadline = time.thread_time() + 0.5 * _SECONDS
        for name, serial in list(serials.items())[:_NAMES]:
            now = self._look(name, serial, deadline)
            if now is None:
                self._held.pop(name, None)
            else:
                self._held[name] = now

    def _look(self, name: str, serial: int, deadline: float) -> Held | None:
        value = self._namespace.get(name)
        found = fingerprint(value, deadline)
        return None if found is None else Held(serial, id(value), found)

    def _alias(self, value: Any, reads: Iterable[str]) -> str | None:
        """The one of these names through which the value was reached."""
        for name in reads:
            if name in self._namespace and _shares(value, self._namespace[name]):
                return name
        return None


def _same_object(one: Held, other: Held) -> bool:
    return (one.serial, one.object) == (other.serial, other.object)


def _shares(value: Any, other: Any) -> bool:
    """Whether changing ``other`` may change ``value``: the same, a part of it, or its memory."""
    if value is other:
        return True
    if type(other) in (list, tuple) and len(other) <= 100:
        return any(one is value for one in other)
    if type(other) is dict and len(other) <= 100:
        return any(one is value for one in other.values())
    if type(value) in (list, tuple) and len(value) <= 100:
        return any(one is other for one in value)
    if type(value) is dict and len(value) <= 100:
        return any(one is other for one in value.values())
    np = sys.modules.get("numpy")
    if np is None:
        return False
    its = list(_arrays(other, np))
    return any(np.may_share_memory(one, two) for one in _arrays(value, np) for two in its)


def _arrays(value: Any, np: Any) -> Iterator[Any]:
    """The memory of an array, or of a frame's columns."""
    pd = sys.modules.get("pandas")
    if isinstance(value, np.ndarray):
        yield value
    elif pd is not None and isinstance(value, pd.Series) and isinstance(value.dtype, np.dtype):
        yield value.to_numpy()
    elif pd is not None and isinstance(value, pd.DataFrame):
        for at in range(min(value.shape[1], _COLUMNS)):
            yield from _arrays(value.iloc[:, at], np)
