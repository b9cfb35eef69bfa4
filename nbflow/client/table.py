"""RunTable: runs as a table to look at, to index and to turn into a DataFrame."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from nbflow.client import html
from nbflow.client.html import cell, dim, page, table, title
from nbflow.client.place import the_store
from nbflow.client.run import Run, seconds
from nbflow.client.text import brief, duration, grid, plural, when
from nbflow.errors import user_error
from nbflow.store.records import RUN_STATUSES

if TYPE_CHECKING:
    import pandas as pd

    from nbflow.client.plot import Plot
    from nbflow.store import Store
    from nbflow.store.records import RunRecord, Status

#: columns of parameters and of metrics that a display shows
_COLUMNS = 6


def runs(
    flow: str | None = None,
    *,
    status: Status | None = None,
    tag: str | None = None,
    branch: str | None = None,
    search: str | None = None,
    limit: int = 50,
    store: Store | str | Path | None = None,
) -> RunTable:
    """The newest runs that are like this, newest first."""
    if status is not None and status not in RUN_STATUSES:
        known = ", ".join(RUN_STATUSES)
        raise user_error("NBF407", f"No run is ever {status!r}.", f"It is one of {known}.")
    if not isinstance(limit, int) or limit < 1:
        raise ValueError(f"limit is how many runs to list, 1 or more; {limit!r} is none")
    opened = the_store(store)
    found = opened.runs(
        flow=flow, status=status, tag=tag, branch=branch, search=search, limit=limit
    )
    return RunTable([Run(record, opened) for record in found])


class RunTable(Sequence[Run]):
    """Runs, newest first: `table[0]` is a run, `table.to_pandas()` has a column for each name."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = list(runs)

    @property
    def records(self) -> list[RunRecord]:
        """The runs as they stood when the table was made."""
        return [run._record for run in self._runs]

    @property
    def flags(self) -> list[int]:
        """For each run how many things in it are far out of the ordinary: its `.flags` say what."""
        from nbflow.flags.kept import warnings_of

        if not self._runs:
            return []
        found = warnings_of(self._runs[0].store, [run.id for run in self._runs])
        return [found.get(run.id, 0) for run in self._runs]

    def __len__(self) -> int:
        return len(self._runs)

    @overload
    def __getitem__(self, index: int) -> Run: ...
    @overload
    def __getitem__(self, index: slice) -> RunTable: ...
    def __getitem__(self, index: int | slice) -> Run | RunTable:
        if isinstance(index, slice):
            return RunTable(self._runs[index])
        try:
            return self._runs[index]
        except IndexError:
            raise IndexError(
                f"there is no runs[{index}]: {plural(len(self), 'run')} here"
            ) from None

    def rows(self) -> list[dict[str, Any]]:
        """A dict for each run: run, status, parameters, metrics, tags, duration."""
        return [
            {
                "run": one.path,
                "status": one.status,
                **one.params,
                # a metric that bears a parameter's name has a column of its own
                **{_free(name, one.params): value for name, value in one.metrics.items()},
                "tags": list(one.tags),
                "duration": seconds(one),
                "created": one.created,
            }
            for one in self.records
        ]

    def to_pandas(self) -> pd.DataFrame:
        """A DataFrame with a row for each run."""
        import pandas as pd

        frame = pd.DataFrame(self.rows())
        if len(frame):
            frame["created"] = pd.to_datetime(frame["created"], unit="s")
            frame = frame.set_index("run")
        return frame

    def plot(self, name: str, x: str | None = None) -> Plot:
        """A metric over these runs: `score`, of a fan-out too, or `duration`.

        ``x`` puts a parameter or another final value on the axis.
        """
        from nbflow.client.plot import plot_runs

        return plot_runs(self._runs, name, x)

    def __repr__(self) -> str:
        if not self._runs:
            return "no runs"
        head, rows = self._shown()
        return grid(head, [[brief(value, 24) for value in row] for row in rows])

    def _repr_html_(self) -> str:
        if not self._runs:
            return page(dim("no runs"))
        head, rows = self._shown()
        body = [
            [f"<b>{escape(row[0])}</b>", html.status(row[1]), *map(cell, row[2:])] for row in rows
        ]
        return page(title(plural(len(self), "run")), table(head, body))

    def _shown(self) -> tuple[list[str], list[list[Any]]]:
        params = _names(one.params for one in self.records)[:_COLUMNS]
        metrics = _names(one.metrics for one in self.records)[:_COLUMNS]
        flags = self.flags
        marked = ["flags"] if any(flags) else []
        head = ["run", "status", *marked, *params, *metrics, "tags", "duration", "started"]
        rows = [
            [
                one.path,
                one.status,
                *(flagged(count) for _ in marked),
                *(one.params.get(name, "") for name in params),
                *(one.metrics.get(name, "") for name in metrics),
                " ".join(one.tags),
                duration(seconds(one)),
                when(one.created),
            ]
            for one, count in zip(self.records, flags, strict=True)
        ]
        return head, rows


def flagged(count: int) -> str:
    """The mark of a run in which so many things are far out of the ordinary; none of others."""
    return f"▲ {count:,}" if count else ""


def _names(dicts: Any) -> list[str]:
    return list(dict.fromkeys(name for one in dicts for name in one))


def _free(name: str, taken: dict[str, Any]) -> str:
    return f"{name} (final)" if name in taken else name
