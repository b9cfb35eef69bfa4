"""History: what was run by hand, cell by cell, as tables: "what did I try an hour ago?"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbflow.client.html import cell, code, dim, folded, page, status, table, title
from nbflow.client.place import the_store
from nbflow.client.text import brief, duration, grid, pairs, plural, when

if TYPE_CHECKING:
    import pandas as pd

    from nbflow.store import Store
    from nbflow.store.interactive import InteractiveTask


def history(
    step: str | None = None,
    *,
    notebook: str | Path | None = None,
    run: int | None = None,
    limit: int = 30,
    store: Store | str | Path | None = None,
) -> InteractiveTasks:
    """The newest tasks of interactive runs: of a step, a notebook's file, or one of these runs."""
    path = None if notebook is None else str(Path(notebook).absolute())
    opened = the_store(store)
    return InteractiveTasks(
        opened.interactive_tasks(notebook=path, step=step, run=run, limit=limit)
    )


class _Table(Sequence[Any]):
    def __init__(self, rows: Iterable[Any]) -> None:
        self._rows = tuple(rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]


class InteractiveTasks(_Table):
    """Executions of steps' cells, newest first; a single one shows its code and output."""

    def __init__(
        self, rows: Iterable[InteractiveTask], *, whole: bool = False, step: str | None = None
    ) -> None:
        super().__init__(rows)
        self._whole = whole
        self._step = step

    def __repr__(self) -> str:
        if not self._rows:
            what = f"cell of `{self._step}`" if self._step else "tagged cell"
            return f"No {what} has run here yet."
        lines = [
            (str(one.id), when(one.started), one.step, one.status, _took(one), pairs(one.made, 90))
            for one in self._rows
        ]
        shown = grid(("", "when", "step", "", "took", "made"), lines)
        if self._whole:
            shown += "".join(f"\n\n{one.code}\n\n{one.shown}".rstrip() for one in self._rows)
        return shown

    def _repr_html_(self) -> str:
        if not self._rows:
            return page(dim(repr(self)))
        rows = [
            (
                cell(one.id),
                dim(when(one.started)),
                cell(one.step),
                status(one.status),
                cell(_took(one)),
                cell(pairs(one.made, 160)),
                folded("code", code(one.code) + _shown(one), opened=self._whole),
            )
            for one in self._rows
        ]
        head = ("", "when", "step", "", "took", "made", "")
        return page(title("What ran in the kernel"), table(head, rows))

    def to_pandas(self) -> pd.DataFrame:
        """A row for each task, with a column for each small value made."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "step": one.step,
                    "status": one.status,
                    "started": pd.to_datetime(one.started, unit="s"),
                    "seconds": one.finished - one.started,
                    **{f"made.{name}": value for name, value in one.made.items()},
                    "code": one.code,
                }
                for one in self._rows
            ],
            index=[one.id for one in self._rows],
        )


class InteractiveRuns(_Table):
    """Kernels' times with notebooks, those that were used last first."""

    def __repr__(self) -> str:
        if not self._rows:
            return "No tagged cell has run in a kernel yet."
        lines = [
            (
                str(one.id),
                Path(one.notebook).name,
                one.user,
                when(one.started),
                duration(one.finished - one.started),
                plural(one.tasks, "task"),
                brief(", ".join(one.steps), 50),
            )
            for one in self._rows
        ]
        return grid(("", "notebook", "user", "started", "for", "", "steps"), lines)


def _took(one: InteractiveTask) -> str:
    return duration(one.finished - one.started)


def _shown(one: InteractiveTask) -> str:
    return code(one.shown) if one.shown else ""
