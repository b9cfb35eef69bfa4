"""Sender: ready tasks become orders in the store and Jobs in the cluster, as many as have room."""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Container, Iterable, Iterator, MutableMapping
from dataclasses import replace
from typing import Any

from nbflow.engines.base import Batch, Work
from nbflow.engines.guided import Guided
from nbflow.engines.order import order_of
from nbflow.kubernetes.access import Access, passing, status_of, told
from nbflow.kubernetes.flights import Flight
from nbflow.kubernetes.manifests import Order, Place, chunk_job, indexed_job
from nbflow.kubernetes.names import job_name
from nbflow.kubernetes.states import Ending
from nbflow.runtime.machine import Part
from nbflow.store import Store

#: a task: its step, part, key and attempt
At = tuple[str, Part, str, int]

#: seconds of work that make the start of a pod worthwhile
_AIM = 20.0
#: seconds before a Job is tried again that the server did not take
_AGAIN = 2.0
#: servers that count the failures of each index of a Job
_INDEXED = (1, 29)


class Sender:
    """Sends what it is given, at most ``most`` chunks at once; ``batch`` tasks in each if given."""

    def __init__(
        self,
        store: Store,
        run: int,
        place: Place,
        access: Access,
        most: int,
        version: tuple[int, int],
    ) -> None:
        self._store, self._run = store, run
        self._place, self._access = place, access
        self._most = most
        self._indexed = version >= _INDEXED
        self.guided = Guided(_AIM, place.settings.batch)
        #: manifests that the server has not taken yet, each with its chunks
        self._unsent: deque[tuple[dict[str, Any], list[Flight]]] = deque()
        # two drivers of a run, one after another, name their Jobs differently
        self._token = secrets.token_hex(3)
        self._orders = 0
        self._number = 0
        self._hold = 0.0

    def send(
        self, flying: MutableMapping[int, Flight], wanted: MutableMapping[At, Flight | None]
    ) -> Iterator[tuple[list[Flight], Ending | None]]:
        """Send chunks for which there is room beside those ``flying``, of tasks still ``wanted``.

        Yields the chunks of each Job that was made, or was refused and why.
        """
        if time.monotonic() < self._hold:
            return
        yield from self._create()
        while not self._unsent:
            room = self._most - len(flying)
            ready = [one for one in self.guided.heads() if not self._crowded(one, flying.values())]
            if room <= 0 or not ready:
                return
            share = max(1, room // len(ready))
            for work in ready[:room]:
                self._launch(work, share, wanted)
            yield from self._create()

    def waiting(self) -> list[Flight]:
        """The chunks that the server has not taken yet."""
        return [flight for _, flights in self._unsent for flight in flights]

    def drain(self) -> list[Batch]:
        """Everything that was not sent, taken away."""
        found = [replace(one.batch, keys=tuple(one.left)) for one in self.waiting()]
        self._unsent.clear()
        for work, key in self.guided.drain():
            found.append(Batch(0, work.step.name, work.part, work.attempt, (key,)))
        return found

    def flight(
        self, batch: Batch, work: Work, job: str, order: str, index: int, shared: bool
    ) -> Flight:
        """A chunk with a number of its own."""
        self._number += 1
        batch = replace(batch, number=self._number)
        return Flight(batch, work, job, order, index, shared, dict.fromkeys(batch.keys))

    def _crowded(self, work: Work, flying: Iterable[Flight]) -> bool:
        """Whether a pod of this kind of task waits for a node: more of them would only queue."""
        return not self._place.settings.autoscale and any(
            flight.work.step is work.step and (flight.waits or "").startswith("waiting for")
            for flight in flying
        )

    def _launch(self, work: Work, most: int, wanted: MutableMapping[At, Flight | None]) -> None:
        """Make up to so many chunks of this kind an order, and the manifests of its Jobs."""
        batches = list(self._chunks(work, most, wanted))
        if not batches:
            return
        self._orders += 1
        step = work.step
        name = job_name(self._place.run, step.name, f"{self._orders}{self._token}")
        chunks = tuple(batch.keys for batch in batches)
        order = Order(name, step, work.part, work.attempt, chunks)
        kept = order_of(step.name, work.part, work.attempt, chunks, step.timeout)
        self._store.put_order(self._run, name, kept)
        every = range(len(batches))
        if self._indexed and len(batches) > 1:
            manifests = [(indexed_job(self._place, order), every)]
        else:
            manifests = [(chunk_job(self._place, order, at), range(at, at + 1)) for at in every]
        for manifest, indexes in manifests:
            job, shared = manifest["metadata"]["name"], len(indexes) > 1
            flights = [self.flight(batches[at], work, job, name, at, shared) for at in indexes]
            for flight in flights:
                wanted.update((at_of(flight.batch, key), flight) for key in flight.left)
            self._unsent.append((manifest, flights))

    def _chunks(self, work: Work, most: int, wanted: Container[At]) -> Iterator[Batch]:
        for _ in range(most):
            if not self.guided.left(work):
                return
            batch = self.guided.take(work, self._most)
            # what an earlier driver's pods have done meanwhile need not be done again
            keys = tuple(key for key in batch.keys if at_of(batch, key) in wanted)
            if keys:
                yield replace(batch, keys=keys)

    def _create(self) -> Iterator[tuple[list[Flight], Ending | None]]:
        """Make the Jobs that are not made yet, as far as the server takes them."""
        while self._unsent:
            manifest, flights = self._unsent[0]
            try:
                self._access.create_job(manifest)
            except Exception as error:
                if passing(error) or (status_of(error) == 403 and "exceeded quota" in told(error)):
                    self._hold = time.monotonic() + _AGAIN
                    for flight in flights:
                        flight.waits = f"waiting for the cluster: {told(error)}"
                    return
                if status_of(error) is None:
                    raise
                self._unsent.popleft()
                yield (
                    flights,
                    Ending("broken", "JobRefused", f"Kubernetes refuses the Job: {told(error)}."),
                )
                continue
            self._unsent.popleft()
            for flight in flights:
                flight.sent, flight.waits = time.time(), "starting"
            yield flights, None


def at_of(batch: Batch, key: str) -> At:
    """The task of a batch that has this key."""
    return batch.step, batch.part, key, batch.attempt
