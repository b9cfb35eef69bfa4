"""Cluster: the Dask cluster that the engine uses: this machine's own, or one at an address."""

from __future__ import annotations

import contextlib
import logging
import platform
import signal
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from nbflow.engines.base import Job, Work, refuse, refuse_images
from nbflow.engines.guided import Waiting
from nbflow.engines.ledger import Ledger
from nbflow.engines.machine_size import cores, gpus, machine_size
from nbflow.engines.worker import nbflow_version, probe
from nbflow.environments.builds import Builds
from nbflow.environments.locks import locks_from_json
from nbflow.errors import UserError, user_error

if TYPE_CHECKING:
    from distributed import Client

#: seconds to wait for a scheduler to answer, and for a first worker
_REACH = 10.0
_WORKERS = 60.0


class Cluster(Protocol):
    """Where batches go."""

    #: shares this machine's resources out; None where Dask does it
    ledger: Ledger | None

    @property
    def client(self) -> Client:
        """The connection; made, where the cluster is our own, when first used."""
        ...

    @property
    def store(self) -> str:
        """The address by which workers reach the store."""
        ...

    def open(self, job: Job) -> None:
        """Get ready for a run; raises `UserError`."""
        ...

    def begin(self, run: int) -> None:
        """The run has its id: batches of it will come."""
        ...

    def want(self, waiting: Sequence[Waiting], flying: Sequence[Work]) -> None:
        """Hear what is ready and what is at the workers, several times a second."""
        ...

    def group(self, work: Work) -> str:
        """Which of the workers take tasks of this kind; the same for all where all do."""
        ...

    def slots(self, work: Work) -> int:
        """How many batches of this kind run at once; 0 where there are no workers for it yet."""
        ...

    def takes(self, work: Work) -> Mapping[str, float]:
        """What a batch of this kind takes of a worker, as Dask counts resources."""
        ...

    def waits(self, work: Work) -> str | None:
        """Why no worker takes tasks of this kind yet; None where some do."""
        ...

    def broken(self, work: Work) -> str | None:
        """Why no worker will ever take tasks of this kind; None where that is not known."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class LocalCluster:
    """A worker process for each core of this machine, for as long as it is needed."""

    def __init__(self, workers: int | None = None) -> None:
        size = machine_size()
        self._workers = max(1, workers or cores())
        self.ledger: Ledger | None = Ledger(size, gpus())
        self._client: Client | None = None
        self._builds = Builds({})
        self._cluster: Any = None

    def begin(self, run: int) -> None:
        """Workers start when they are first used, and so do the builds of environments."""
        self._builds = Builds(locks_from_json(self._kept.environment(self._kept.run(run))))

    def want(self, waiting: Sequence[Waiting], flying: Sequence[Work]) -> None:
        """Begin to build the environments that what is ready asks for."""
        for one in waiting:
            self._builds.want(one.work.step.env)

    def group(self, work: Work) -> str:
        """All workers are alike."""
        return ""

    def slots(self, work: Work) -> int:
        """One for each worker."""
        return self._workers

    def takes(self, work: Work) -> Mapping[str, float]:
        """Nothing that Dask knows of: the ledger shares this machine out."""
        return {}

    def waits(self, work: Work) -> str | None:
        """Workers are there at once; environments are built when first used."""
        return self._builds.waits(work.step.env)

    def broken(self, work: Work) -> str | None:
        """What could not be was refused before the run, but that a build may fail."""
        return self._builds.broken(work.step.env)

    def open(self, job: Job) -> None:
        """Check the requests against the machine. A run that is all cached starts nothing."""
        assert self.ledger is not None
        refuse_images(job, "dask")
        self.store = job.store.url
        self._kept = job.store
        for name, there in self.ledger.there.items():
            asking = [s for s in job.spec.steps if s.resources.amounts().get(name, 0) > there]
            fix = f"Ask for at most {there:g}, or run on a cluster: --on tcp://…"
            refuse(asking, "dask", name, f"this machine has {there:g}", fix)
        # plain tasks are counted by slots, so that more workers than cores may be asked for
        self.ledger.there["cpu"] = max(self.ledger.there["cpu"], float(self._workers))

    @property
    def client(self) -> Client:
        """The connection; starts the workers when first used."""
        if self._client is None:
            self._client = self._start()
        return self._client

    def _start(self) -> Client:
        import dask
        import distributed

        settings = {
            "distributed.scheduler.worker-saturation": float("inf"),
            # a task that kills its worker is a failed task, not one to try again elsewhere
            "distributed.scheduler.allowed-failures": 0,
            "distributed.admin.large-graph-warning-threshold": "1GB",
            # the worker's threads only wait for their hosts: there is nothing to sample
            "distributed.worker.profile.enabled": False,
            "distributed.admin.tick.interval": "1s",
            "distributed.admin.tick.limit": "1m",
        }
        with dask.config.set(settings), _interrupts_blocked():
            self._cluster = distributed.LocalCluster(  # type: ignore[no-untyped-call]
                n_workers=self._workers,
                threads_per_worker=1,
                processes=True,
                # no dashboard, and no port that somebody else may have
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                worker_dashboard_address="127.0.0.1:0",
                memory_limit=0,
                silence_logs=logging.CRITICAL,
            )
            return distributed.Client(  # type: ignore[no-untyped-call]
                self._cluster, set_as_default=False
            )

    def close(self) -> None:
        """End the workers."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(Exception):
                client.close(timeout=2)  # type: ignore[no-untyped-call]
        if self._cluster is not None:
            self._cluster.close(timeout=5)
            self._cluster = None


class RemoteCluster:
    """A cluster that somebody else runs, by the address of its scheduler."""

    ledger: Ledger | None = None

    def __init__(self, address: str) -> None:
        self._address = address
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        """The connection that `open` has made."""
        assert self._client is not None
        return self._client

    def open(self, job: Job) -> None:
        """Reach it, and make sure that its workers can run this flow."""
        from distributed import Client

        refuse_images(job, "dask")
        # workers may have another address for it
        self.store = str(job.settings.get("store") or job.store.url)
        try:
            self._client = Client(  # type: ignore[no-untyped-call]
                self._address, timeout=_REACH, set_as_default=False
            )
        except (OSError, ValueError, ImportError, TimeoutError) as error:
            other = "`--on dask` uses this machine"
            if job.settings:  # of Kubernetes
                other = "from outside its cluster, forward its port or use `--detach`"
            raise user_error(
                "NBF404",
                f"The Dask scheduler at {self._address} cannot be reached: {error}",
                f"Check the address and that the scheduler runs; {other}.",
            ) from error
        try:
            self._check(job)
        except BaseException:
            self.close()
            raise

    def begin(self, run: int) -> None:
        """Nothing to do: the workers are there."""

    def want(self, waiting: Sequence[Waiting], flying: Sequence[Work]) -> None:
        """Nothing to do: others decide how many workers there are."""

    def group(self, work: Work) -> str:
        """Any worker that has what the task takes will do."""
        return ""

    def takes(self, work: Work) -> Mapping[str, float]:
        """What the step asks for; a split takes nothing but a thread."""
        return work.step.resources.amounts() if work.part == "main" else {}

    def waits(self, work: Work) -> str | None:
        """Workers were there when the run began."""
        return None

    def broken(self, work: Work) -> str | None:
        """What could not be was refused before the run."""
        return None

    def slots(self, work: Work) -> int:
        """The threads of all workers, as of the last sign of life."""
        workers = self.client.scheduler_info(n_workers=-1)["workers"].values()
        return max(1, sum(int(worker["nthreads"]) for worker in workers))

    def close(self) -> None:
        """Leave it running."""
        if self._client is None:
            return
        with contextlib.suppress(Exception):
            self.client.close(timeout=2)  # type: ignore[no-untyped-call]

    def _check(self, job: Job) -> None:
        try:
            self.client.wait_for_workers(1, timeout=_WORKERS)
        except TimeoutError as error:
            raise user_error(
                "NBF404",
                f"The Dask cluster at {self._address} has no workers.",
                "Start some: `dask worker ADDRESS`.",
            ) from error
        self._check_workers(self.store)
        workers = self.client.scheduler_info(n_workers=-1)["workers"].values()
        for name in ("cpu", "memory", "gpu", "disk"):
            most = max((worker["resources"].get(name, 0.0) for worker in workers), default=0.0)
            asking = [s for s in job.spec.steps if s.resources.amounts().get(name, 0) > most]
            fix = (
                f"Start workers with it: `dask worker --resources '{name}=…' {self._address}`, "
                "or ask for less."
            )
            refuse(asking, "dask", name, f"no worker of {self._address} offers that much", fix)

    def _check_workers(self, url: str) -> None:
        try:
            found: dict[str, Any] = self.client.run(probe, url)
        except Exception as error:
            raise user_error(
                "NBF404",
                f"A worker of {self._address} cannot run nbflow: {error}",
                "Install the same nbflow and the flow's packages where the workers run.",
            ) from error
        mine = {"python": platform.python_version(), "nbflow": nbflow_version()}
        for worker, facts in found.items():
            for name, version in mine.items():
                if name == "python":
                    same = facts[name].split(".")[:2] == version.split(".")[:2]
                else:
                    same = facts[name] == version
                if not same:
                    raise _worker_error(
                        worker,
                        f"has {name} {facts[name]}, and this process {version}",
                        "Use the same versions on both sides.",
                    )
            if facts["trouble"] is not None:
                raise _worker_error(
                    worker,
                    f"cannot use the store {url}: {facts['trouble']}",
                    "Put the store on a file system that all workers share.",
                )


@contextlib.contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Ctrl-C is for the driver: threads and processes that start inside never hear of it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    # its start would let interrupts through again
    resource_tracker.ensure_running()
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _worker_error(worker: str, what: str, fix: str) -> UserError:
    return user_error("NBF404", f"The Dask worker {worker} {what}.", fix)
