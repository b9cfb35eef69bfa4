"""Flights: chunks of tasks in a cluster, and what to think of each by what is seen of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbflow.engines.base import Batch, Work
from nbflow.kubernetes.states import Ending, deleted, ending, leaving, over, stuck, waits_for
from nbflow.kubernetes.watch import Seen

#: seconds after which a Job that was made and is not seen is gone
_UNSEEN = 60.0
#: seconds after which it is asked why a pod does not start, and between two times of asking
_WONDER = 2.0
_ASK = 5.0
#: the same of who has deleted a pod, and for how long it may take until that is told
_WHO = 0.5
_TOLD = 3.0
#: seconds in which a Job makes another pod for one that was deleted
_REPLACED = 10.0
#: words of a refusal to make a pod that is over when others have ended
_QUOTA = "exceeded quota"


@dataclass(slots=True)
class Flight:
    """A chunk of tasks that was sent as a Job, or as one index of a Job."""

    batch: Batch
    work: Work
    #: the Job, and which chunk of its order this is
    job: str
    order: str
    index: int
    #: the Job has pods for other chunks too
    shared: bool = False
    #: tasks without a record yet, in the order in which they run
    left: dict[str, None] = field(default_factory=dict)
    #: when the Job was made, by this process's clock; None before
    sent: float | None = None
    #: when it was first seen that the container runs
    began: float | None = None
    waits: str | None = "starting"
    #: seconds that its finished tasks took
    seconds: float = 0.0
    #: the Job was seen
    known: bool = False
    asked: float = 0.0
    #: when it was first seen that its pod is deleted, and that there is no other
    gone: float | None = None
    #: how its last pod was taken away: `deleted`, `preempted by …`
    lost: str | None = None
    #: the name of its pod, and of the one before it, and since when it is another
    pod: str = ""
    before: str = ""
    moved: float = 0.0
    events: Sequence[Mapping[str, Any]] = ()

    @property
    def token(self) -> str:
        """The word that its posts begin with."""
        return f"{self.order}/{self.index}"

    @property
    def state(self) -> str | None:
        """What it waits for, and for what reason it has to wait again; None where it runs."""
        if self.waits is None or self.lost is None:
            return self.waits
        return f"its pod was {self.lost}: {self.waits}"

    def follow(self, pod: str, now: float) -> None:
        """Its pod is this one: another, where the Job has replaced one that was taken away."""
        if self.pod not in ("", pod):
            self.before, self.moved = self.pod, now
            self.taken(deleted({}))
        self.pod = pod

    def taken(self, ended: Ending) -> None:
        """Its pod was taken away; that it was deleted says less than what is known already."""
        if self.lost is None or ended.kind not in ("PodDeleted", "JobDeleted"):
            self.lost = ended.message


def wonders(flight: Flight, pod: Seen | None, now: float) -> tuple[str, str] | None:
    """The kind and name of what to ask the events of: a Job without a pod, a pod that waits.

    Or one that somebody has deleted. None where nothing is odd, or it was asked a moment ago.
    """
    gone = pod is not None and (leaving(pod.body) or not pod.there)
    if gone or now - flight.moved < _TOLD:
        name = flight.pod if gone else flight.before
        return ("Pod", name) if now - flight.asked > _WHO else None
    if flight.sent is None or now - flight.sent < _WONDER or now - flight.asked < _ASK:
        return None
    if pod is None:
        return ("Job", flight.job) if flight.known else None
    placed = pod.body.get("spec", {}).get("nodeName")
    if placed and pod.body.get("status", {}).get("phase") == "Pending":
        return "Pod", flight.pod
    return None


def judge(
    flight: Flight, job: Seen | None, pod: Seen | None, current: bool, now: float
) -> Ending | None:
    """How the flight has ended, None where it goes on; notes what it waits for and when it began.

    ``current`` says that what is not seen is not there.
    """
    assert flight.sent is not None
    flight.known |= job is not None
    if pod is None:
        return _without_pod(flight, job, current, now)
    if now - flight.moved < _TOLD:
        flight.taken(deleted({}, flight.events))
    ended = ending(pod.body, flight.events)
    if ended is None and not pod.there:
        ended = deleted(pod.body, flight.events)
    if ended is not None:
        return None if _replaced(flight, ended, job, pod, now) else ended
    if leaving(pod.body) and _silent(flight, pod, now):
        return deleted(pod.body, flight.events)
    if not leaving(pod.body):
        flight.gone = None
    if pod.body.get("status", {}).get("phase") == "Running":
        flight.waits = None
        flight.began = flight.began or now
        return None
    flight.waits = waits_for(pod.body, flight.events)
    return stuck(pod.body, now - flight.sent, flight.events)


def _without_pod(flight: Flight, job: Seen | None, current: bool, now: float) -> Ending | None:
    assert flight.sent is not None
    if job is None:
        lost = not flight.known and current and now - flight.sent > _UNSEEN
        return _no_job() if lost else None
    if not job.there:
        return _no_job()
    refusal = _refusal(flight.events)
    if refusal is None:
        return None
    if _QUOTA in refusal:
        found = re.search(r"exceeded quota: (.*)", refusal)
        flight.waits = f"waiting for quota: {found[1] if found else refusal}"
        return None
    return Ending("broken", "PodRefused", f"Kubernetes makes no pod for the task: {refusal}.")


def _replaced(flight: Flight, ended: Ending, job: Seen | None, pod: Seen, now: float) -> bool:
    """Whether the Job itself will make another pod for one that was deleted."""
    if ended.fate != "taken" or (pod.there and not leaving(pod.body)):
        return False
    if job is None or not job.there or over(job.body):
        return False
    flight.gone = flight.gone or now
    flight.taken(ended)
    flight.waits = "waiting for another"
    return now - flight.gone < _REPLACED


def _silent(flight: Flight, pod: Seen, now: float) -> bool:
    """Whether a pod that was asked to end should have ended long ago: its node is gone."""
    flight.gone = flight.gone or now
    grace = pod.body["metadata"].get("deletionGracePeriodSeconds") or 0
    return now - flight.gone > float(grace) + _REPLACED


def _no_job() -> Ending:
    return Ending("taken", "JobDeleted", "deleted with its Job")


def _refusal(events: Sequence[Mapping[str, Any]]) -> str | None:
    """Why the Job's controller could not make a pod, by its last attempt to."""
    for event in reversed(events):
        if event.get("reason") == "SuccessfulCreate":
            return None
        if event.get("reason") == "FailedCreate":
            text = str(event.get("message") or "").rstrip(". ")
            return re.sub(r'^Error creating: (pods "[^"]*" is forbidden: )?', "", text)
    return None
