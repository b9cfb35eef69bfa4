"""Flow: all runs of one notebook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nbflow.client.place import the_store
from nbflow.client.run import Run
from nbflow.client.table import RunTable, runs

if TYPE_CHECKING:
    from nbflow.client.plot import Plot
    from nbflow.store import Store


class Flow:
    """A flow by its name: `Flow("churn").latest`, `Flow("churn").runs`, `Flow("churn")[42]`."""

    def __init__(self, name: str, store: Store | str | Path | None = None) -> None:
        if not isinstance(name, str):
            raise TypeError(f"a flow has a name, as Flow('churn'); {name!r} is none")
        self.name = name
        self.store = the_store(store)

    @property
    def latest(self) -> Run:
        """The newest run."""
        return Run(self.name, self.store)

    @property
    def latest_succeeded(self) -> Run:
        """The newest run that succeeded."""
        found = self.store.runs(flow=self.name, status="succeeded", limit=1)
        if not found:
            raise LookupError(f"no run of {self.name} has succeeded yet")
        return Run(found[0], self.store)

    @property
    def runs(self) -> RunTable:
        """The newest runs, as a table."""
        return runs(flow=self.name, store=self.store)

    def plot(self, name: str, x: str | None = None) -> Plot:
        """A metric over the newest runs: `score`, of a fan-out too, or `duration`."""
        return self.runs.plot(name, x)

    def __getitem__(self, number: int) -> Run:
        return Run(f"{self.name}/{number}", self.store)

    def __repr__(self) -> str:
        return f"Flow({self.name!r})"

    def _repr_html_(self) -> str:
        return self.runs._repr_html_()
