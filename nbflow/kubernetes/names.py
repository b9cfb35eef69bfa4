"""Names: what nbflow's objects in a cluster are called, and the labels that they are found by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b

from nbflow.store.records import RunRecord

MANAGED = "app.kubernetes.io/managed-by"
#: tells the runs of all stores apart, which may have the same path
ID = "nbflow/id"
ROLE = "nbflow/role"
#: of a Dask worker: the group that it belongs to
GROUP = "nbflow/group"
#: of a Job: the name of its order in the store, and which of its chunks it is
ORDER = "nbflow/order"
INDEX = "nbflow/index"
#: which of an Indexed Job's pods this is; Kubernetes sets it
COMPLETION = "batch.kubernetes.io/job-completion-index"

#: of a Job's name, so that the names of its pods are not cut in the middle of it
_LONGEST = 52


@dataclass(frozen=True, slots=True)
class RunName:
    """What a cluster needs to know of a run."""

    flow: str
    number: int
    #: no other run has it, in whichever store: the same wherever it is asked
    word: str = "none"

    @property
    def path(self) -> str:
        """What users call it: `churn/42`."""
        return f"{self.flow}/{self.number}"

    @property
    def labels(self) -> dict[str, str]:
        """The labels of everything that belongs to the run."""
        return {
            MANAGED: "nbflow",
            ID: self.word,
            "nbflow/run": label(f"{self.flow}-{self.number}"),
            "nbflow/flow": label(self.flow),
        }


def run_name(run: RunRecord) -> RunName:
    """The name of a run that the store has."""
    word = blake2b(f"{run.path} {run.created!r}".encode(), digest_size=6).hexdigest()
    return RunName(run.flow, run.number, word)


def selector(labels: dict[str, str]) -> str:
    """The labels as a list call asks for them."""
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))


def label(text: str) -> str:
    """The text as a label's value, as near as those allow."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)[:63].strip("-._")


def job_name(run: RunName, step: str, suffix: str) -> str:
    """The name of a Job: readable first, and unique by its suffix."""
    text = f"{run.flow}-{run.number}-{step}".lower()
    readable = re.sub(r"[^a-z0-9]+", "-", text)[: _LONGEST - len(suffix) - 1].strip("-")
    # a name begins with a letter
    return f"{readable}-{suffix}" if readable[:1].isalpha() else f"run-{readable}-{suffix}"[:63]
