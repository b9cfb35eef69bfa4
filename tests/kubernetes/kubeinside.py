"""The inside of a real node: what runs as the first process of its namespaces.

python kubeinside.py FOLDER        # started by kubenode.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from kubedns import NameServer
from kubenode import CGROUP, HOST, NODE, PLUGINS, PODS, command

#: settings of the whole machine that the kubelet insists on: it is shown copies
_KERNEL = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}

_CONTAINERD = """\
version = 2
root = "{folder}/containerd"
state = "{folder}/containerd-state"
[grpc]
  address = "{folder}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{folder}/cni"
"""


def main(folder: Path) -> None:
    """Set the namespaces up, start the node's processes, and reap what they leave."""
    settings = json.loads((folder / "settings.json").read_text())
    _mounts(folder)
    _network(folder)
    _groups(settings["cgroups"])
    processes = {"containerd": _start(folder, "containerd", "containerd", "-c", _written(folder))}
    NameServer(NODE, settings["server"], settings["token"], settings["authority"]).start()
    while not (folder / "images-are-there").exists():
        time.sleep(0.05)
    processes["kubelet"] = _kubelet(folder, settings)
    processes["kube-proxy"] = _proxy(folder, settings)
    names = {process.pid: name for name, process in processes.items()}
    while True:
        number, status = os.wait()
        if number in names:
            print(f"{names[number]} ended with status {status}", flush=True)


def _start(folder: Path, name: str, *words: object) -> subprocess.Popen[bytes]:
    with open(folder / f"{name}.log", "ab") as log:
        return subprocess.Popen([str(w) for w in words], stdout=log, stderr=log, cwd=folder)


def _mounts(folder: Path) -> None:
    command("mount", "--make-rprivate", "/")
    for name, value in _KERNEL.items():
        copy = folder / f"sysctl-{name.replace('/', '_')}"
        copy.write_text(f"{value}\n")
        command("mount", "--bind", copy, f"/proc/sys/{name}")
    # sockets of shims, locks of plugins, volumes: gone with us
    for place in (Path("/run"), Path("/var/lib/kubelet")):
        place.mkdir(parents=True, exist_ok=True)
        command("mount", "-t", "tmpfs", "tmpfs", place)


def _network(folder: Path) -> None:
    # /sys is still the machine's: only netlink knows of our links
    while subprocess.run(["ip", "link", "show", "nbn0"], capture_output=True).returncode:
        time.sleep(0.02)
    command("ip", "link", "set", "lo", "up")
    command("ip", "addr", "add", f"{NODE}/30", "dev", "nbn0")
    command("ip", "link", "set", "nbn0", "up")
    command("ip", "route", "add", "default", "via", HOST)
    for name in (
        "ipv4/ip_forward",
        "bridge/bridge-nf-call-iptables",
        "ipv4/conf/all/route_localnet",
    ):
        path = Path("/proc/sys/net") / name
        if path.exists():
            path.write_text("1")
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": str(folder / "addresses"),
            "ranges": [[{"subnet": PODS}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    (folder / "cni").mkdir()
    text = json.dumps({"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge, ports]})
    (folder / "cni/10-pods.conflist").write_text(text)


def _groups(hierarchies: list[str]) -> None:
    """The kubelet wants its own group to be there in every hierarchy."""
    for hierarchy in map(Path, hierarchies):
        (hierarchy / CGROUP).mkdir(exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):
            if hierarchy.name == "cpuset":
                (hierarchy / CGROUP / name).write_text((hierarchy / name).read_text())


def _written(folder: Path) -> Path:
    path = folder / "containerd.toml"
    path.write_text(_CONTAINERD.format(folder=folder, plugins=PLUGINS))
    return path


def _kubelet(folder: Path, settings: dict[str, Any]) -> subprocess.Popen[bytes]:
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    value = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{CGROUP}",
        "failSwapOn": False,
        "address": NODE,
        "oomScoreAdj": 0,
        "enforceNodeAllocatable": [],
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": False},
            "x509": {"clientCAFile": settings["authority"]},
        },
        "authorization": {"mode": "AlwaysAllow"},
        "clusterDNS": [NODE],
        "clusterDomain": "cluster.local",
        "evictionHard": {
            "memory.available": "1Mi",
            "nodefs.available": "0%",
            "nodefs.inodesFree": "0%",
            "imagefs.available": "0%",
        },
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "resolvConf": str(folder / "resolv.conf"),
        "nodeStatusUpdateFrequency": "1s",
        "syncFrequency": "10s",
        "fileCheckFrequency": "60s",
        "readOnlyPort": 0,
        "healthzPort": 0,
        "containerLogMaxSize": "10Mi",
        "serializeImagePulls": True,
        "kubeAPIQPS": 100,
        "kubeAPIBurst": 200,
        "registryPullQPS": 0,
        "eventRecordQPS": 50,
    }
    (folder / "kubelet.json").write_text(json.dumps(value))
    # a plugin for one cloud's registry otherwise asks that cloud first, for ten seconds
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    socket = folder / "containerd.sock"
    return _start(
        folder,
        "kubelet",
        *(Path(settings["binaries"]) / "kubelet", f"--config={folder}/kubelet.json"),
        *(f"--kubeconfig={settings['kubelet']}", f"--root-dir={folder}/kubelet"),
        *(f"--cert-dir={folder}/kubelet-certificates", "--container-runtime=remote"),
        *(f"--container-runtime-endpoint=unix://{socket}", f"--containerd={socket}"),
        *("--docker=tcp://127.0.0.1:9", f"--hostname-override={settings['node']}"),
        *(f"--node-ip={NODE}", "--v=2"),
    )


def _proxy(folder: Path, settings: dict[str, Any]) -> subprocess.Popen[bytes]:
    return _start(
        folder,
        "kube-proxy",
        *(Path(settings["binaries"]) / "kube-proxy", f"--kubeconfig={settings['proxy']}"),
        *("--proxy-mode=iptables", f"--cluster-cidr={PODS}"),
        f"--hostname-override={settings['node']}",
        *("--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0"),
        *("--conntrack-tcp-timeout-close-wait=0", "--healthz-bind-address="),
        "--metrics-bind-address=127.0.0.1:10249",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
