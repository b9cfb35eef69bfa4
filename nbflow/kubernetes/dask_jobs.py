"""Dask jobs: the scheduler and each worker as a Job, where no operator makes them.

The workers' Jobs belong to the scheduler's, and so go with it. It ends by itself when it has
nothing to do and its driver is gone, and Kubernetes deletes it a while after.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nbflow.errors import user_error
from nbflow.kubernetes.access import passing, status_of, told
from nbflow.kubernetes.dask_manifests import (
    PORT,
    SCHEDULER,
    WORKER,
    cluster_name,
    scheduler_job,
    worker_job,
)
from nbflow.kubernetes.forward import FORWARD
from nbflow.kubernetes.manifests import Owner
from nbflow.kubernetes.names import GROUP, ID, ROLE, selector
from nbflow.kubernetes.settings import TABLE
from nbflow.kubernetes.states import over

if TYPE_CHECKING:
    from nbflow.kubernetes.access import Access
    from nbflow.kubernetes.groups import Group
    from nbflow.kubernetes.manifests import Place

#: seconds that a scheduler of an earlier driver, which has ended, may take to be deleted
_REPLACED = 60.0


class JobKeeper:
    """Makes Jobs."""

    def __init__(self, access: Access, inside: bool) -> None:
        self._access, self._inside = access, inside
        self._scheduler: Owner | None = None
        self._address = ""

    def check(self, place: Place, groups: Sequence[Group]) -> None:
        """Have the server check the Jobs, and that one may reach the scheduler."""
        if not self._inside and not all(self._access.may(one[2], one[1]) for one in FORWARD):
            raise user_error(
                "NBF404",
                f"You may not do all that `--workers` needs in the namespace "
                f"{self._access.namespace} of {self._access.host}: get and create "
                "pods/portforward.",
                "Have the Role for Dask workers of docs/kubernetes.md given to you there, use "
                "`--detach`, whose driver does without, or leave `--workers` away.",
            )
        name, owner = "nbflow-dry-run", Owner("nbflow-dry-run", "none")
        address = f"tcp://127.0.0.1:{PORT}"
        jobs = [scheduler_job(place, name, groups[0])]
        jobs += [worker_job(place, name, group, address, owner) for group in groups]
        for manifest in jobs:
            try:
                self._access.create_job(manifest, rehearse=True)
            except Exception as error:
                if passing(error) or status_of(error) is None:
                    raise
                raise user_error(
                    "NBF404",
                    f"Kubernetes refuses the Dask workers of this run: {told(error)}.",
                    f"Check what {TABLE} says of pods.",
                ) from error

    def begin(self, place: Place, groups: Sequence[Group]) -> None:
        """Note which run it is."""
        self._place, self._groups = place, groups
        self._name = cluster_name(place.run)

    def start(self) -> None:
        """Make the scheduler; that of an earlier driver of this run is used while it runs."""
        manifest = scheduler_job(self._place, f"{self._name}-scheduler", self._groups[0])
        until = time.monotonic() + _REPLACED
        while True:
            made = self._access.create_job(manifest)
            if not over(made) or time.monotonic() > until:
                break
            self._access.delete_job(made["metadata"]["name"])
            time.sleep(0.5)
        self._scheduler = Owner(made["metadata"]["name"], made["metadata"]["uid"])

    def noticed(self) -> bool:
        """Whoever makes Jobs' pods is there in every cluster."""
        return True

    def serves(self, pod: Mapping[str, Any]) -> str | None:
        """As the label says."""
        name: str | None = pod["metadata"]["labels"].get(GROUP)
        return name

    def pods(self) -> list[dict[str, Any]]:
        """Those of the scheduler's and the workers' Jobs, but of no earlier scheduler's."""
        found = self._access.listed("pods", self._labels(f"{ROLE} in ({SCHEDULER},{WORKER})"))
        return [one for one in found.items if self.serves(one) or self._is_current(one)]

    def ready(self, scheduler: Mapping[str, Any]) -> None:
        """Workers reach it by the address of its pod: it needs no Service."""
        host = scheduler["status"]["podIP"]
        self._address = f"tcp://[{host}]:{PORT}" if ":" in host else f"tcp://{host}:{PORT}"

    def scale(self, group: Group, number: int) -> bool:
        """Make the workers that are missing, for those that have died too."""
        assert self._scheduler is not None
        wanted = self._labels(f"{ROLE}={WORKER}", f"{GROUP}={group.name}")
        there = [job for job in self._access.listed("jobs", wanted).items if not over(job)]
        for _ in range(number - len(there)):
            name = f"{self._name}-{group.name}-{secrets.token_hex(3)}"
            self._access.create_job(
                worker_job(self._place, name, group, self._address, self._scheduler)
            )
        return True

    def let_go(self, group: Group, workers: Sequence[str], number: int) -> None:
        """A worker is called as its Job."""
        for name in workers:
            self._access.delete_job(name)

    def inside(self) -> str:
        """The scheduler's address."""
        return self._address

    def close(self) -> None:
        """Delete the scheduler's Job, and with it the workers'."""
        if self._scheduler is not None:
            self._access.delete_job(self._scheduler.name)

    def _is_current(self, pod: Mapping[str, Any]) -> bool:
        owners = pod["metadata"].get("ownerReferences") or ()
        return self._scheduler is not None and self._scheduler.uid in {one["uid"] for one in owners}

    def _labels(self, *more: str) -> str:
        return ",".join([selector({ID: self._place.run.word}), *more])
