"""Dask: tasks run on a Dask cluster, one of this machine's own or one at an address.

Batches of tasks are Dask tasks; each worker thread hands its batches to a host process.
"""

from __future__ import annotations

import contextlib
import queue
import secrets
import time
from typing import TYPE_CHECKING, Any

from nbflow.engines.base import Batch, Job, UnderWay, Work
from nbflow.engines.cluster import Cluster, LocalCluster, RemoteCluster
from nbflow.engines.guided import LARGEST, Guided
from nbflow.engines.slot import cancelled_record, failed_record
from nbflow.engines.wire import unpack_records
from nbflow.engines.worker import run_batch, stop_run
from nbflow.environments.locks import distributions, locks_from_json
from nbflow.environments.modules import with_missing_module
from nbflow.runtime.live import live_folder, notes, output_since, task_name

if TYPE_CHECKING:
    from distributed import Client

    from nbflow.store.records import TaskRecord

#: seconds that fetching the records of a batch that has ended may take
_FETCH = 10.0


class DaskEngine:
    """The default engine."""

    name = "dask"

    def __init__(
        self, address: str = "dask", cluster: Cluster | None = None, own: bool = False
    ) -> None:
        self._address = address
        self._given = cluster
        #: whether a cluster that was given is ours to close
        self._own = own
        self._guided = Guided()
        self._ended: queue.Queue[tuple[int, Any]] = queue.Queue()
        self._flying: dict[int, tuple[Batch, Work, float, Any]] = {}
        #: kinds of tasks of which one may have taken a worker with it: now sent one by one
        self._suspect: set[tuple[str, str]] = set()
        self._aside: list[TaskRecord] = []
        self._asked = False
        self._stopped = False
        #: so that a scheduler takes no task for one that an earlier driver of the run has sent
        self._mark = secrets.token_hex(4)

    def open(self, job: Job) -> None:
        """Start or reach the cluster, and make sure that it can do what the flow asks for."""
        self._job = job
        self._cluster = self._given or _cluster(self._address, job)
        self._cluster.open(job)

    def begin(self, run: int) -> None:
        """Note which run it is."""
        self._run = run
        store = self._job.store
        self._locks = locks_from_json(store.environment(store.run(run)))
        self._cluster.begin(run)

    def submit(self, work: Work) -> None:
        """Take these tasks."""
        self._guided.add(work)

    def wait(self, seconds: float) -> list[TaskRecord]:
        """Send batches for which there is room, and take in those that have ended."""
        self._send()
        records, self._aside = self._aside, []
        block = not records
        while True:
            try:
                number, future = self._ended.get(block, seconds if block else 0.0)
            except queue.Empty:
                break
            block = False
            records += self._take_in(number, future)
        self._send()
        return records

    def under_way(self) -> list[UnderWay]:
        """The batches at the workers, and those that wait for there to be some."""
        found = [UnderWay(batch, sent) for batch, _, sent, _ in self._flying.values()]
        for work in self._guided.heads():
            why = self._cluster.waits(work)
            if why is not None:
                batch = Batch(0, work.step.name, work.part, work.attempt, work.keys)
                found.append(UnderWay(batch, 0.0, why))
        return found

    def interrupt(self) -> None:
        """No task runs in this process; none is to be sent any more."""
        self._asked = True

    def stop(self, hard: bool) -> None:
        """End what runs at the workers; what waits is cancelled here."""
        self._stopped = True
        for work, key in self._guided.drain():
            batch = Batch(0, work.step.name, work.part, work.attempt, (key,))
            self._aside.append(cancelled_record(batch, key))
        with contextlib.suppress(Exception):  # a cluster that is gone runs nothing
            self._cluster.client.run(stop_run, self._cluster.store, self._run, hard, wait=False)

    def close(self) -> None:
        """Leave the cluster, or end it where it is ours."""
        if self._given is None or self._own:
            self._cluster.close()

    def _send(self) -> None:
        if not self._stopped:
            self._cluster.want(self._guided.waiting(), [one[1] for one in self._flying.values()])
            for head in self._guided.heads():
                self._give_up(head)
        while self._guided and not self._stopped:
            work = next((one for one in self._guided.heads() if self._room(one)), None)
            if work is None:
                return
            client = self._cluster.client  # workers may start now, and Ctrl-C be heard after that
            if self._asked:
                return
            devices = self._cluster.ledger.pick(work) if self._cluster.ledger else None
            most = 1 if (work.step.name, work.part) in self._suspect else LARGEST
            batch = self._guided.take(work, self._cluster.slots(work), devices, most)
            self._fly(client, batch, work)

    def _give_up(self, work: Work) -> None:
        """The tasks of a kind that can never run here have failed."""
        why = self._cluster.broken(work)
        if why is not None:
            for key in self._guided.drop(work):
                batch = Batch(0, work.step.name, work.part, work.attempt, (key,))
                store, run = self._job.store, self._run
                kind = "NoEnvironment" if work.step.env else "NoWorkers"
                record = failed_record(store, run, batch, key, kind, why, b"", None, "lost")
                self._aside.append(record)

    def _room(self, work: Work) -> bool:
        """Whether a batch of this kind may go to the workers now."""
        cluster = self._cluster
        if cluster.waits(work) is not None:
            return False
        if cluster.ledger is None and len(self._flying) >= (self._job.max_workers or LARGEST):
            return False
        # those that the same workers take
        group = cluster.group(work)
        flying = [one[1] for one in self._flying.values() if cluster.group(one[1]) == group]
        slots = cluster.slots(work)
        plain = not work.step.resources.amounts() or work.part == "items"
        if plain and self._guided.short(work):
            # one ahead for each slot, so that none waits for the next
            held = sum(not one.step.resources.amounts() for one in flying)
            return held < 2 * slots and len(flying) < 2 * slots
        if cluster.ledger is None:
            return len(flying) < 2 * slots
        return not cluster.ledger.lacks(work)

    def _fly(self, client: Client, batch: Batch, work: Work) -> None:
        cluster = self._cluster
        if cluster.ledger:
            cluster.ledger.hold(batch.number, work)
        future = client.submit(
            run_batch,
            cluster.store,
            self._run,
            batch,
            key=f"nbflow-{self._run}-{batch.step}-{batch.number}-{self._mark}",
            pure=False,
            resources=cluster.takes(work) or None,
        )
        self._flying[batch.number] = (batch, work, time.time(), future)
        number = batch.number
        future.add_done_callback(  # type: ignore[no-untyped-call]
            lambda done: self._ended.put((number, done))
        )

    def _take_in(self, number: int, future: Any) -> list[TaskRecord]:
        batch, work, _, _ = self._flying.pop(number)
        if self._cluster.ledger:
            self._cluster.ledger.release(number)
        try:
            seconds, packs = future.result(timeout=_FETCH)
        except Exception as error:
            return self._lost(batch, work, error)
        finally:
            future.release()
        self._guided.learn(batch, seconds)
        name, records = work.step.env, unpack_records(packs)
        if name not in self._locks:
            return records
        held = distributions(self._locks[name])
        return [with_missing_module(record, name, held) for record in records]

    def _lost(self, batch: Batch, work: Work, error: Exception) -> list[TaskRecord]:
        """A worker has died with a batch: its task failed, the others go to another worker."""
        if self._stopped:
            return [cancelled_record(batch, key) for key in batch.keys]
        folder = live_folder(self._job.store.root, self._run)
        names = {task_name(batch.step, batch.part, key, batch.attempt): key for key in batch.keys}
        running = [(path, note) for path, note in notes(folder) if note.task in names]
        failed: dict[str, TaskRecord] = {}
        for path, note in running:
            key = names[note.task]
            output = output_since(path, note.offset)
            failed[key] = self._failed(batch, key, error, output, note.started)
            path.unlink(missing_ok=True)
            path.with_suffix(".now").unlink(missing_ok=True)
        if not failed and len(batch.keys) == 1:
            failed[batch.keys[0]] = self._failed(batch, batch.keys[0], error, b"", None)
        left = tuple(key for key in batch.keys if key not in failed)
        if left:
            self._suspect.add((batch.step, batch.part))
            self._guided.add(Work(work.step, work.part, work.attempt, left))
        return list(failed.values())

    def _failed(
        self, batch: Batch, key: str, error: Exception, output: bytes, started: float | None
    ) -> TaskRecord:
        from distributed import KilledWorker

        if isinstance(error, KilledWorker):
            kind, message = "WorkerLost", "The Dask worker died while the task ran."
        else:
            kind, message = type(error).__name__, f"Dask could not run the task: {error}"
        job = self._job
        return failed_record(
            job.store, self._run, batch, key, kind, message, output, started, "lost"
        )


def _cluster(address: str, job: Job) -> Cluster:
    return LocalCluster(job.max_workers) if address == "dask" else RemoteCluster(address)
