"""The abstract heap: which names may share objects, and which objects hold which.

Each place in a notebook that makes an object stands for one abstract object. A name may be any of
several; an object holds others; a change of an object is a change for everything that can reach it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Value:
    """What an expression may evaluate to: abstract objects, functions, and a hint of its kind.

    Plain scalars are no objects, as nothing can change them. ``kind`` is ``pandas`` for values
    that copy on write, ``instance NAME`` for a user's class, ``bound TEXT`` for what lives in
    one process only, or empty.
    """

    own: frozenset[int] = frozenset()
    code: frozenset[int] = frozenset()
    kind: str = ""


SCALAR = Value()


@dataclass(slots=True)
class Heap:
    """The objects made so far."""

    holds: dict[int, set[int]] = field(default_factory=dict)
    held_by: dict[int, set[int]] = field(default_factory=dict)
    #: builtin collections: what they hold is not part of themselves, as an array's rows are
    plain: set[int] = field(default_factory=set)
    #: functions that an object holds on to
    code: dict[int, frozenset[int]] = field(default_factory=dict)
    #: functions themselves, which travel as code
    functions: set[int] = field(default_factory=set)
    size: int = 0

    def new(
        self,
        contents: Iterable[int] = (),
        code: frozenset[int] = frozenset(),
        plain: bool = False,
    ) -> int:
        """A new object that holds others and perhaps functions; ``plain`` for a collection."""
        self.size += 1
        if plain:
            self.plain.add(self.size)
        if code:
            self.code[self.size] = code
        self.put([self.size], contents)
        return self.size

    def put(self, objects: Iterable[int], contents: Iterable[int]) -> None:
        """Let each of the objects hold the contents too."""
        inside = set(contents)
        if not inside:
            return
        for holder in objects:
            added = inside - {holder}
            self.holds.setdefault(holder, set()).update(added)
            for one in added:
                self.held_by.setdefault(one, set()).add(holder)

    def put_code(self, objects: Iterable[int], code: frozenset[int]) -> None:
        """Let each of the objects hold on to functions too."""
        if code:
            for one in objects:
                self.code[one] = self.code.get(one, frozenset()) | code

    def reach(self, objects: Iterable[int]) -> frozenset[int]:
        """The objects and all that they hold, directly or not."""
        return _closure(objects, self.holds)

    def holders(self, objects: Iterable[int]) -> frozenset[int]:
        """The objects and all that hold them, directly or not."""
        return _closure(objects, self.held_by)

    def data(self, objects: frozenset[int]) -> frozenset[int]:
        """What of the objects a change of them all means: what holds a function calls it only."""
        return objects - self.functions or objects

    def inside(self, objects: frozenset[int]) -> frozenset[int]:
        """What the objects hold, directly or not, without themselves."""
        return self.reach(objects) - objects

    def elements(self, objects: Iterable[int]) -> frozenset[int]:
        """What an element may be: a collection's contents, an array's or an object's parts."""
        found: set[int] = set()
        for one in objects:
            if one in self.plain:
                found |= self.holds.get(one, set())
            else:
                found |= self.reach([one])
        return frozenset(found)

    def codes(self, value: Value) -> frozenset[int]:
        """Every function that can be reached from a value."""
        found = set(value.code)
        if self.code:
            for one in self.reach(value.own):
                found |= self.code.get(one, frozenset())
        return frozenset(found)


def join(values: Iterable[Value]) -> Value:
    """A value that may be any of several."""
    own: frozenset[int] = frozenset()
    code: frozenset[int] = frozenset()
    kinds = set()
    for value in values:
        own |= value.own
        code |= value.code
        kinds.add(value.kind)
    return Value(own, code, kinds.pop() if len(kinds) == 1 else "")


def _closure(start: Iterable[int], edges: dict[int, set[int]]) -> frozenset[int]:
    seen = set(start)
    todo = [one for one in seen if one in edges]
    while todo:
        for one in edges[todo.pop()]:
            if one not in seen:
                seen.add(one)
                if one in edges:
                    todo.append(one)
    return frozenset(seen)
