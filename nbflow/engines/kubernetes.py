"""Kubernetes: tasks run in pods, each chunk of them as a Job.

What a Job is to do stands in the store as an order, and what its pod has done is posted there;
the cluster is asked only whether Jobs and pods are there, and in which state.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nbflow.engines.base import Batch, Job, UnderWay, Work
from nbflow.engines.order import TAKEN, chunk_of
from nbflow.engines.slot import cancelled_record, failed_record
from nbflow.errors import UserError
from nbflow.kubernetes.access import Access, passing
from nbflow.kubernetes.flights import Flight, judge, wonders
from nbflow.kubernetes.manifests import DRIVER_JOB, DRIVER_UID, Owner, Place, step_image
from nbflow.kubernetes.modules import with_missing_module
from nbflow.kubernetes.names import ORDER, ROLE, run_name, selector
from nbflow.kubernetes.open import open_cluster, store_address
from nbflow.kubernetes.sender import At, Sender, at_of
from nbflow.kubernetes.settings import read_settings
from nbflow.kubernetes.states import Ending
from nbflow.kubernetes.watch import Seen, Watch, index_of
from nbflow.store.records import FINAL, TaskRecord

if TYPE_CHECKING:
    from nbflow.store import Store

#: seconds between two looks at what was posted, where nothing has changed in the cluster
_LOOK = 1.0
#: how often a task may lose its pod through no fault of its own
_TAKEN_MOST = 10
#: servers that remove old Jobs by themselves
_REMOVES = (1, 21)


class KubernetesEngine:
    """A cluster's Jobs."""

    name = "kubernetes"

    def __init__(self, address: str = "kubernetes") -> None:
        self._flights: dict[int, Flight] = {}
        #: tasks that were submitted and have not ended, with what they fly in
        self._open: dict[At, Flight | None] = {}
        self._aside: list[TaskRecord] = []
        self._taken: Counter[At] = Counter()
        #: how the last pod of a task was taken away that runs again
        self._lost: dict[At, str] = {}
        self._looked = 0.0
        self._stopped: bool | None = None
        #: a pod has read that the run is to be cancelled: `stop` comes in a moment
        self._told = False
        self._undeleted = False
        self._run: int | None = None

    def open(self, job: Job) -> None:
        """Reach the cluster, and make sure that it can do what the flow asks for."""
        self._job = job
        self._settings = read_settings(job.settings)
        self._access: Access = open_cluster(job, self._settings)
        self._version = self._access.version()

    def begin(self, run: int) -> None:
        """Follow what there is of this run in the cluster."""
        self._run = run
        # one that loses the run takes nothing from the next one
        self._driver = self._store.driver(run)
        name = run_name(self._store.run(run))
        address = store_address(self._store, self._settings)
        place = Place(name, self._settings, address, _owner())
        most = self._job.max_workers or self._settings.max_pods
        self._sender = Sender(self._store, run, place, self._access, most, self._version)
        self._selector = selector(name.labels | {ROLE: "task"})
        self._watch = Watch(self._access, self._selector)
        self._watch.start()

    def submit(self, work: Work) -> None:
        """Take these tasks."""
        for key in work.keys:
            self._open[work.step.name, work.part, key, work.attempt] = None
        self._sender.guided.add(work)

    def adopt(self, run: int) -> list[At]:
        """Take over the Jobs that an earlier driver of the run has made."""
        jobs = self._insist_on_jobs()
        for body in jobs:
            name = (body["metadata"].get("annotations") or {}).get(ORDER, "")
            try:
                order = self._store.order(run, name)
            except UserError:  # of another kind, or of a run that was told to end
                continue
            index = index_of(body)
            indexes = range(len(order["chunks"])) if index is None else (index,)
            for one in indexes:
                self._adopt(run, body["metadata"]["name"], name, order, one, index is None)
        return list(self._open)

    def wait(self, seconds: float) -> list[TaskRecord]:
        """Take in what has ended, and send what there is room for."""
        until = time.monotonic() + seconds
        while True:
            records = self._collect()
            self._send()
            left = until - time.monotonic()
            if records or left <= 0:
                return records
            self._watch.changed.wait(left)

    def under_way(self) -> list[UnderWay]:
        """The chunks in the cluster, and those that it does not take yet."""
        now = time.time()
        found = [
            UnderWay(_rest(one), one.began or one.sent or now, one.state)
            for one in self._flights.values()
        ]
        return found + [UnderWay(_rest(one), 0.0, one.waits) for one in self._sender.waiting()]

    def interrupt(self) -> None:
        """No task runs in this process."""

    def stop(self, hard: bool) -> None:
        """Delete the run's Jobs and pods; each pod has a moment to say how its task ended."""
        self._stopped = hard
        self._collect_posts()
        batches = self._sender.drain()
        if hard:
            batches += [_rest(one) for one in self._flights.values()]
            self._flights.clear()
        for batch in batches:
            for key in batch.keys:
                self._cancel(batch, key)
        self._delete()

    def close(self) -> None:
        """Leave nothing of a run that is over; one that is not, another driver goes on with."""
        if self._run is None:
            return
        self._watch.stop()
        with suppress(Exception):  # what is left goes with its time to live
            if self._store.run(self._run).status in FINAL and (
                self._flights or self._stopped is not None or self._version < _REMOVES
            ):
                self._access.delete_jobs(self._selector)

    # --- sending

    def _send(self) -> None:
        """Send chunks for which there is room."""
        if self._stopped is not None:
            if self._undeleted:
                self._delete()
            return
        if self._told:
            return
        for flights, refusal in self._sender.send(self._flights, self._open):
            if refusal is None:
                self._flights.update((one.batch.number, one) for one in flights)
                for one in flights:
                    held = (self._lost.get(at_of(one.batch, key)) for key in one.left)
                    one.lost = next(filter(None, held), None)
            else:
                for one in flights:
                    self._aside += self._end(one, refusal, None)

    # --- what has ended

    def _collect(self) -> list[TaskRecord]:
        """Records of the tasks that have ended since the last time."""
        now = time.monotonic()
        if not self._watch.changed.is_set() and now - self._looked < _LOOK:
            records, self._aside = self._aside, []
            return records
        self._looked = now
        self._watch.changed.clear()
        # looked at first: what a pod has posted before it ended is then there
        seen = {one.batch.number: self._look(one) for one in self._flights.values()}
        self._collect_posts()
        for number, ended in seen.items():
            flight = self._flights.get(number)
            if flight is None:
                continue
            if flight.lost is not None:
                self._lost.update((at_of(flight.batch, k), flight.lost) for k in flight.left)
            if ended is not None:
                self._aside += self._end(flight, *ended)
        records, self._aside = self._aside, []
        return records

    def _look(self, flight: Flight) -> tuple[Ending, Seen | None] | None:
        """How a flight has ended, with its pod; None where it goes on."""
        now = time.time()
        job, pod = self._watch.job(flight.job), self._watch.pod(flight.job, flight.index)
        if pod is not None:
            flight.follow(str(pod.body["metadata"]["name"]), now)
        asked = wonders(flight, pod, now)
        if asked is not None and self._stopped is None:
            flight.asked = now
            with suppress(Exception):  # only to know more
                flight.events = self._access.events(*asked)
        ended = judge(flight, job, pod, self._watch.current, now)
        return None if ended is None else (ended, pod)

    def _collect_posts(self) -> None:
        """Take in what pods have posted."""
        assert self._run is not None
        for token, record in self._store.take_posted(self._run, self._driver):
            at: At = (record.step, record.part, record.key, record.attempt)
            if at not in self._open:
                continue  # another pod has done it as well
            if record.status == "cancelled" and record.reason == TAKEN:
                if self._stopped is None:
                    continue  # its pod was taken away: it runs again
                record = replace(record, reason="cancelled while it ran")
            flight = self._open.pop(at)
            if flight is not None:
                self._landed(flight, record, token)
            if at in self._lost:
                why = f"its pod was {self._lost.pop(at)}: it ran again"
                record = replace(record, reason=record.reason or why)
            image = step_image(self._settings, self._job.spec.step(record.step)) or ""
            self._aside.append(with_missing_module(record, image, self._job.spec.manifest))

    def _landed(self, flight: Flight, record: TaskRecord, token: str) -> None:
        """A task of a flight has ended."""
        flight.left.pop(record.key, None)
        flight.seconds += max(0.0, (record.finished or 0.0) - (record.started or 0.0))
        if flight.left or flight.batch.number not in self._flights:
            return
        self._forget(flight)
        self._sender.guided.learn(flight.batch, flight.seconds)
        if token.partition(" ")[0] != flight.token:
            self._delete_job(flight)  # the work was done elsewhere

    def _end(self, flight: Flight, ended: Ending, pod: Seen | None) -> list[TaskRecord]:
        """Records of the tasks that a flight has ended with; the others fly again."""
        keys = list(flight.left)
        self._forget(flight)
        if not keys:
            return []
        if self._stopped is not None:
            for key in keys:
                self._cancel(flight.batch, key)
            return []
        self._delete_job(flight)
        name = str(pod.body["metadata"]["name"]) if pod else flight.job
        lost: list[str] = []
        message = ended.message
        if ended.fate == "broken":
            lost = keys
        elif ended.fate == "died":
            lost = keys[:1]  # they run one after another: it was the first
        elif ended.fate == "done" and self._cancel_asked():
            self._told = True
        else:
            self._taken.update(at_of(flight.batch, key) for key in keys)
            flight.taken(ended)
            self._lost.update((at_of(flight.batch, key), flight.lost or "") for key in keys)
            lost = [key for key in keys if self._taken[at_of(flight.batch, key)] >= _TAKEN_MOST]
            message = (
                f"The task's pod was {message or 'ended'}, and so were {_TAKEN_MOST - 1} more."
            )
        kind = ended.kind or "PodLost"
        records = [self._failed(flight, key, kind, message, name, pod) for key in lost]
        left = tuple(key for key in keys if key not in lost)
        if left:
            work = replace(flight.work, keys=left)
            for key in left:
                self._open[at_of(flight.batch, key)] = None
            self._sender.guided.add(work)
        return records

    def _failed(
        self, flight: Flight, key: str, kind: str, message: str, pod: str, seen: Seen | None
    ) -> TaskRecord:
        """The record of a task whose pod could not make one, with what it had printed."""
        assert self._run is not None
        self._open.pop(at_of(flight.batch, key), None)
        output = self._access.log(pod) if seen and seen.there and flight.began else b""
        return failed_record(
            self._store, self._run, flight.batch, key, kind, message, output, flight.began, pod
        )

    def _cancel_asked(self) -> bool:
        assert self._run is not None
        return self._store.run(self._run).cancel is not None

    def _cancel(self, batch: Batch, key: str) -> None:
        if self._open.pop(at_of(batch, key), self) is not self:
            self._aside.append(cancelled_record(batch, key))

    def _forget(self, flight: Flight) -> None:
        self._flights.pop(flight.batch.number, None)
        if not any(one.job == flight.job for one in self._flights.values()):
            self._watch.forget(flight.job)

    # --- the cluster

    def _delete_job(self, flight: Flight) -> None:
        """Delete the Job of a flight that is over, so that it makes no other pod."""
        if not flight.shared:
            with suppress(Exception):  # what it does is not counted any more
                self._access.delete_job(flight.job)

    def _delete(self) -> None:
        """Delete all Jobs of the run; tried again later where the server is away."""
        try:
            self._access.delete_jobs(self._selector)
            self._access.delete_pods(self._selector, hard=bool(self._stopped))
            self._undeleted = False
        except Exception as error:
            if not passing(error):
                raise
            self._undeleted = True

    def _insist_on_jobs(self) -> list[dict[str, Any]]:
        """The run's Jobs; waits for a server that is away, as to guess would run tasks twice."""
        until = time.monotonic() + 60.0
        while True:
            try:
                return self._access.listed("jobs", self._selector).items
            except Exception as error:
                if not passing(error) or time.monotonic() > until:
                    raise
                time.sleep(1.0)

    def _adopt(
        self, run: int, job: str, name: str, order: dict[str, Any], index: int, shared: bool
    ) -> None:
        batch = chunk_of(order, index)
        keys = tuple(key for key in batch.keys if not self._settled(run, batch, key))
        if not keys:
            return
        work = Work(self._job.spec.step(batch.step), batch.part, batch.attempt, keys)
        flight = self._sender.flight(replace(batch, keys=keys), work, job, name, index, shared)
        self._open.update((at_of(batch, key), flight) for key in keys)
        flight.sent, flight.known = time.time(), True
        self._flights[flight.batch.number] = flight

    def _settled(self, run: int, batch: Batch, key: str) -> bool:
        """Whether the store has the attempt, or a later one."""
        record = self._store.task(run, batch.step, key, batch.part)
        if record is not None and record.attempt > batch.attempt:
            return True
        if record is not None and record.status in FINAL and record.status != "lost":
            return record.attempt >= batch.attempt
        earlier = self._store.attempts(run, batch.step, key)
        return any(one.part == batch.part and one.attempt >= batch.attempt for one in earlier)

    @property
    def _store(self) -> Store:
        return self._job.store


def _rest(flight: Flight) -> Batch:
    """What is left of a flight's batch: the task at hand first."""
    return replace(flight.batch, keys=tuple(flight.left) or flight.batch.keys)


def _owner() -> Owner | None:
    """The Job that this driver runs in, with which the others go; None outside a cluster."""
    name, uid = os.environ.get(DRIVER_JOB), os.environ.get(DRIVER_UID)
    return Owner(name, uid) if name and uid else None
