"""Cron: a deployed flow as the CronJob that starts its runs. Values in, dictionaries out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from nbflow.kubernetes.manifests import driver_spec, giving_up
from nbflow.kubernetes.names import MANAGED, ROLE, label
from nbflow.kubernetes.settings import Settings

#: of a CronJob, so that the names of its Jobs and their pods can be made of it
_LONGEST = 40
#: servers that have CronJobs as they are now, and those that heed a time zone
_STABLE = (1, 21)
ZONED = (1, 25)


@dataclass(frozen=True, slots=True)
class Deployed:
    """A flow's branch, and when the cluster is to run it."""

    flow: str
    branch: str
    version: str
    #: tells the deployments of one store from those of another
    word: str
    schedule: str
    #: as in `Europe/Helsinki`; None: that of the cluster
    zone: str | None
    #: what the CronJob is called, where there is one already
    known_as: str | None = None

    @property
    def name(self) -> str:
        """What the CronJob is called: the same for every version of the branch."""
        if self.known_as is not None:
            return self.known_as
        readable = re.sub(r"[^a-z0-9]+", "-", f"{self.flow}-{self.branch}".lower())
        key = f"{self.flow}@{self.branch} {self.word}"
        word = blake2b(key.encode(), digest_size=3).hexdigest()
        return f"flow-{readable[: _LONGEST - 12].strip('-')}-{word}"

    @property
    def labels(self) -> dict[str, str]:
        """The labels of the CronJob and of the drivers that it starts."""
        return {
            MANAGED: "nbflow",
            "nbflow/flow": label(self.flow),
            "nbflow/branch": label(self.branch),
        }


def api_version(server: tuple[int, int]) -> str:
    """What CronJobs are of on a server."""
    return "batch/v1" if server >= _STABLE else "batch/v1beta1"


def cron_job(
    deployed: Deployed,
    settings: Settings,
    store: str,
    server: tuple[int, int],
    notes: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The CronJob. Every Job of it starts a run and drives it; none starts while one goes on."""
    command = ["start", deployed.flow, "--branch", deployed.branch]
    labels = {**deployed.labels, ROLE: "driver"}
    job = {**driver_spec(settings, labels, command, store), **giving_up(server)}
    when: dict[str, Any] = {"schedule": deployed.schedule}
    if deployed.zone is not None:
        when["timeZone"] = deployed.zone
    marks = {
        "nbflow/path": f"{deployed.flow}@{deployed.branch}",
        "nbflow/version": deployed.version,
    }
    return {
        "apiVersion": api_version(server),
        "kind": "CronJob",
        "metadata": {
            "name": deployed.name,
            "labels": {**settings.labels, **deployed.labels, ROLE: "deployment"},
            "annotations": {**settings.annotations, **marks, **(notes or {})},
        },
        "spec": {
            **when,
            "concurrencyPolicy": "Forbid",
            # one that was missed while the cluster was away is made up for within the hour
            "startingDeadlineSeconds": 3600,
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 1,
            "jobTemplate": {
                "metadata": {"labels": {**settings.labels, **labels}},
                "spec": job,
            },
        },
    }
