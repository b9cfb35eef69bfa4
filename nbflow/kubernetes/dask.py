"""Dask: a scheduler and workers in Kubernetes for one run, brought up and taken down by nbflow.

Who makes the pods, `keeper` says. How many of which kind there should be is decided here: the
driver knows what waits, and the autoscaler of dask-kubernetes' operator knows one kind only.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from nbflow.engines.base import Job, Work
from nbflow.engines.guided import Waiting
from nbflow.engines.ledger import Ledger
from nbflow.engines.worker import nbflow_version, probe
from nbflow.kubernetes.access import Access, passing, told
from nbflow.kubernetes.dask_manifests import PORT
from nbflow.kubernetes.forward import Forward
from nbflow.kubernetes.groups import Demand, Group, Planner, groups_of
from nbflow.kubernetes.keeper import keeper_for
from nbflow.kubernetes.manifests import DRIVER_JOB, DRIVER_UID, Owner, Place
from nbflow.kubernetes.names import RunName, run_name
from nbflow.kubernetes.open import open_cluster, store_address
from nbflow.kubernetes.settings import Workers, read_settings
from nbflow.kubernetes.states import ending, stuck, waits_for

T = TypeVar("T")

#: seconds between two looks at the cluster
_LOOK = 1.0
#: how often a container ends before it counts as one that cannot run
_TIMES = 2
#: seconds that the operator may take to notice a new cluster
_OPERATOR = 60.0


class OwnCluster:
    """A Dask cluster of the run's own."""

    ledger: Ledger | None = None

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._client: Any = None
        self._forward: Forward | None = None
        self._demands: dict[str, Demand] = {}
        #: the addresses of each group's workers that were found fit
        self._fit: dict[str, dict[str, str]] = {}
        self._waits: dict[str, str] = {}
        self._broken: dict[str, str] = {}
        self._scaled: dict[str, int] = {}
        self._since: dict[str, float] = {}
        #: the groups that have had workers: one that ends is no sign that none can start
        self._had: set[str] = set()

    @property
    def client(self) -> Any:
        """The connection; there once a worker is."""
        return self._client

    def open(self, job: Job) -> None:
        """Reach Kubernetes, and make sure that it makes such pods."""
        self._settings = read_settings(job.settings)
        assert isinstance(self._settings.workers, Workers)
        self._job = job
        self.store = store_address(job.store, self._settings)
        self._access: Access = open_cluster(job, self._settings)
        self._keeper = keeper_for(self._access, _inside())
        self._groups = groups_of(job.spec, self._settings)
        names = [group.name for group in self._groups.groups]
        self._planner = Planner(self._settings.workers, names)
        place = Place(RunName(job.spec.name, 0), self._settings, self.store)
        self._keeper.check(place, self._groups.groups)

    def begin(self, run: int) -> None:
        """Note which run it is; what is all cached starts nothing."""
        name = run_name(self._job.store.run(run))
        place = Place(name, self._settings, self.store, _owner())
        self._keeper.begin(place, self._groups.groups)

    def want(self, waiting: Sequence[Waiting], flying: Sequence[Work]) -> None:
        """Hear what there is to do; the first time, begin to bring workers up."""
        busy: dict[str, int] = {}
        for work in flying:
            busy[self.group(work)] = busy.get(self.group(work), 0) + 1
        ready: dict[str, list[tuple[int, float | None]]] = {}
        for one in waiting:
            ready.setdefault(self.group(one.work), []).append((one.number, one.seconds))
        demands = {
            name: Demand(min(busy.get(name, 0), self._has(name)), tuple(ready.get(name, ())))
            for name in {*busy, *ready}
        }
        with self._lock:
            self._demands = demands
        if demands and self._thread is None:
            self._thread = threading.Thread(target=self._keep, daemon=True, name="nbflow-dask")
            self._thread.start()

    def group(self, work: Work) -> str:
        """Workers differ by what they have and by their image."""
        return self._groups.of(work.step, work.part).name

    def slots(self, work: Work) -> int:
        """One for each worker of its group."""
        return self._has(self.group(work))

    def takes(self, work: Work) -> Mapping[str, float]:
        """A worker of its group, whole."""
        return {self._groups.of(work.step, work.part).mark: 1.0}

    def waits(self, work: Work) -> str | None:
        """What its group waits for."""
        name = self.group(work)
        if self._has(name):
            return None
        with self._lock:
            return self._waits.get(name, "waiting for a worker")

    def broken(self, work: Work) -> str | None:
        """Why its group will never have workers."""
        with self._lock:
            return self._broken.get(self.group(work)) or self._broken.get("")

    def close(self) -> None:
        """Take all of it down."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(10.0)
        if self._client is not None:
            with contextlib.suppress(Exception):
                self._client.close(timeout=2)
        if self._forward is not None:
            self._forward.close()
        if self._thread is not None:
            with contextlib.suppress(Exception):  # else it ends by itself, as it is idle
                self._keeper.close()

    def _has(self, name: str) -> int:
        if self._client is None or self._client.status != "running":
            return 0
        with self._lock:
            return len(self._fit.get(name, ()))

    # --- the thread that talks with the cluster

    def _keep(self) -> None:
        """Bring the scheduler up, then have as many workers as there is work for."""
        try:
            if not self._start():
                return
        except Exception as error:
            self._break("", f"Dask could not be brought up in Kubernetes: {told(error)}.")
            return
        while not self._over.wait(_LOOK):
            with contextlib.suppress(Exception):  # the server is away: again in a moment
                self._look()

    def _start(self) -> bool:
        """Make the cluster and connect to its scheduler; whether there is one."""
        self._insist(self._keeper.start)
        until = time.monotonic() + _OPERATOR
        while not self._insist(self._keeper.noticed):
            if time.monotonic() > until:
                what = "The Dask operator has not taken notice of the Dask cluster of this run"
                self._break("", f"{what} in {_OPERATOR:.0f} seconds. Check that its pod runs.")
                return False
            if self._over.wait(0.3):
                return False
        pod = self._scheduler()
        if pod is None:
            return False
        self._insist(lambda: self._keeper.ready(pod))
        self._connect(pod)
        return True

    def _insist(self, call: Callable[[], T]) -> T:
        """Call until it succeeds or is refused: a server that restarts is no reason to fail."""
        while True:
            try:
                return call()
            except Exception as error:
                if not passing(error) or self._over.wait(_LOOK):
                    raise

    def _scheduler(self) -> dict[str, Any] | None:
        """The scheduler's pod, once it is ready; None where that will never be."""
        while "" not in self._broken and not self._over.wait(0.3):
            for pod in self._insist(self._keeper.pods):
                if self._keeper.serves(pod) is not None:
                    continue
                if _is_ready(pod):
                    return pod
                self._tell("", pod)
        return None

    def _connect(self, pod: dict[str, Any]) -> None:
        from distributed import Client

        if _inside():
            address = self._keeper.inside()
        else:
            self._forward = Forward(self._access, pod["metadata"]["name"], PORT)
            address = f"tcp://127.0.0.1:{self._forward.port}"
        with warnings.catch_warnings():
            # which versions must be alike is for us to say, when the first worker is there
            warnings.simplefilter("ignore")
            make: Any = Client
            client: Any = make(address, timeout=30, set_as_default=False)
        self._hold = _hold(client)
        self._client = client

    def _look(self) -> None:
        """Take in which workers there are, and say how many there should be."""
        if self.client.status != "running":
            return self._look_after_scheduler()
        if self._hold.cancelled():  # the scheduler was started again
            self._hold = _hold(self.client)
        names = [group.name for group in self._groups.groups]
        info = self.client.scheduler_info(n_workers=-1)["workers"]
        there: dict[str, dict[str, str]] = {name: {} for name in names}
        for address, facts in info.items():
            for group in self._groups.groups:
                if group.mark in facts["resources"]:
                    there[group.name][str(facts["name"])] = address
        for group in self._groups.groups:
            self._take_in(group, there[group.name])
        with self._lock:
            demands = {one: what for one, what in self._demands.items() if one not in self._broken}
        have = {name: max(len(there[name]), self._scaled.get(name, 0)) for name in names}
        numbers = self._planner.plan(demands, have, time.monotonic())
        for group in self._groups.groups:
            self._scale(group, numbers[group.name], there[group.name])
        if any(self._scaled.get(name, 0) > len(there[name]) == 0 for name in names):
            for pod in self._keeper.pods():
                name = self._keeper.serves(pod)
                if name is not None and not there[name]:
                    self._tell(name, pod)
        return None

    def _look_after_scheduler(self) -> None:
        """Find out what became of the scheduler, which does not answer."""
        if self.client.status == "closed":
            self._break("", "The connection with the scheduler of this run's workers was lost.")
        for pod in self._keeper.pods():
            if self._keeper.serves(pod) is None:
                self._tell("", pod)

    def _scale(self, group: Group, number: int, there: dict[str, str]) -> None:
        """Have this many workers in a group; of those too many, the ones that do nothing."""
        before = self._scaled.get(group.name, 0)
        if number < before:
            gone = self._retire(there, before - number)
            if gone:
                self._scaled[group.name] = before - len(gone)
                self._keeper.let_go(group, gone, before - len(gone))
        elif number > min(before, len(there)) and self._keeper.scale(group, number):
            self._scaled[group.name] = number

    def _retire(self, there: dict[str, str], number: int) -> list[str]:
        """Let go of so many workers that have nothing to do; which those were."""
        busy = self.client.processing()
        idle = [name for name, address in there.items() if not busy.get(address)][:number]
        if idle:
            with self._lock:
                for fit in self._fit.values():
                    for name in idle:
                        fit.pop(name, None)
            self.client.retire_workers([there[name] for name in idle], close_workers=True)
        return idle

    def _take_in(self, group: Group, there: dict[str, str]) -> None:
        """Use a group's workers; the first of them is asked whether it can run the flow."""
        with self._lock:
            known = self._fit.get(group.name, {})
        if there and not known:
            (facts,) = self.client.run(
                probe, self.store, workers=[next(iter(there.values()))]
            ).values()
            wrong = _unfit(facts, group, self.store)
            if wrong is not None:
                self._break(group.name, wrong)
                return
        if there:
            self._had.add(group.name)
        with self._lock:
            self._fit[group.name] = dict(there)

    def _tell(self, name: str, pod: dict[str, Any]) -> None:
        """Note what a pod waits for, and that its group does so in vain; "": the scheduler's."""
        events = self._access.events("Pod", pod["metadata"]["name"])
        now = time.monotonic()
        since = self._since.setdefault(pod["metadata"]["uid"], now)
        ended = stuck(pod, now - since, events) or ending(_of_many(pod))
        why = waits_for(pod, events)
        if ended is not None and ended.fate in ("broken", "died") and name not in self._had:
            self._break(name, ended.message)
        elif why is not None and name:
            with self._lock:
                self._waits[name] = why
        elif why is not None:
            with self._lock:
                for group in self._groups.groups:
                    self._waits[group.name] = f"Dask's scheduler: {why}"

    def _break(self, name: str, why: str) -> None:
        with self._lock:
            self._broken.setdefault(name, why)


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _of_many(pod: dict[str, Any]) -> dict[str, Any]:
    """A pod whose container ends each time that it is started, as if it had ended for good."""
    containers = pod.get("status", {}).get("containerStatuses") or ()
    container: dict[str, Any] = next(iter(containers), {})
    if container.get("restartCount", 0) < _TIMES or not container.get("lastState"):
        return pod
    ended = {**container, "state": container["lastState"]}
    return {**pod, "status": {**pod["status"], "phase": "Failed", "containerStatuses": [ended]}}


def _hold(client: Any) -> Any:
    """A task that no worker can run: until this process dies, the scheduler is not idle."""
    key = f"nbflow-driver-{os.getpid()}"
    return client.submit(int, key=key, pure=False, resources={"nbflow-driver": 1})


def _inside() -> bool:
    return "KUBERNETES_SERVICE_HOST" in os.environ


def _owner() -> Owner | None:
    name, uid = os.environ.get(DRIVER_JOB), os.environ.get(DRIVER_UID)
    return Owner(name, uid) if name and uid else None


def _unfit(facts: Mapping[str, Any], group: Group, store: str) -> str | None:
    """Why a worker cannot run the flow's tasks."""
    import platform

    mine = {"python": platform.python_version(), "nbflow": nbflow_version()}
    for name, version in mine.items():
        there = str(facts[name])
        same = (
            there.split(".")[:2] == version.split(".")[:2] if name == "python" else there == version
        )
        if not same:
            return (
                f"The image {group.image} has {name} {there}, and this process {version}. "
                "Use the same versions on both sides."
            )
    if facts["trouble"] is not None:
        return f"The workers cannot use the store {store}: {facts['trouble']}"
    return None
