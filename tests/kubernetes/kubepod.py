"""A pod of the stand-in node: its containers as processes, its volumes in a mount namespace."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kubeproc
from kubevolumes import FAILURES, environment, expand, make_volumes

if TYPE_CHECKING:
    from kubeproc import ProcessNode

ROOT = Path(__file__).parents[2]
#: a root like this machine's, with empty places for the pod's own files and its volumes
_SETUP = Path(__file__).with_name("procroot.sh")


class ProcessPod:
    """One pod, from when it was bound to the node until its processes have ended."""

    def __init__(self, node: ProcessNode, raw: dict[str, Any]) -> None:
        about = raw["metadata"]
        self.node, self.raw, self.spec = node, raw, raw["spec"]
        self.namespace, self.name, self.uid = about["namespace"], about["name"], about["uid"]
        self.folder = node.folder / self.uid
        self.folder.mkdir()
        #: containers that will not run again
        self.done: set[str] = set()
        self.silent = False
        self._dead = threading.Event()
        self._lock = threading.Lock()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._started = kubeproc.now()
        number = int(self.uid.replace("-", "")[:6], 16)
        self.address = f"127.{1 + number % 250}.{number // 250 % 250}.{1 + number // 62500 % 250}"
        self._first = self.spec.get("initContainers", [])
        self._main = self.spec["containers"]
        reason = "PodInitializing" if self._first else "ContainerCreating"
        waiting = {"waiting": {"reason": reason}}
        self._states = {c["name"]: self._state(c, waiting) for c in self._first + self._main}

    def log(self, container: str, previous: bool = False) -> Path | None:
        """The file with a container's output, or that of its start before."""
        files = list(self.folder.glob(f"log-{container}-*"))
        files.sort(key=lambda path: int(path.name.rpartition("-")[2]))
        back = 2 if previous else 1
        return files[-back] if len(files) >= back else None

    def kill(self, grace: float) -> None:
        """End its processes; at once where there is no grace."""
        self._dead.set()
        for process in list(self._processes.values()):
            _signal(process, signal.SIGTERM if grace else signal.SIGKILL)
        end = time.monotonic() + (grace or 0)
        for process in list(self._processes.values()):
            try:
                process.wait(max(0.01, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL)
                process.wait()

    def start(self) -> None:
        """Begin to run it."""
        threading.Thread(target=self._run_all, daemon=True).start()

    def _run_all(self) -> None:
        """Run the containers, first the initial ones, and say how the pod ended."""
        try:
            self._volumes = make_volumes(self)
        except FAILURES as error:
            self.node.say(self.name, error)
            self._report("Pending")
            return
        again = self.spec.get("restartPolicy", "Always") != "Never"
        for container in self._first:
            count = 0
            while status := self._run(container, count):
                if not again or self._dead.wait(1):
                    break
                count += 1
            self.done.add(container["name"])
            if status is None or self._dead.is_set():
                return
            if status:
                self._report("Failed")
                return
        threads = [threading.Thread(target=self._keep, args=(c,), daemon=True) for c in self._main]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ends = [self._states[c["name"]]["state"].get("terminated", {}) for c in self._main]
        statuses = [end.get("exitCode") for end in ends]
        if None not in statuses or not self._dead.is_set():
            self._report("Failed" if any(statuses) else "Succeeded")

    def _keep(self, container: dict[str, Any]) -> None:
        policy, count = self.spec.get("restartPolicy", "Always"), 0
        while True:
            status = self._run(container, count)
            over = policy == "Never" or (policy == "OnFailure" and status == 0)
            if status is None or self._dead.is_set() or over:
                break
            self._report("Running")
            count += 1
            if self._dead.wait(min(2**count, 30)):
                break
        self.done.add(container["name"])

    def _run(self, container: dict[str, Any], count: int) -> int | None:
        """Run it once: its exit status; None where it never starts."""
        name = container["name"]
        if container["image"] != self.node.image:
            why = f'Back-off pulling image "{container["image"]}"'
            return self._waits(container, count, "ImagePullBackOff", why)
        try:
            variables = environment(self, container)
            words = [*container.get("command", ()), *container.get("args", ())]
            command = [expand(word, variables) for word in words]
            binds = self._binds(container, variables)
        except FAILURES as error:
            return self._waits(container, count, "CreateContainerConfigError", str(error)[:300])
        if not command:
            return self._waits(container, count, "CreateContainerError", "no command specified")
        root = self.folder / f"root-{name}-{count}"
        root.mkdir()
        spaces = ["unshare", "--mount", *(["--user", "--map-root-user"] if os.getuid() else [])]
        place = container.get("workingDir") or "/"
        setup = ["bash", str(_SETUP), str(root), *_kept(), *binds, "--", place]
        started = kubeproc.now()
        with open(self.folder / f"log-{name}-{count}", "wb") as log:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *spaces, *setup, *command],
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes[name] = process
        running = {"running": {"startedAt": started}}
        self._states[name] = self._state(container, running, count)
        self._report("Pending" if container in self._first else "Running")
        status = process.wait()
        _signal(process, signal.SIGKILL)
        status = status if status >= 0 else 128 - status
        end = {
            "exitCode": status,
            "reason": "Error" if status else "Completed",
            "startedAt": started,
            "finishedAt": kubeproc.now(),
            "containerID": f"process://{self.uid}/{name}/{count}",
        }
        path = self.log(name)
        if status and container.get("terminationMessagePolicy") == "FallbackToLogsOnError" and path:
            end["message"] = path.read_text(errors="replace")[-2048:]
        self._states[name] = self._state(container, {"terminated": end}, count)
        return status

    def _waits(self, container: dict[str, Any], count: int, reason: str, why: str) -> None:
        waiting = {"waiting": {"reason": reason, "message": why}}
        self._states[container["name"]] = self._state(container, waiting, count)
        self._report("Running" if count else "Pending")
        self._dead.wait()

    def _binds(self, container: dict[str, Any], variables: dict[str, str]) -> list[str]:
        binds = []
        for mount in container.get("volumeMounts", []):
            inner = mount.get("subPath") or mount.get("subPathExpr") or "."
            source = self._volumes[mount["name"]] / expand(inner, variables)
            if inner != "." and not source.exists():
                source.mkdir(parents=True)
            mode = "ro" if mount.get("readOnly") else "rw"
            binds += [str(source), mount["mountPath"].rstrip("/"), mode]
        return binds

    def _state(
        self, container: dict[str, Any], state: dict[str, Any], count: int = 0
    ) -> dict[str, Any]:
        name = container["name"]
        return {
            "name": name,
            "image": container["image"],
            "imageID": "local",
            "restartCount": count,
            "ready": "running" in state,
            "started": "running" in state,
            "state": state,
            "containerID": "" if "waiting" in state else f"process://{self.uid}/{name}/{count}",
        }

    def _report(self, phase: str) -> None:
        if self.silent:
            return
        main = [self._states[container["name"]] for container in self._main]
        first = [self._states[container["name"]] for container in self._first]
        ready = phase == "Running" and all(state["ready"] for state in main)
        conditions = []
        initialized = all("terminated" in state["state"] for state in first)
        for kind, true in (
            ("Initialized", initialized),
            ("Ready", ready),
            ("ContainersReady", ready),
        ):
            condition = {"type": kind, "status": str(true), "lastTransitionTime": kubeproc.now()}
            if not true:
                over = phase == "Succeeded"
                condition["reason"] = "PodCompleted" if over else "ContainersNotReady"
            conditions.append(condition)
        status: dict[str, Any] = {
            "phase": phase,
            "conditions": conditions,
            "containerStatuses": main,
            "hostIP": "127.0.0.1",
            "podIP": self.address,
            "podIPs": [{"ip": self.address}],
            "startTime": self._started,
        }
        if first:
            status["initContainerStatuses"] = first
        body = {"metadata": {"uid": self.uid}, "status": status}
        for _ in range(20):
            try:
                with self._lock:
                    self.node.core.patch_namespaced_pod_status(self.name, self.namespace, body)
            except Exception as error:
                if getattr(error, "status", None) in (404, 409):
                    return
                self.node.say("status:", repr(error)[:200])
                if self.silent or self.node.ended.wait(0.5):  # the API server may be away
                    return
            else:
                return


def _kept() -> list[str]:
    """What a pod needs of the places that are its own: the code, and the Python that runs it."""
    own = re.compile(r"/(run|tmp|mnt|srv|var/tmp)/")
    needed = {str(Path(place).resolve()) for place in (ROOT, sys.prefix, sys.base_prefix)}
    return [word for place in sorted(needed) if own.match(place) for word in (place, place, "ro")]


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
