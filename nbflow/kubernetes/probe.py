"""Probe: what a pod of an image finds out for `nbflow doctor`, and how it is asked."""

from __future__ import annotations

import contextlib
import json
import platform
import time
import uuid
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nbflow.kubernetes.access import Access
from nbflow.kubernetes.manifests import pod_spec
from nbflow.kubernetes.names import MANAGED, ROLE, selector
from nbflow.kubernetes.settings import Settings
from nbflow.kubernetes.states import ending, stuck, waits_for
from nbflow.runtime.spec import ResourceSpec

_MARK = "nbflow-probe "
#: seconds for a node, the image and the pod's answer
_PATIENCE = 180.0
_LOOK = 0.5


@dataclass(frozen=True, slots=True)
class Answer:
    """What a pod has said; or why it has said nothing."""

    #: as in `3.11`
    python: str = ""
    nbflow: str = ""
    #: why the store cannot be used from there; None where it can
    store: str | None = None
    #: seconds that opening, reading and writing took
    seconds: float = 0.0
    #: why there was no answer
    failed: str | None = None


def report(location: str | None) -> str:
    """In a pod: what it has, and whether the store at ``location`` can be used, in one line."""
    began = time.monotonic()
    store = _try_store(location)
    here = ".".join(platform.python_version_tuple()[:2])
    seconds = round(time.monotonic() - began, 3)
    told = {"python": here, "nbflow": version("nbflow"), "store": store, "seconds": seconds}
    return _MARK + json.dumps(told)


def _try_store(location: str | None) -> str | None:
    from nbflow.errors import UserError
    from nbflow.store import open_store

    try:
        if location is not None and "://" not in location and not Path(location).exists():
            # the first run makes it, in a folder that has to be there
            return None if _writable(Path(location).parent) else f"there is no {location}"
        with contextlib.closing(open_store(location, create=False)) as store:
            store.deployments()
            with store.writer("doctor") as writer:
                ref = writer.put_bytes(b"nbflow doctor was here" * 10, "text")
            store.get_bytes(ref)
    except UserError as error:
        return error.diagnostics[0].message
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def _writable(folder: Path) -> bool:
    import os

    return folder.is_dir() and os.access(folder, os.W_OK)


def ask(access: Access, settings: Settings, image: str, store: str) -> Answer:
    """Have a pod of this image look around; the pod is gone afterwards."""
    word = uuid.uuid4().hex[:8]
    labels = {MANAGED: "nbflow", ROLE: "doctor", "nbflow/probe": word}
    try:
        job = access.create_job(probe_job(settings, image, store, labels))
        return _wait(access, str(job["metadata"]["name"]), selector(labels))
    finally:
        with contextlib.suppress(Exception):  # it goes by itself after a while
            access.delete_jobs(selector(labels))
            access.delete_pods(selector(labels), hard=True)


def probe_job(settings: Settings, image: str, store: str, labels: dict[str, str]) -> dict[str, Any]:
    """The Job of one pod that looks around."""
    command = ["python", "-m", "nbflow", "doctor", "--probe"]
    asked = ResourceSpec(cpu=settings.cpu, memory=settings.memory)
    metadata: dict[str, Any] = {"labels": {**settings.labels, **labels}}
    if settings.annotations:
        metadata["annotations"] = dict(settings.annotations)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"nbflow-doctor-{labels['nbflow/probe']}", **metadata},
        "spec": {
            "backoffLimit": 0,
            "ttlSecondsAfterFinished": 60,
            "activeDeadlineSeconds": int(_PATIENCE) + 60,
            "template": {
                "metadata": metadata,
                "spec": pod_spec(settings, image, command, asked, store),
            },
        },
    }


def _wait(access: Access, job: str, mine: str) -> Answer:
    began, waits = time.monotonic(), "waiting to be made"
    while time.monotonic() - began < _PATIENCE:
        time.sleep(_LOOK)
        pods = access.listed("pods", mine).items
        if not pods:
            events = access.events("Job", job)
            refused = [one for one in events if one.get("reason") == "FailedCreate"]
            if refused:
                return Answer(failed=str(refused[-1].get("message")))
            continue
        pod = pods[0]
        name = str(pod["metadata"]["name"])
        events = access.events("Pod", name)
        ended = ending(pod) or stuck(pod, time.monotonic() - began, events)
        if ended is None:
            waits = waits_for(pod, events) or "running"
            continue
        answer = read(access.log(name).decode(errors="replace"))
        return answer or Answer(failed=ended.message or "it has ended without a word")
    return Answer(failed=f"The pod is still {waits} after {_PATIENCE:.0f} seconds")


def read(printed: str) -> Answer | None:
    """The answer in what a pod has printed; None where there is none."""
    for line in printed.splitlines():
        if line.startswith(_MARK):
            with contextlib.suppress(ValueError, TypeError):
                return Answer(**json.loads(line.removeprefix(_MARK)))
    return None
