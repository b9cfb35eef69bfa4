"""StepView: a step of a run: its one task, or the tasks of its fan-out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, overload

from nbflow.branches import Branch, Branches, BranchSource
from nbflow.client.html import cell, dim, page, status, table, title
from nbflow.client.task import Output, Task
from nbflow.client.text import plural
from nbflow.runtime.branches_of import branches_of
from nbflow.runtime.spec import StepSpec, key_text
from nbflow.store.records import TaskRecord
from nbflow.values.ref import inline_ref

if TYPE_CHECKING:
    import pandas as pd

    from nbflow.client.run import Run

_NO_ITEM = inline_ref(None, "NoneType").to_json()

#: rows that a display shows
_SHOWN = 20


class StepView:
    """The tasks of a step in item order; a plain step has one.

    `run["train"][0].score` is a value of one task; `run["train"].score` the list of all, and of a
    plain step the value.
    """

    def __init__(self, run: Run, spec: StepSpec) -> None:
        self.run = run
        self.spec = spec
        records = {record.key: record for record in run.store.tasks(run.id, spec.name)}
        self._tasks = _tasks(run, spec, records)

    @property
    def name(self) -> str:
        """The step's name."""
        return self.spec.name

    @property
    def path(self) -> str:
        """`churn/42/train`."""
        return f"{self.run.path}/{self.name}"

    @property
    def fans_out(self) -> bool:
        """Whether it has a task for each item."""
        return bool(self.spec.line)

    @property
    def counts(self) -> dict[str, int]:
        """How many tasks have which status."""
        return dict(Counter(task.status for task in self))

    @property
    def outputs(self) -> list[Output]:
        """What its tasks have shown."""
        return [output for task in self for output in task.outputs]

    @property
    def log(self) -> str:
        """What its tasks have printed, one after another."""
        return "".join(task.log for task in self)

    @property
    def code(self) -> str:
        """The function that the step's cells became, as it ran."""
        module = self.spec.call.function.partition(":")[0]
        return self.run.files[module.replace(".", "/") + ".py"]

    def table(self) -> pd.DataFrame:
        """A DataFrame with a row for each task: its item and its small values."""
        with self.run.loading():
            return self._tasks.table()

    def task(self, key: str) -> Task:
        """The task of that key, as paths have it: `""`, `"3"`, `"3.1"`."""
        for at, source in enumerate(self._tasks._sources):
            if key_text(source.key) == key:
                return self[at]
        raise KeyError(f"{self.path} has no task {key!r}; it has {plural(len(self), 'task')}")

    def __len__(self) -> int:
        return len(self._tasks)

    @overload
    def __getitem__(self, index: int) -> Task: ...
    @overload
    def __getitem__(self, index: slice) -> Branches: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self._tasks[index]

    def __iter__(self) -> Iterator[Task]:
        return iter(self._tasks)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or "_tasks" not in self.__dict__:
            raise AttributeError(name)
        if not self.fans_out:
            if not len(self):
                raise AttributeError(f"{self.path} has not run, so it has no {name!r}")
            return getattr(self[0], name)
        with self.run.loading():
            return getattr(self._tasks, name)

    def __dir__(self) -> list[str]:
        names = [name for source in self._tasks._sources for name in source.values]
        return sorted({*super().__dir__(), *names})

    def __repr__(self) -> str:
        if not self.fans_out and len(self) == 1:
            return repr(self[0])
        counts = ", ".join(f"{count} {name}" for name, count in self.counts.items())
        return f"<{self.path}: {counts or 'no tasks'}>"

    def _repr_html_(self) -> str:
        if not self.fans_out and len(self) == 1:
            return self[0]._repr_html_()
        signs = [status(name, count) for name, count in self.counts.items()]
        rows = [_row(task) for task in self[:_SHOWN]]
        head = list(dict.fromkeys(name for row in rows for name in row))
        rest = len(self) - len(rows)
        return page(
            title(self.path, *(signs or [dim("no tasks")])),
            table(head, ([row.get(name, "") for name in head] for row in rows)) if rows else "",
            dim(f"and {rest:,} more") if rest else "",
        )


def _row(task: Branch) -> dict[str, str]:
    """The cells of a task's row, by column."""
    assert isinstance(task, Task)
    row = {"task": key_text(task._source.key), "status": status(task.status)}
    if task.record.item is not None:
        row["item"] = cell(task.record.item)
    row |= {name: cell(one.value()) for name, one in task.artifacts.items() if one.plain}
    if task.record.error is not None:
        row["error"] = cell(f"{task.record.error['type']}: {task.record.error['message']}")
    return row


def _tasks(run: Run, spec: StepSpec, records: dict[str, TaskRecord]) -> Branches:
    if spec.line:
        sources = list(
            branches_of(run.store, run.id, run.spec, spec, every=True, loader=run.loader)._sources
        )
    else:
        sources = [
            BranchSource(spec.name, (), _NO_ITEM, one.artifacts, run.loader, one.error)
            for one in records.values()
        ]

    def make(source: BranchSource) -> Task:
        return Task(source, run, records[key_text(source.key)])

    return Branches(spec.name, sources, make)
