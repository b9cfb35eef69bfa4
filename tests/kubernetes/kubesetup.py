"""Set a machine up for the cluster tests: Debian's packages, and Kubernetes built from source.

    python kubesetup.py             # both, and wait for them
    python kubesetup.py --early     # the packages now, the build beside what follows

Says why, and does nothing, where it can't be done: those tests are skipped then.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from kubecache import build, built, cache

#: for the control plane, and for a real node
_RUN = {
    "catatonit": "catatonit",
    "containerd": "containerd",
    "etcd": "etcd-server",
    "ip": "iproute2",
    "iptables": "iptables",
    "mmdebstrap": "mmdebstrap",
    "openssl": "openssl",
    "runc": "runc",
}
_BUILD = {
    "dpkg-source": "dpkg-dev",
    "go": "golang-go",
    "patch": "patch",
    "xz": "xz-utils",
}
_MORE = ("containernetworking-plugins", "golang-github-modern-go-reflect2-dev")


def main() -> None:
    """Do it."""
    reason = _hindrance()
    if reason is not None:
        print(f"Kubernetes is not set up: {reason}; the tests of clusters are skipped")
        return
    _install()
    if built():
        return
    print(f"Building Kubernetes (once a machine, about five minutes); log: {_log()}", flush=True)
    if "--early" not in sys.argv:
        build()
        return
    with open(_log(), "w") as log:
        command = ["nice", "-n", "5", sys.executable, str(Path(__file__).with_name("kubecache.py"))]
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def _log() -> Path:
    cache().mkdir(parents=True, exist_ok=True)
    return cache() / "build.log"


def _hindrance() -> str | None:
    """Why nothing can be set up here; None where it can, or need not be."""
    if built() and not _absent(_RUN):
        return None
    if shutil.which("apt-get") is None:
        return "this is not Debian"
    if os.getuid():
        return "that takes root"
    if Path("/run/systemd/system").is_dir() and _absent(_RUN):
        names = " ".join(sorted({*_RUN.values(), _MORE[0]}))
        return f"packages with services are installed by hand here: apt-get install {names}"
    return None


def _absent(commands: dict[str, str]) -> list[str]:
    path = os.environ["PATH"] + ":/usr/local/sbin:/usr/sbin:/sbin"
    return [package for name, package in commands.items() if not shutil.which(name, path=path)]


def _install() -> None:
    names = [*_absent(_RUN), *([] if built() else _absent(_BUILD))]
    if not Path("/usr/lib/cni/bridge").exists():
        names.append(_MORE[0])
    if not built() and not Path("/usr/share/gocode/src/github.com/modern-go/reflect2").is_dir():
        names.append(_MORE[1])
    if not names:
        return
    print(f"Installing {', '.join(names)}", flush=True)
    quiet = {"env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, "check": True}
    # a mirror that does not answer is no reason to wait for ever
    apt = ["timeout", "--kill-after=10", "600", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    subprocess.run([*apt, "update"], **quiet)
    command = [*apt, "install", "-y", "--no-install-recommends", *names]
    subprocess.run(command, stdout=subprocess.DEVNULL, **quiet)


if __name__ == "__main__":
    main()
