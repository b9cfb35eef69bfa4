"""A real Kubernetes control plane as child processes: etcd, API server, controllers, scheduler.

Needs neither root nor containers: the binaries of `build_kube.sh`, Debian's etcd, and openssl.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

NODE_NAME = "test-node"
SERVICES = "10.96.0.0/16"
_GATES = "--feature-gates=TTLAfterFinished=true"
_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
_EXTENSIONS = """\
basicConstraints=CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth,clientAuth
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid,issuer
subjectAltName="""

#: what kills a process when the one that started it goes, however it goes
BOUND = ("setpriv", "--pdeathsig", "KILL", "--")


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


class ControlPlane:
    """The control plane in a folder of its own, until `stop`.

    ``listen`` is the address at which nodes reach it, the loopback where they are processes here;
    ``grace`` how many seconds a node may be silent before its pods are given up.
    """

    def __init__(self, binaries: Path, folder: Path, listen: str = "127.0.0.1", grace: int = 600):
        self.binaries, self.folder, self.listen, self.grace = binaries, folder, listen, grace
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        names = ("admin", "controllers", "scheduler", "node", "proxy")
        self.tokens = {name: secrets.token_hex(16) for name in names}
        self._commands: dict[str, list[str]] = {}

    def start(self) -> None:
        """Start all of it; returns when pods can be made."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._certificates()
        self._tokens()
        etcd, peer, self.port = free_ports(3)
        self.url = f"https://127.0.0.1:{self.port}"
        self._etcd(etcd, peer)
        self._api_server(etcd)
        d = self.folder
        self.spawn(
            "kube-controller-manager",
            self.binaries / "kube-controller-manager",
            f"--kubeconfig={self.kubeconfig('controllers')}",
            *("--leader-elect=false", "--port=0", "--secure-port=0", "--profiling=false"),
            f"--service-account-private-key-file={d}/sa.key",
            f"--root-ca-file={d}/ca.crt",
            *("--kube-api-qps=200", "--kube-api-burst=400", _GATES),
            *(f"--node-monitor-grace-period={self.grace}s", "--node-monitor-period=1s"),
        )
        self.spawn(
            "kube-scheduler",
            self.binaries / "kube-scheduler",
            f"--kubeconfig={self.kubeconfig('scheduler')}",
            *("--leader-elect=false", "--port=0", "--secure-port=0", "--profiling=false"),
        )
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        self.until("the default service account", lambda: self.get(account).get("secrets"))

    def stop(self) -> None:
        """End it; nothing of it is kept, so nothing is drained."""
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def restart(self, name: str, pause: float = 0.0) -> None:
        """Kill one of the processes, and start it again some seconds later."""
        self.processes[name].kill()
        self.processes[name].wait()
        time.sleep(pause)
        self.spawn(name, *self._commands[name])
        if name == "kube-apiserver":
            self.until("the API server", lambda: self.get("/readyz") == "ok")

    def spawn(self, name: str, *command: object, **environment: str) -> None:
        """Start a process that ends with this one, its output in a file."""
        self._commands[name] = [str(word) for word in command]
        with open(self.folder / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(
                [*BOUND, *self._commands[name]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
                env=os.environ | environment,
            )

    def get(self, path: str) -> Any:
        """What the API server answers: parsed where it is JSON."""
        context = ssl.create_default_context(cafile=str(self.folder / "ca.crt"))
        headers = {"Authorization": f"Bearer {self.tokens['admin']}"}
        request = urllib.request.Request(self.url + path, headers=headers)
        with urllib.request.urlopen(request, context=context, timeout=5) as answer:
            text = answer.read().decode()
        return json.loads(text) if text.startswith("{") else text

    def until(self, what: str, true: Callable[[], Any], timeout: float = 60.0) -> None:
        """Wait until it holds; an error where a process ends instead."""
        end = time.monotonic() + timeout
        last: Exception | None = None
        while time.monotonic() < end:
            for name, process in self.processes.items():
                if process.poll() is not None:
                    log = (self.folder / f"{name}.log").read_text()[-3000:]
                    raise RuntimeError(f"{name} ended with status {process.returncode}:\n{log}")
            try:
                if true():
                    return
            except OSError as error:  # not up yet
                last = error
            time.sleep(0.05)
        raise TimeoutError(f"{what}: {last!r}")

    def kubeconfig(self, who: str = "admin", server: str | None = None) -> Path:
        """A configuration file for one of the identities."""
        cluster = {
            "server": server or self.url,
            "certificate-authority": str(self.folder / "ca.crt"),
        }
        path = self.folder / f"{who}.kubeconfig"
        value = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": who, "user": {"token": self.tokens[who]}}],
            "contexts": [
                {
                    "name": "test",
                    "context": {"cluster": "test", "user": who, "namespace": "default"},
                }
            ],
        }
        path.write_text(json.dumps(value))
        return path

    def _tokens(self) -> None:
        lines = [
            f'{self.tokens["admin"]},admin,admin,"system:masters"',
            f'{self.tokens["controllers"]},system:kube-controller-manager,kcm,"system:masters"',
            f"{self.tokens['scheduler']},system:kube-scheduler,scheduler",
            f"{self.tokens['proxy']},system:kube-proxy,proxy",
            f'{self.tokens["node"]},system:node:{NODE_NAME},node,"system:nodes"',
        ]
        path = self.folder / "tokens.csv"
        path.touch(mode=0o600)
        path.write_text("\n".join(lines) + "\n")

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    def _certificates(self) -> None:
        usage = "keyUsage=critical,digitalSignature,keyCertSign,cRLSign"
        own = ("-keyout", "ca.key", "-out", "ca.crt", "-days", "30", "-subj", "/CN=nbflow-tests")
        self._openssl("req", "-x509", *_CURVE, *own, "-addext", usage)
        service = "kubernetes.default.svc.cluster.local".split(".")
        names = [".".join(service[:n]) for n in (1, 2, 3, 5)] + ["localhost", NODE_NAME]
        addresses = {"127.0.0.1", SERVICES.rsplit(".", 1)[0] + ".1", self.listen}
        alternatives = [f"DNS:{name}" for name in names] + [f"IP:{one}" for one in addresses]
        (self.folder / "extensions").write_text(_EXTENSIONS + ",".join(alternatives) + "\n")
        self._signed("api", "/CN=kube-apiserver")
        # who the API server is towards kubelets
        self._signed("client", "/O=system:masters/CN=kube-apiserver-kubelet-client")
        self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "sa.key")
        self._openssl("ec", "-in", "sa.key", "-pubout", "-out", "sa.pub")

    def _signed(self, name: str, subject: str) -> None:
        files = ("-keyout", f"{name}.key", "-out", f"{name}.csr")
        self._openssl("req", *_CURVE, *files, "-subj", subject)
        authority = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30")
        files = ("-in", f"{name}.csr", "-out", f"{name}.crt", "-extfile", "extensions")
        self._openssl("x509", "-req", *authority, *files)

    def _etcd(self, port: int, peer: int) -> None:
        here, other = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer}"
        self.spawn(
            "etcd",
            *(shutil.which("etcd") or "etcd", "--name=test", f"--data-dir={self.folder}/etcd"),
            *(f"--listen-client-urls={here}", f"--advertise-client-urls={here}"),
            *(f"--listen-peer-urls={other}", f"--initial-advertise-peer-urls={other}"),
            *(f"--initial-cluster=test={other}", "--log-level=error"),
            ETCD_UNSUPPORTED_ARCH="arm64",  # Debian's refuses arm64 without it; else unread
        )

        def healthy() -> bool:
            with urllib.request.urlopen(f"{here}/health", timeout=2) as answer:
                return b"true" in answer.read()

        self.until("etcd", healthy)

    def _api_server(self, etcd: int) -> None:
        d = self.folder
        local = self.listen == "127.0.0.1"
        self.spawn(
            "kube-apiserver",
            *(self.binaries / "kube-apiserver", f"--etcd-servers=http://127.0.0.1:{etcd}"),
            *("--insecure-port=0", f"--secure-port={self.port}"),
            f"--bind-address={'127.0.0.1' if local else '0.0.0.0'}",
            "--endpoint-reconciler-type=none" if local else f"--advertise-address={self.listen}",
            *(f"--tls-cert-file={d}/api.crt", f"--tls-private-key-file={d}/api.key"),
            f"--client-ca-file={d}/ca.crt",
            f"--kubelet-client-certificate={d}/client.crt",
            f"--kubelet-client-key={d}/client.key",
            "--kubelet-preferred-address-types=InternalIP",
            *(f"--token-auth-file={d}/tokens.csv", "--authorization-mode=Node,RBAC"),
            *("--anonymous-auth=false", "--enable-admission-plugins=NodeRestriction"),
            *("--allow-privileged=true", f"--service-cluster-ip-range={SERVICES}"),
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-signing-key-file={d}/sa.key",
            f"--service-account-key-file={d}/sa.pub",
            *(_GATES, f"--cert-dir={d}", "--profiling=false"),
            # how many seconds pods stay bound to a node that was found silent
            f"--default-unreachable-toleration-seconds={0 if self.grace < 60 else 300}",
        )
        self.until("the API server", lambda: self.get("/readyz") == "ok")
