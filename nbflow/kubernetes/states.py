"""States: what Kubernetes says of a pod, in nbflow's words. Dictionaries in, sentences out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from nbflow.engines.memory import out_of_memory

Pod = Mapping[str, Any]

#: what became of a pod: it did its work, its task ended it, it was taken away, it could not work
Fate = Literal["done", "died", "taken", "broken"]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a pod has ended, and what that means for the tasks that it has not posted.

    `done`: nothing is to be said. `died`: the task that was running did it, the others run again.
    `taken`: nobody's fault, all run again and it counts as no attempt. `broken`: none can run so.
    """

    fate: Fate
    kind: str = ""
    message: str = ""


#: reasons of a container that waits in vain: what it cannot get, as an error is called
_CANNOT = {
    "InvalidImageName": "ImageNotFound",
    "ErrImageNeverPull": "ImageNotFound",
    "CreateContainerConfigError": "PodConfigError",
    "CreateContainerError": "PodConfigError",
    "RunContainerError": "PodConfigError",
}
#: words in the message of a pull that will not succeed by waiting
_NO_IMAGE = re.compile(
    r"not found|not exist|manifest unknown|unauthorized|denied|authorization failed|"
    r"invalid reference|no such image|pull access",
    re.IGNORECASE,
)
#: reasons of a pod's or a condition's that somebody else has caused
_TAKEN = {
    "Preempting": "preempted by a pod of higher priority",
    "PreemptionByScheduler": "preempted by a pod of higher priority",
    "NodeLost": "lost with its node",
    "NodeShutdown": "ended, as its node was shut down",
    "Shutdown": "ended, as its node was shut down",
    "Terminated": "ended, as its node was shut down",
    "TerminationByKubelet": "ended by its node",
    "DeletionByTaintManager": "lost with its node",
    "DeletionByPodGC": "lost with its node",
    "EvictionByEvictionAPI": "evicted",
    "UnexpectedAdmissionError": "refused by its node",
    "NodeAffinity": "refused by its node",
    "OutOfcpu": "refused by its node",
    "OutOfmemory": "refused by its node",
    "OutOfpods": "refused by its node",
}
#: events of a pod that was deleted and does not say why itself: the same
_TAKEN_BY = {
    "Preempted": _TAKEN["PreemptionByScheduler"],
    "TaintManagerEviction": _TAKEN["DeletionByTaintManager"],
    "NodeControllerEviction": _TAKEN["DeletionByTaintManager"],
}
#: what stands before the reason of a pull that fails: the image is named anyway
_PULLING = re.compile(
    r"(failed to (pull( and unpack)? image|resolve reference) \"[^\"]*\": |failed to do request: )",
    re.IGNORECASE,
)
#: seconds for which a pull may fail before it counts: a registry may be restarting
_PULL = 45.0
#: the same for making the container: the node may be busy
_MAKE = 15.0
#: an eviction for what the pod itself has done
_OWN_FAULT = re.compile(
    r"(ephemeral|local).*(exceed|limit)|exceed.*(ephemeral|limit)", re.IGNORECASE
)


def waits_for(pod: Pod, events: Sequence[Mapping[str, Any]] = ()) -> str | None:
    """Why the pod's container does not run yet, in a few words; None where it does or did."""
    status = pod.get("status", {})
    if status.get("phase") != "Pending":
        return None
    scheduled = _condition(pod, "PodScheduled")
    if not pod.get("spec", {}).get("nodeName"):
        message = str((scheduled or {}).get("message") or "")
        return f"waiting for a node: {shortage(message)}" if message else "waiting for a node"
    reason, message = _waiting(pod)
    image = _image(pod)
    if reason in ("ErrImagePull", "ImagePullBackOff"):
        why = _brief(_trouble(message, events))
        return f"the image {image} cannot be pulled, trying again: {why}"
    for event in reversed(events):
        if event.get("reason") == "Pulling":
            return f"pulling {image}"
        if event.get("reason") in ("FailedMount", "FailedAttachVolume"):
            return f"waiting for a volume: {_brief(str(event.get('message')))}"
        if event.get("reason") in ("Pulled", "Created", "Started"):
            break
    return "starting"


def _trouble(message: str, events: Sequence[Mapping[str, Any]]) -> str:
    """Why the last pull failed: while it waits to try again, the status does not say that."""
    failed = [str(one.get("message")) for one in events if one.get("reason") == "Failed"]
    return next((one for one in reversed(failed) if "pull image" in one), message)


def shortage(message: str) -> str:
    """`0/3 nodes are available: 3 Insufficient cpu.` as `insufficient cpu`."""
    text = message.partition(" preemption: ")[0].strip().rstrip(".")
    found = re.match(r"0/(\d+) nodes are available: (.*)", text, re.DOTALL)
    if found is None:
        return _brief(text)
    total, parts = int(found[1]), re.findall(r"(\d+) (.+?)(?=, \d+ |$)", found[2])
    return ", ".join(_lack(int(number), what, total) for number, what in parts) or _brief(found[2])


def _lack(number: int, what: str, total: int) -> str:
    what = what.replace("node(s) ", "").strip()
    if what.startswith("Insufficient "):
        what = "i" + what[1:]
        return what if number == total else f"{what} on {number} of {total} nodes"
    if re.match(r"(persistentvolumeclaim|pod has)", what):
        return what
    return f"{number} of {total} nodes {what}"


def stuck(pod: Pod, seconds: float, events: Sequence[Mapping[str, Any]] = ()) -> Ending | None:
    """Whether a pod waits in vain, having waited so long: for an image that is not there, say."""
    if pod.get("status", {}).get("phase") != "Pending":
        return None
    reason, message = _waiting(pod)
    if reason in ("ErrImagePull", "ImagePullBackOff"):
        message = _trouble(message, events)
        if not (_NO_IMAGE.search(message) or seconds > _PULL):
            return None
        reason = "InvalidImageName"
    if reason in ("CreateContainerError", "RunContainerError") and seconds < _MAKE:
        return None
    kind = _CANNOT.get(reason)
    if kind is None:
        return None
    if kind == "ImageNotFound":
        said = f"The image {_image(pod)} cannot be pulled: {_brief(message)}."
        fix = "Check its name, that it was pushed, and `pull-secrets`."
        return Ending("broken", kind, f"{said} {fix}")
    return Ending("broken", kind, f"The pod's container cannot be made: {_brief(message)}.")


def ending(pod: Pod, events: Sequence[Mapping[str, Any]] = ()) -> Ending | None:
    """How the pod has ended; None where it has not."""
    status = pod.get("status", {})
    phase = status.get("phase")
    if phase not in ("Succeeded", "Failed"):
        return None
    taken = _taken(pod)
    if taken is not None:
        return taken
    if leaving(pod) and _terminated(pod).get("reason") != "OOMKilled":
        return deleted(pod, events)  # whatever its process made of the request to end
    if status.get("reason") == "Evicted":
        message = _brief(str(status.get("message") or ""))
        return Ending("died", "Evicted", f"The task's pod was evicted: {message}.")
    if status.get("reason") == "DeadlineExceeded":
        return Ending("died", "TimeoutError", "The task's pod lived longer than its deadline.")
    ended = _terminated(pod)
    code = ended.get("exitCode")
    if phase == "Succeeded" or code == 0:
        return Ending("done", message="ended")
    return _exit(pod, ended, code)


def _exit(pod: Pod, ended: Mapping[str, Any], code: int | None) -> Ending:
    reason, message = ended.get("reason"), str(ended.get("message") or "")
    if reason == "OOMKilled":
        return Ending("died", "OutOfMemory", out_of_memory(_limit(pod)))
    if reason in ("StartError", "ContainerCannotRun"):
        said = f"The image {_image(pod)} cannot run nbflow: {_brief(message)}."
        fix = "It needs Python and nbflow: `nbflow export NOTEBOOK --to image` writes one that has."
        return Ending("broken", "ImageError", f"{said} {fix}")
    if code is not None and code > 128:
        return Ending("died", "ProcessDied", f"The task's pod was ended by signal {code - 128}.")
    if "No module named" in message and "nbflow" in message:
        said = f"The image {_image(pod)} has no nbflow."
        fix = "Add `RUN pip install nbflow[kubernetes]` to it, or take one that "
        return Ending("broken", "ImageError", f"{said} {fix}`nbflow export --to image` writes.")
    where = f"exit status {code}" if code is not None else "for a reason unknown"
    said = _tail(message) or "it left no message"
    return Ending("broken", "PodFailed", f"The pod could not run its task ({where}): {said}")


def deleted(pod: Pod, events: Sequence[Mapping[str, Any]] = ()) -> Ending:
    """What it means that a pod is gone that had not ended; by its events, where it says nothing."""
    found = _taken(pod)
    if found is not None:
        return found
    reasons = [str(one.get("reason")) for one in events]
    reason = next((one for one in reversed(reasons) if one in _TAKEN_BY), None)
    return Ending("taken", reason or "PodDeleted", _TAKEN_BY[reason] if reason else "deleted")


def leaving(pod: Pod) -> bool:
    """Whether somebody has deleted the pod."""
    return bool(pod.get("metadata", {}).get("deletionTimestamp"))


def over(job: Mapping[str, Any]) -> bool:
    """Whether a Job makes no more pods: it has ended, or was deleted."""
    conditions = job.get("status", {}).get("conditions") or ()
    ended = (one for one in conditions if one.get("type") in ("Complete", "Failed"))
    return leaving(job) or any(one.get("status") == "True" for one in ended)


def _taken(pod: Pod) -> Ending | None:
    """Whether somebody took the pod away, who and why."""
    status = pod.get("status", {})
    disrupted = _condition(pod, "DisruptionTarget", "True")
    reasons = [str(one.get("reason")) for one in (disrupted, status) if one]
    for reason in reasons:
        if reason in _TAKEN:
            return Ending("taken", reason, _TAKEN[reason])
    message = str(status.get("message") or "")
    if status.get("reason") == "Evicted" and not _OWN_FAULT.search(message):
        return Ending("taken", "Evicted", f"evicted: {_brief(message)}")
    return None


def _condition(pod: Pod, kind: str, value: str | None = None) -> Mapping[str, Any] | None:
    for one in pod.get("status", {}).get("conditions") or ():
        if one.get("type") == kind and value in (None, one.get("status")):
            found: Mapping[str, Any] = one
            return found
    return None


def _container(pod: Pod) -> Mapping[str, Any]:
    found: Sequence[Mapping[str, Any]] = pod.get("status", {}).get("containerStatuses") or ({},)
    return found[0]


def _waiting(pod: Pod) -> tuple[str, str]:
    found = _container(pod).get("state", {}).get("waiting") or {}
    return str(found.get("reason") or ""), str(found.get("message") or "")


def _terminated(pod: Pod) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _container(pod).get("state", {}).get("terminated") or {}
    return found


def _image(pod: Pod) -> str:
    return str(pod.get("spec", {}).get("containers", [{}])[0].get("image", ""))


def _limit(pod: Pod) -> int | None:
    container = pod.get("spec", {}).get("containers", [{}])[0]
    text = container.get("resources", {}).get("limits", {}).get("memory")
    return None if text is None else int(quantity(str(text)))


def quantity(text: str) -> float:
    """The number that a quantity of Kubernetes's stands for: `500m`, `64Mi`, `2G`."""
    found = re.fullmatch(r"([0-9.]+(?:[eE][+-]?\d+)?)([a-zA-Z]*)", text.strip())
    if found is None or found[2] not in _UNITS:
        raise ValueError(f"{text!r} is not a quantity")
    return float(found[1]) * _UNITS[found[2]]


_UNITS = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0} | {
    f"{prefix}{binary}": float((1024 if binary else 1000) ** power)
    for power, prefix in enumerate("kMGTPE", start=1)
    for binary in ("", "i")
}
_UNITS["Ki"] = _UNITS.pop("ki")


def _brief(text: str) -> str:
    """The sentence without what only its writer understands, and not too long."""
    text = re.sub(r"rpc error: code = \w+ desc = ", "", text.strip())
    text = _PULLING.sub("", text)
    text = re.sub(r"\s+", " ", text).rstrip(". ")
    return text if len(text) <= 300 else f"{text[:300]} …"


def _tail(text: str) -> str:
    """The last lines of what a container said."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return "\n".join(lines[-8:])
