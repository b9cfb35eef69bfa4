"""Fan-outs: the tasks of a step for each item, as a sequence of branches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    import pandas as pd

Key = tuple[int, ...]


class Branch:
    """One task of a fan-out: its variables as attributes.

    `.item`, `.parent`, `.key` and `.error` tell where it belongs and why it failed. A variable that
    the step itself calls so takes the name; of a failed branch `.error` is always the failure.
    """

    def __init__(
        self,
        step: str,
        key: Key,
        item: Any,
        values: Mapping[str, Any],
        parent: Branch | None,
        error: BaseException | None,
    ) -> None:
        # what the step calls `item`, `key`, … stands before what they mean here
        self.__dict__.update({"item": item, "parent": parent, "key": key, "error": error})
        self.__dict__.update(values)
        if error is not None:
            self.__dict__["error"] = error
        self._step = step
        self._place = key
        self._item = item
        self._parent = parent
        self._failure = error
        self._values = dict(values)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and self._failure is not None:
            message = (
                f"{self._step}{list(self._place)} failed with {self._failure!r}, so it has no "
                f"{name!r}; leave failed branches out: "
                f"[b.{name} for b in {self._step} if b.error is None]"
            )
        else:
            message = f"a branch of this fan-out has no {name!r}"
        raise AttributeError(message)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __repr__(self) -> str:
        key = ".".join(map(str, self._place))
        state = f" failed: {self._failure!r}" if self._failure is not None else ""
        return f"<{self._step}[{key}]{state} {', '.join(self._values)}>"


class Branches:
    """The tasks of a fan-out in item order: `train[0].score`, `train.score`, `train.table()`."""

    def __init__(self, step: str, branches: Sequence[Branch] = ()) -> None:
        self._step = step
        self._branches = branches

    def __len__(self) -> int:
        return len(self._branches)

    def __iter__(self) -> Iterator[Branch]:
        return iter(self._branches)

    def __reversed__(self) -> Iterator[Branch]:
        return reversed(self._branches)

    def __contains__(self, branch: object) -> bool:
        return branch in self._branches

    @overload
    def __getitem__(self, index: int) -> Branch: ...
    @overload
    def __getitem__(self, index: slice) -> Branches: ...
    def __getitem__(self, index: int | slice) -> Branch | Branches:
        if isinstance(index, slice):
            return Branches(self._step, self._branches[index])
        return self._branches[index]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in ("index", "count") and not any(name in branch for branch in self):
            return getattr(self._branches, name)  # a sequence has them
        return [getattr(branch, name) for branch in self]

    def table(self) -> pd.DataFrame:
        """A DataFrame with a row for each branch: its item and its small values."""
        import pandas as pd

        keys = [".".join(map(str, branch._place)) for branch in self]
        rows = [_row(branch) for branch in self]
        return pd.DataFrame(rows, index=pd.Index(keys, name=self._step, dtype=object))

    def __repr__(self) -> str:
        tasks = "1 task" if len(self) == 1 else f"{len(self)} tasks"
        names = dict.fromkeys(name for branch in self for name in branch._values)
        return f"<{self._step}: {tasks} of {', '.join(names) or 'nothing kept'}>"


class FanOut:
    """The tasks of a fan-out while the flow runs."""

    def __init__(self, step: str) -> None:
        self._step = step
        self._branches: list[Branch] = []
        self._by_key: dict[Key, Branch] = {}

    @property
    def branches(self) -> Branches:
        """The tasks as the sequence that other steps read."""
        return Branches(self._step, self._branches)

    def add(
        self,
        key: Key,
        item: Any,
        values: Mapping[str, Any],
        parent: Branch | None = None,
        error: BaseException | None = None,
    ) -> None:
        """Add a task that ended."""
        branch = Branch(self._step, key, item, values, parent, error)
        self._branches.append(branch)
        self._by_key[key] = branch

    def at(self, key: Key) -> Mapping[str, Any] | None:
        """What the task made that the task of this key belongs to; None where it failed."""
        for length in range(len(key), 0, -1):
            branch = self._by_key.get(key[:length])
            if branch is not None:
                return branch._values if branch._failure is None else None
        return None

    def succeeded(self) -> list[Branch]:
        """The branches that did not fail."""
        return [branch for branch in self._branches if branch._failure is None]


def _row(branch: Branch) -> dict[str, Any]:
    row = {} if "item" in branch._values else {"item": branch._item}
    row |= {name: value for name, value in branch._values.items() if _is_small(value)}
    if branch._failure is not None:
        row["error"] = repr(branch._failure)
    return row


def _is_small(value: Any, depth: int = 8) -> bool:
    """Whether it is a number or a text, or a container of such, and short when written down."""
    if isinstance(value, dict):
        parts = [*value, *value.values()]
    elif isinstance(value, list | tuple | set | frozenset):
        parts = list(value)
    elif isinstance(value, bool | int | float | complex | str | bytes | None):
        return len(repr(value)) <= 1000
    else:  # a number of numpy's
        kind = type(value)
        others = ("ndarray", "datetime64", "timedelta64")
        return kind.__module__ == "numpy" and hasattr(value, "item") and kind.__name__ not in others
    inner = len(parts) <= 400 and depth > 0 and all(_is_small(one, depth - 1) for one in parts)
    return inner and len(repr(value)) <= 1000
