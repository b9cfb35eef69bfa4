"""Branches: the lazy sequence that a fan-out is when it is read by its name.

A step that reads `train`, the client's `run["train"]` and the kernel all see the same two classes.
They know nothing of the store: a `Loader` turns what a source holds (a reference, or the value
itself) into the value when it is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, SupportsIndex, overload

if TYPE_CHECKING:
    import pandas as pd


class Loader(Protocol):
    """How values come to be: from a store, or from memory."""

    def load(self, values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """The value of ``name``, with those of ``values`` that share identity with it."""
        ...

    def small(self, values: Mapping[str, Any], name: str) -> bool:
        """Whether ``name`` is a plain small value: a column of the table."""
        ...


@dataclass(frozen=True, slots=True)
class Held:
    """The loader of sources that hold their values as they are."""

    def load(self, values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        return {name: values[name]}

    def small(self, values: Mapping[str, Any], name: str) -> bool:
        return is_small(values[name])


def is_small(value: Any) -> bool:
    """Whether a run would keep the value with its record: a table has a column for it."""
    from nbflow.values.codecs import encode_inline

    return encode_inline(value) is not None


class TaskError(Exception):
    """Why a task failed, as its branch tells it; `str()` is the message of the exception."""

    def __init__(
        self,
        type: str,
        message: str,
        step: str = "",
        task: str = "",
        cell: int | None = None,
        line: int | None = None,
        traceback: str = "",
    ) -> None:
        super().__init__(message)
        self.type = type
        self.message = message
        self.step = step
        self.task = task
        self.cell = cell
        self.line = line
        self.traceback = traceback

    @classmethod
    def from_json(cls, error: Mapping[str, Any]) -> TaskError:
        """From the error that a task's record carries."""
        names = ("type", "message", "step", "task", "cell", "line", "traceback")
        return cls(**{"type": "", "message": ""} | {n: error[n] for n in names if n in error})

    def __reduce__(self) -> tuple[Any, ...]:
        fields = (self.type, self.message, self.step, self.task)
        return TaskError, (*fields, self.cell, self.line, self.traceback)

    def __repr__(self) -> str:
        return f"{self.type}({self.message!r})"


@dataclass(frozen=True, slots=True, eq=False)
class BranchSource:
    """What one branch is made from: cheap to make, nothing loaded.

    ``item`` and ``values`` hold what ``loader`` takes: references, or the values themselves.
    ``parent`` is the branch of the outer fan-out, None in one that is not nested.
    """

    step: str
    key: tuple[int, ...]
    item: Any
    values: Mapping[str, Any]
    loader: Loader = field(default_factory=Held)
    error: Mapping[str, Any] | BaseException | None = None
    parent: BranchSource | None = None


class Branch:
    """One task of a fan-out: its variables as attributes, loaded when touched.

    `.item`, `.parent`, `.key` and `.error` tell where it belongs and why it failed. A variable that
    the step itself calls so takes the name; of a failed branch `.error` is always the failure.
    """

    def __init__(self, source: BranchSource) -> None:
        self.__dict__["_source"] = source

    def __getattr__(self, name: str) -> Any:
        # only called for what is not in __dict__: everything is looked up once, so that
        # `branch.rows is branch.rows` and a change in place stays
        source: BranchSource | None = self.__dict__.get("_source")
        if source is None or (name.startswith("__") and name.endswith("__")):
            raise AttributeError(name)
        if name in source.values:
            if not (name == "error" and source.error is not None):
                for one, value in source.loader.load(source.values, name).items():
                    self.__dict__.setdefault(one, value)
                return self.__dict__[name]
        elif name not in _RESERVED:
            raise AttributeError(_missing(source, name), name=name, obj=self)
        value = self.__dict__[name] = _RESERVED[name](source)
        return value

    def __getitem__(self, name: str) -> Any:
        """A variable by name: `branch["item"]` is the step's own variable `item`."""
        if name not in self._source.values:
            raise KeyError(_missing(self._source, name))
        if name == "error" and self._source.error is not None:
            return self._source.loader.load(self._source.values, name)[name]
        return getattr(self, name)

    def __contains__(self, name: object) -> bool:
        return name in self._source.values

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._source.values, *_RESERVED})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Branch):
            return NotImplemented
        mine, theirs = self._source, other._source
        return mine is theirs or (mine.step, mine.key, mine.loader, mine.values) == (
            theirs.step,
            theirs.key,
            theirs.loader,
            theirs.values,
        )

    def __hash__(self) -> int:
        return hash((self._source.step, self._source.key))

    def __reduce__(self) -> tuple[Any, ...]:
        kept = {n: v for n, v in self.__dict__.items() if n != "_source" and self._is_own(n)}
        source = self._source
        fields = (source.step, source.key, source.item, dict(source.values), source.loader)
        return _branch, (*fields, source.error, source.parent), kept

    def _is_own(self, name: str) -> bool:
        # what the user set or loaded travels (it may have been changed); the rest loads again
        return name in self._source.values or name not in _RESERVED

    def __repr__(self) -> str:
        key = ".".join(map(str, self._source.key))
        state = f" failed: {self._source.error!r}" if self._source.error is not None else ""
        return f"<{self._source.step}[{key}]{state} {', '.join(self._source.values)}>"


class Branches:
    """The tasks of a fan-out in item order: `train[0].score`, `train.score`, `train.table()`."""

    def __init__(
        self,
        step: str,
        sources: Sequence[BranchSource],
        make: Callable[[BranchSource], Branch] = Branch,
    ) -> None:
        self._step = step
        self._sources = sources
        self._make = make
        #: branches that were asked for, so that `train[0] is train[0]`
        self._made: dict[int, Branch] = {}

    def __len__(self) -> int:
        return len(self._sources)

    @overload
    def __getitem__(self, index: int) -> Branch: ...
    @overload
    def __getitem__(self, index: slice) -> Branches: ...
    def __getitem__(self, index: int | slice) -> Branch | Branches:
        if isinstance(index, slice):
            part = Branches(self._step, self._sources[index], self._make)
            places = range(len(self))[index]
            part._made = {n: self._made[at] for n, at in enumerate(places) if at in self._made}
            return part
        if not isinstance(index, SupportsIndex):
            raise TypeError(f"the tasks of {self._step} have numbers; {index!r} is none")
        if not -len(self) <= index.__index__() < len(self):
            counted = f"{len(self)} task{'' if len(self) == 1 else 's'}"
            raise IndexError(f"{self._step} has {counted}; there is no {self._step}[{index}]")
        at = range(len(self))[index]  # counts from the end, too
        if at not in self._made:
            self._made[at] = self._make(self._sources[at])
        return self._made[at]

    def __iter__(self) -> Iterator[Branch]:
        return (self[at] for at in range(len(self)))

    def __reversed__(self) -> Iterator[Branch]:
        return (self[at] for at in reversed(range(len(self))))

    def __contains__(self, branch: object) -> bool:
        return any(one is branch or one == branch for one in self)

    def __getattr__(self, name: str) -> Any:
        if "_sources" not in self.__dict__ or (name.startswith("__") and name.endswith("__")):
            raise AttributeError(name)
        names = self._names()
        if name in names or name in _RESERVED:
            return [getattr(branch, name) for branch in self]
        if name in ("index", "count"):  # a sequence has them, unless the step binds such a name
            return getattr(list(self), name)
        if not len(self):
            return []  # a fan-out over no items
        raise AttributeError(_missing(self._sources[0], name), name=name, obj=self)

    def _names(self) -> list[str]:
        return list(dict.fromkeys(name for source in self._sources for name in source.values))

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._names(), *_RESERVED})

    def _rows(self) -> list[dict[str, Any]]:
        """A dict for each branch: its item and its small values, and its error where one failed."""
        return [_row(branch) for branch in self]

    def table(self) -> pd.DataFrame:
        """A DataFrame with a row for each branch: its item and its small values."""
        import pandas as pd

        keys = [".".join(map(str, source.key)) for source in self._sources]
        return pd.DataFrame(self._rows(), index=pd.Index(keys, name=self._step, dtype=object))

    def __reduce__(self) -> tuple[Any, ...]:
        return _branches, (self._step, list(self))

    def __repr__(self) -> str:
        tasks = "1 task" if len(self) == 1 else f"{len(self)} tasks"
        return f"<{self._step}: {tasks} of {', '.join(self._names()) or 'nothing kept'}>"

    def _repr_html_(self) -> str:
        from nbflow.client.html import table_html

        return table_html(self._rows()[:50], of=len(self), caption=repr(self).strip("<>"))


def _branch(*fields: Any) -> Branch:
    return Branch(BranchSource(*fields))


def _branches(step: str, branches: list[Branch]) -> Branches:
    made = Branches(step, [branch._source for branch in branches])
    made._made.update(enumerate(branches))
    return made


def _item(source: BranchSource) -> Any:
    return source.loader.load({"item": source.item}, "item")["item"]


def _parent(source: BranchSource) -> Branch | None:
    return None if source.parent is None else Branch(source.parent)


def _error(source: BranchSource) -> BaseException | None:
    if source.error is None or isinstance(source.error, BaseException):
        return source.error
    return TaskError.from_json(source.error)


def _key(source: BranchSource) -> tuple[int, ...]:
    return source.key


_RESERVED: dict[str, Callable[[BranchSource], Any]] = {
    "item": _item,
    "parent": _parent,
    "error": _error,
    "key": _key,
}


def _row(branch: Branch) -> dict[str, Any]:
    source = branch._source
    row: dict[str, Any] = {}
    if "item" not in source.values:
        row["item"] = branch.item
    row |= {
        name: branch[name] for name in source.values if source.loader.small(source.values, name)
    }
    if source.error is not None:
        row["error"] = repr(branch.error)
    return row


def _missing(source: BranchSource, name: str) -> str:
    task = f"{source.step}[{'.'.join(map(str, source.key))}]" if source.key else source.step
    if source.error is not None:
        return (
            f"{task} failed with {_error(source)!r}, so it has no {name!r}; leave failed branches "
            f"out: [b.{name} for b in {source.step} if b.error is None]"
        )
    kept = ", ".join(source.values) or "nothing"
    return f"{task} has no {name!r}; it has {kept}"
