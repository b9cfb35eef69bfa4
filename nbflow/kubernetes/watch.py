"""Watch: the Jobs and pods of a run as they stand, kept up to date by what the server tells."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from nbflow.kubernetes.access import Access, Gone, Kind, changes
from nbflow.kubernetes.names import COMPLETION, INDEX
from nbflow.kubernetes.states import leaving

#: seconds before a first and a last attempt to reach a server that is gone
_FIRST = 0.2
_LAST = 15.0


@dataclass(frozen=True, slots=True)
class Seen:
    """An object as it was last seen, and whether it is still there."""

    body: dict[str, Any]
    there: bool = True


class Watch:
    """Two threads, one for Jobs and one for pods, from `start` to `stop`.

    A server that goes away is asked again until it is back; what has changed meanwhile is then
    found by listing all anew where a watch cannot go on from where it was.
    """

    def __init__(self, access: Access, selector: str) -> None:
        self._access = access
        self._selector = selector
        self._held: dict[Kind, dict[str, Seen]] = {"jobs": {}, "pods": {}}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._streams: dict[Kind, Any] = {}
        self._threads: list[threading.Thread] = []
        #: set whenever something has changed; whoever looks clears it
        self.changed = threading.Event()
        #: the kinds of which everything has been listed since the last trouble
        self._current: set[Kind] = set()

    def start(self) -> None:
        """Begin; what there is now is known when this returns, unless the server is away."""
        kinds: tuple[Kind, ...] = ("jobs", "pods")
        for kind in kinds:
            thread = threading.Thread(
                target=self._follow, args=(kind,), daemon=True, name=f"nbflow-watch-{kind}"
            )
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End both threads."""
        self._over.set()
        for stream in list(self._streams.values()):
            with suppress(Exception):
                stream.shutdown()
        for thread in self._threads:
            thread.join(2.0)

    @property
    def current(self) -> bool:
        """Whether what is not seen is not there: no trouble with the server at the moment."""
        return len(self._current) == len(self._held)

    def job(self, name: str) -> Seen | None:
        """The Job of this name."""
        with self._lock:
            return self._held["jobs"].get(name)

    def jobs(self) -> list[dict[str, Any]]:
        """All Jobs that are there."""
        with self._lock:
            return [one.body for one in self._held["jobs"].values() if one.there]

    def pod(self, job: str, index: int) -> Seen | None:
        """The newest pod of a Job, or of one index of an Indexed Job."""
        with self._lock:
            pods = [one for one in self._held["pods"].values() if _serves(one.body, job, index)]
        return max(pods, key=_rank, default=None)

    def forget(self, job: str) -> None:
        """Nobody asks for this Job and its pods any more."""
        with self._lock:
            self._held["jobs"].pop(job, None)
            for name in [n for n, one in self._held["pods"].items() if _job_of(one.body) == job]:
                del self._held["pods"][name]

    def _follow(self, kind: Kind) -> None:
        version: str | None = None
        wait = _FIRST
        while not self._over.is_set():
            try:
                if version is None:
                    version = self._list(kind)
                for reached in self._changes(kind, version):
                    version, wait = reached, _FIRST
            except Gone:
                version = None
            except Exception:  # no answer, or one that makes no sense: the server is restarting
                self._current.discard(kind)
                self._over.wait(wait * random.uniform(0.5, 1.5))
                wait = min(2 * wait, _LAST)

    def _list(self, kind: Kind) -> str:
        listed = self._access.listed(kind, self._selector)
        found = {one["metadata"]["name"]: Seen(one) for one in listed.items}
        with self._lock:
            held = self._held[kind]
            missing = {n: Seen(one.body, False) for n, one in held.items() if n not in found}
            held.update(found | missing)
        self.changed.set()
        return listed.version

    def _changes(self, kind: Kind, version: str) -> Iterator[str]:
        """Take in changes as they come; yields the version that each has led to."""
        with self._access.watch(kind, self._selector, version) as stream:
            self._streams[kind] = stream
            self._current.add(kind)
            if self._over.is_set():
                return
            for what, body in changes(stream):
                if what != "BOOKMARK":
                    with self._lock:
                        name = body["metadata"]["name"]
                        self._held[kind][name] = Seen(body, what != "DELETED")
                    self.changed.set()
                yield body["metadata"]["resourceVersion"]


def _serves(pod: dict[str, Any], job: str, index: int) -> bool:
    if _job_of(pod) != job:
        return False
    marks = pod["metadata"].get("annotations") or {}
    return int(marks.get(COMPLETION, index)) == index


def _job_of(pod: dict[str, Any]) -> str | None:
    labels: dict[str, str] = pod["metadata"].get("labels") or {}
    return labels.get("job-name")


def _rank(pod: Seen) -> tuple[bool, bool, str]:
    created = str(pod.body["metadata"].get("creationTimestamp"))
    return pod.there, not leaving(pod.body), created


def index_of(job: dict[str, Any]) -> int | None:
    """Which chunk of its order a Job runs; None where it runs all of them."""
    mark = (job["metadata"].get("annotations") or {}).get(INDEX)
    return None if mark is None else int(mark)
