"""Keeper: who makes the pods of a run's Dask workers: dask-kubernetes' operator, or nbflow itself.

The operator is used where it is installed and one may use it. Else the scheduler and each worker
are Jobs, for which the rights suffice that tasks in pods of their own need.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from nbflow.kubernetes.dask_jobs import JobKeeper
from nbflow.kubernetes.dask_objects import OperatorKeeper

if TYPE_CHECKING:
    from nbflow.kubernetes.access import Access
    from nbflow.kubernetes.groups import Group
    from nbflow.kubernetes.manifests import Place

Pod = Mapping[str, Any]


class Keeper(Protocol):
    """Makes pods for a run's scheduler and workers, and takes them away."""

    def check(self, place: Place, groups: Sequence[Group]) -> None:
        """Have the server check what will be made; raises a `UserError`."""
        ...

    def begin(self, place: Place, groups: Sequence[Group]) -> None:
        """The run has its number."""
        ...

    def start(self) -> None:
        """Make the scheduler; one that is there already is used."""
        ...

    def noticed(self) -> bool:
        """Whether somebody is at it: an operator may be installed and not run."""
        ...

    def serves(self, pod: Pod) -> str | None:
        """The group that a pod is a worker of; None for the scheduler's."""
        ...

    def pods(self) -> list[dict[str, Any]]:
        """Scheduler and workers."""
        ...

    def ready(self, scheduler: Pod) -> None:
        """The scheduler runs in this pod: workers may come."""
        ...

    def scale(self, group: Group, number: int) -> bool:
        """Have so many workers, at least; False where that cannot be said yet."""
        ...

    def let_go(self, group: Group, workers: Sequence[str], number: int) -> None:
        """These workers have ended: see that they stay away, and that so many are left."""
        ...

    def inside(self) -> str:
        """The scheduler's address in the cluster."""
        ...

    def close(self) -> None:
        """Take all of it away."""
        ...


def keeper_for(access: Access, inside: bool) -> Keeper:
    """The operator where it can be used."""
    keeper = OperatorKeeper(access)
    return keeper if keeper.usable(inside) else JobKeeper(access, inside)
