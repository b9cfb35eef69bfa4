"""A Kubernetes cluster for tests, in the best form that this machine allows.

node      the real kubelet with containers, on a real control plane
process   pods are processes of this machine, on a real control plane
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Literal

import kubenode
from kubecache import binaries, built, cache, locked
from kubeimage import code_image, images
from kubeplane import ControlPlane
from kubeproc import ProcessNode

Tier = Literal["node", "process"]
_PREFIX = "nbflow-kube-"
#: where a cluster that somebody has started by hand says what it is
_RUNNING = "running.json"
#: seconds that a cluster may take to come up, with images that are made first
_LONGEST = 900.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What those who use a cluster need to know."""

    tier: Tier
    kubeconfig: str
    #: the machine, as pods reach it
    host: str
    #: the socket that takes images; none where nodes are processes
    containerd: str | None
    #: the process that runs it
    pid: int

    def image(self) -> str:
        """The task image with nbflow as it stands in the checkout."""
        return code_image(Path(self.containerd)) if self.containerd else ProcessNode.image


def lacking(tier: Tier) -> str | None:
    """Why this form cannot run here, in a few words; None where it can."""
    if not sys.platform.startswith("linux"):
        return "not Linux"
    absent = [name for name in ("etcd", "openssl", "unshare", "setpriv") if not shutil.which(name)]
    if absent:
        return f"not installed: {', '.join(absent)}"
    if not built():
        return "the Kubernetes binaries are not built: `make kube`"
    return kubenode.lacking() if tier == "node" else None


class Running:
    """A cluster in this process, from entering to leaving."""

    def __init__(self, tier: Tier, grace: int = 600) -> None:
        self._tier, self._grace = tier, grace

    def __enter__(self) -> Running:
        """Start it; returns when it takes pods."""
        self._stack = contextlib.ExitStack()
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End all of it."""
        self._stack.close()

    def _start(self) -> None:
        stack = self._stack
        real = self._tier == "node"
        if real:
            archives = images()
            if not stack.enter_context(locked("node", wait=False)):
                raise RuntimeError(f"A real node runs on this machine already: {_who()}")
            stack.callback(kubenode.close_link)
            kubenode.open_link()
        self.folder = stack.enter_context(_folder())
        # the database of a cluster that is thrown away need not reach a disk
        memory = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else self.folder
        control = stack.enter_context(_folder(memory)) if memory != self.folder else memory
        listen = kubenode.HOST if real else "127.0.0.1"
        self.plane = ControlPlane(binaries(), control / "control", listen, self._grace)
        stack.callback(self.plane.stop)
        self.plane.start()
        containerd = None
        if real:
            node = kubenode.RealNode(self.plane, self.folder / "node")
            stack.callback(node.stop)
            node.start(archives)
            containerd = str(node.containerd)
        else:
            self.node = ProcessNode(self.plane, self.folder / "node")
            stack.callback(self.node.stop)
            self.node.start()
        config = str(self.plane.kubeconfig())
        self.facts = Facts(self._tier, config, listen, containerd, os.getpid())


@contextmanager
def _folder(parent: Path | None = None) -> Iterator[Path]:
    """A folder for as long as this process lives; sweeps up those of processes that died."""
    place = parent or Path(tempfile.gettempdir())
    for left in place.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), open(left / "lock", "a") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
    with open(folder / "lock", "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def running_by_hand() -> Facts | None:
    """The cluster that somebody on this machine has started by hand."""
    try:
        facts = Facts(**json.loads((cache() / _RUNNING).read_text()))
        os.kill(facts.pid, 0)
    except (OSError, ValueError, TypeError):
        return None
    return facts


@contextmanager
def announced(facts: Facts) -> Iterator[None]:
    """Let others on this machine use it."""
    path = cache() / _RUNNING
    path.write_text(json.dumps(asdict(facts)))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _who() -> str:
    facts = running_by_hand()
    return f"process {facts.pid}, started by hand" if facts else "tests of somebody else"


class Child:
    """A cluster in a process of its own that ends when this one does, however it ends."""

    def __init__(self, tier: Tier, *options: str) -> None:
        script = Path(__file__).with_name("kube_up.py")
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, str(script), "--serve", "--tier", tier, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            start_new_session=True,
        )
        started = time.monotonic()
        hung = threading.Timer(_LONGEST, self._process.kill)
        hung.start()
        line = self._out.readline()
        hung.cancel()
        if not line:
            self._process.wait()
            self._log.seek(0)
            raise RuntimeError(f"No cluster: {self._log.read().decode(errors='replace')[-3000:]}")
        self.seconds = time.monotonic() - started
        self.facts = Facts(**json.loads(line))

    def do(self, *words: str) -> None:
        """Have it done to the cluster: `restart NAME SECONDS`, `silence` (the node falls silent)."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(words) + "\n")
        self._process.stdin.flush()
        answer = self._out.readline().strip()
        if answer != "done":
            raise RuntimeError(f"{' '.join(words)}: {answer}")

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._out.close()
        self._log.close()

    @property
    def _out(self) -> IO[str]:
        assert self._process.stdout is not None
        return self._process.stdout
