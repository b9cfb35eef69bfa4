"""A real node: kubelet, kube-proxy, containerd and runc, in namespaces of their own.

The machine's own mounts, iptables and kernel settings stay as they were, and one kill ends every
container. The machine reaches pods and Services by two routes over a veth pair:

    machine                          node
    nbh0 10.99.0.1  <--- veth --->   nbn0 10.99.0.2 --- cni0 10.244.0.1/24 --- pods
    kube-apiserver                   kubelet, kube-proxy, containerd, DNS
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kubeplane import BOUND, NODE_NAME, SERVICES, ControlPlane

HOST, NODE, PODS = "10.99.0.1", "10.99.0.2", "10.244.0.0/24"
CGROUP = "nbflow-tests"
PLUGINS = Path("/usr/lib/cni")
_COMMANDS = (
    *("containerd", "containerd-shim-runc-v2", "ctr", "runc", "ip", "iptables"),
    *("catatonit", "mmdebstrap", "unshare", "setpriv"),
)


def lacking() -> str | None:
    """Why a real node cannot run here, in a few words; None where it can."""
    if os.getuid():
        return "not root"
    absent = [name for name in _COMMANDS if shutil.which(name, path=search_path()) is None]
    if not (PLUGINS / "bridge").exists():
        absent.append("containernetworking-plugins")
    if absent:
        return f"not installed: {', '.join(absent)}"
    if sys.version_info[:2] != (3, 11):
        return "the image has Python 3.11, and the tests run with another"
    try:
        for hierarchy in _hierarchies():
            (hierarchy / CGROUP).mkdir(exist_ok=True)
    except OSError as error:
        return f"control groups cannot be made: {error.strerror}"
    probe = [*BOUND, "unshare", "--mount", "--net", "--pid", "--fork", "mount", "--make-rprivate"]
    done = subprocess.run([*probe, "/"], capture_output=True, text=True, check=False)
    return f"no namespaces: {done.stderr.strip()}" if done.returncode else None


def search_path() -> str:
    """PATH with the folders of system commands, which not every shell has."""
    return os.environ["PATH"] + ":/usr/local/sbin:/usr/sbin:/sbin"


def command(*words: object) -> str:
    """Run a system command; an error with what it said where it fails."""
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PATH": search_path()},
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, words))}: {done.stderr.strip()}")
    return done.stdout


def _hierarchies() -> list[Path]:
    """The roots of the control groups: one for each controller, or one for all."""
    top = Path("/sys/fs/cgroup")
    if (top / "cgroup.controllers").exists():
        return [top]
    return [one for one in top.iterdir() if one.name != "unified" and (one / "tasks").exists()]


def open_link() -> None:
    """Make the machine's end of the link: before the API server, which is reached there."""
    close_link()
    command("ip", "link", "add", "nbh0", "type", "veth", "peer", "name", "nbn0")
    command("ip", "addr", "add", f"{HOST}/30", "dev", "nbh0")
    command("ip", "link", "set", "nbh0", "up")


def close_link() -> None:
    """Take it away, and the routes with it."""
    subprocess.run(["ip", "link", "del", "nbh0"], capture_output=True, check=False)


class RealNode:
    """The node in a folder of its own, until `stop`."""

    def __init__(self, plane: ControlPlane, folder: Path) -> None:
        self._plane, self._folder = plane, folder

    @property
    def containerd(self) -> Path:
        """The socket of containerd, which takes images."""
        return self._folder / "containerd.sock"

    def start(self, images: Sequence[Path]) -> None:
        """Start it with these images; returns when it takes pods."""
        folder, plane = self._folder, self._plane
        folder.mkdir(parents=True, exist_ok=True)
        server = f"https://{HOST}:{plane.port}"
        settings: dict[str, Any] = {
            "folder": str(folder),
            "binaries": str(plane.binaries),
            "node": NODE_NAME,
            "authority": str(plane.folder / "ca.crt"),
            "kubelet": str(plane.kubeconfig("node", server)),
            "proxy": str(plane.kubeconfig("proxy", server)),
            "server": server,
            "token": plane.tokens["admin"],
            "cgroups": [str(one) for one in _hierarchies()],
            "services": SERVICES,
        }
        (folder / "settings.json").write_text(json.dumps(settings))
        (folder / "settings.json").chmod(0o600)
        inside = Path(__file__).with_name("kubeinside.py")
        spaces = ("--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
        with open(folder / "node.log", "ab") as log:
            self._process = subprocess.Popen(
                [*BOUND, "unshare", *spaces, sys.executable, str(inside), str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | {"PATH": search_path()},
            )
        self._until("namespaces of its own", lambda: self._first() is not None, 10)
        command("ip", "link", "set", "nbn0", "netns", self._first())
        for network in (PODS, SERVICES):
            command("ip", "route", "replace", network, "via", NODE, "dev", "nbh0")
        self._until("containerd", self._answers, 30)
        for image in images:
            load_image(self.containerd, image)
        (folder / "images-are-there").touch()
        self._until("a node that is ready", self._ready, 90)

    def stop(self) -> None:
        """End it and all that runs on it."""
        self._process.kill()  # the first process of its namespace dies, and with it all others
        self._process.wait()
        for hierarchy in {*_hierarchies(), Path("/sys/fs/cgroup/unified")}:
            groups = sorted((hierarchy / CGROUP).rglob("*/"), reverse=True)
            for group in [*groups, hierarchy / CGROUP]:
                _remove_group(group)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _first(self) -> int | None:
        """The process number of the namespace's first process, once it is there."""
        path = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        children = path.read_text().split()
        if not children:
            return None
        try:
            same = os.readlink(f"/proc/{children[0]}/ns/net") == os.readlink("/proc/self/ns/net")
        except OSError:
            return None
        return None if same else int(children[0])

    def _answers(self) -> bool:
        return self.containerd.exists() and bool(command("ctr", "-a", self.containerd, "version"))

    def _ready(self) -> bool:
        node = self._plane.get(f"/api/v1/nodes/{NODE_NAME}")
        ready = {"type": "Ready", "status": "True"}.items()
        return not node["spec"].get("taints") and any(
            ready <= condition.items() for condition in node["status"]["conditions"]
        )

    def _until(self, what: str, true: Callable[[], bool], timeout: float) -> None:
        end = time.monotonic() + timeout
        last: Exception | None = None
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise RuntimeError(f"The node ended:\n{(self._folder / 'node.log').read_text()}")
            try:
                if true():
                    return
            except (OSError, RuntimeError) as error:  # not yet
                last = error
            time.sleep(0.05)
        raise TimeoutError(f"{what}: {last!r}")


def _remove_group(group: Path) -> None:
    for _ in range(50):
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:  # its last process is still on its way out
            time.sleep(0.02)
        else:
            return


def load_image(containerd: Path, archive: Path) -> None:
    """Give the node an image."""
    command("ctr", "-a", containerd, "-n", "k8s.io", "images", "import", archive)


def image_names(containerd: Path) -> list[str]:
    """The images that the node has."""
    return command("ctr", "-a", containerd, "-n", "k8s.io", "images", "ls", "-q").split()
