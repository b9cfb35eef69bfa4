"""A stand-in node: runs the pods bound to it as processes of this machine.

For machines where the kubelet and containers cannot run. Real are the API server, the scheduler, the
controllers, authorization, and the way of the logs (client, API server, node over HTTPS). Not real:
images (one name is known, and means this machine's own files), limits, the pods' network, exec.
"""

from __future__ import annotations

import datetime
import http.server
import os
import shutil
import ssl
import sys
import threading
import time
import urllib.parse
from pathlib import Path
from typing import Any

from kubeplane import NODE_NAME, ControlPlane
from kubepod import ProcessPod

_INFO = (
    *("machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion"),
    *("kubeletVersion", "kubeProxyVersion", "operatingSystem", "architecture"),
)


def now() -> str:
    """The time as Kubernetes writes it."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class ProcessNode:
    """The node in a folder of its own, until `stop`."""

    #: the one image that it knows
    image = "localhost/nbflow:process"

    def __init__(self, plane: ControlPlane, folder: Path) -> None:
        self.plane, self.folder = plane, folder
        self.pods: dict[str, ProcessPod] = {}
        self.ended = threading.Event()
        self._silent = threading.Event()

    def start(self) -> None:
        """Register the node; returns when it takes pods."""
        from kubernetes import client, config

        self.folder.mkdir(parents=True, exist_ok=True)
        api = config.new_client_from_config(str(self.plane.kubeconfig("node")))
        self.core = client.CoreV1Api(api)
        self._serve()
        # the pods of a silent node are given up only where another one is well
        admin = config.new_client_from_config(str(self.plane.kubeconfig()))
        self._nodes = {NODE_NAME: self.core, "other-node": client.CoreV1Api(admin)}
        for name, core in self._nodes.items():
            labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}
            spec = {"unschedulable": name != NODE_NAME}
            core.create_node({"metadata": {"name": name, "labels": labels}, "spec": spec})
        self._beat()
        threading.Thread(target=self._beats, daemon=True).start()
        threading.Thread(target=self._follow, daemon=True).start()
        # the controllers take away the mark that it is not ready
        self.plane.until(
            "a node that is ready", lambda: not self.core.read_node(NODE_NAME).spec.taints
        )

    def stop(self) -> None:
        """End all pods and the node."""
        self.ended.set()
        if hasattr(self, "_server"):
            self._server.shutdown()
        for pod in list(self.pods.values()):
            pod.kill(0)
        shutil.rmtree(self.folder, ignore_errors=True)

    def fall_silent(self) -> None:
        """As if the machine had lost power: no sign of life, and its processes are gone."""
        self._silent.set()
        for pod in list(self.pods.values()):
            pod.silent = True
            pod.kill(0)

    def say(self, *what: object) -> None:
        """Leave a note for whoever looks into what went wrong."""
        if not (self.ended.is_set() or self._silent.is_set()):
            print(*what, file=sys.stderr, flush=True)

    def _beats(self) -> None:
        while not self.ended.wait(2 if self.plane.grace < 60 else 20):
            try:
                self._beat()
            except Exception as error:
                self.say("sign of life:", error)

    def _beat(self) -> None:
        room = {"cpu": str(os.cpu_count()), "memory": "16Gi", "pods": "110"}
        room["ephemeral-storage"] = "50Gi"
        conditions = [
            {"type": kind, "status": status, "reason": reason, "lastHeartbeatTime": now()}
            for kind, status, reason in (
                ("Ready", "True", "KubeletReady"),
                ("MemoryPressure", "False", "KubeletHasSufficientMemory"),
                ("DiskPressure", "False", "KubeletHasNoDiskPressure"),
                ("PIDPressure", "False", "KubeletHasSufficientPID"),
            )
        ]
        for name, core in self._nodes.items():
            if name == NODE_NAME and self._silent.is_set():
                continue
            addresses = [
                {"type": "InternalIP", "address": "127.0.0.1"},
                {"type": "Hostname", "address": name},
            ]
            status = {
                "capacity": room,
                "allocatable": room,
                "conditions": conditions,
                "addresses": addresses,
                "nodeInfo": dict.fromkeys(_INFO, "test"),
                "daemonEndpoints": {"kubeletEndpoint": {"Port": self._port}},
            }
            core.patch_node_status(name, {"status": status})

    def _follow(self) -> None:
        """Start pods as they are bound to this node, and end those that are deleted."""
        from kubernetes import watch

        mine = {"field_selector": f"spec.nodeName={NODE_NAME}", "timeout_seconds": 300}
        while not (self.ended.is_set() or self._silent.is_set()):
            try:
                for event in watch.Watch().stream(self.core.list_pod_for_all_namespaces, **mine):
                    if self._silent.is_set():
                        return
                    self._take(event["type"], event["raw_object"])
            except Exception as error:
                self.say("watch:", repr(error)[:200])
                time.sleep(0.2)

    def _take(self, kind: str, raw: dict[str, Any]) -> None:
        uid = raw["metadata"]["uid"]
        pod = self.pods.get(uid)
        if kind == "DELETED":
            if pod is not None:
                del self.pods[uid]
                pod.kill(0)
            return
        leaving = bool(raw["metadata"].get("deletionTimestamp"))
        over = raw.get("status", {}).get("phase") in ("Succeeded", "Failed")
        if pod is None and not leaving and not over:
            pod = self.pods[uid] = ProcessPod(self, raw)
            pod.start()
        if leaving:
            threading.Thread(target=self._delete, args=(raw, pod), daemon=True).start()

    def _delete(self, raw: dict[str, Any], pod: ProcessPod | None) -> None:
        from kubernetes import client

        about = raw["metadata"]
        if pod is not None:
            pod.kill(about.get("deletionGracePeriodSeconds", 30))
        only = client.V1Preconditions(uid=about["uid"])
        body = client.V1DeleteOptions(preconditions=only, grace_period_seconds=0)
        try:
            self.core.delete_namespaced_pod(about["name"], about["namespace"], body=body)
        except client.ApiException as error:
            if error.status not in (404, 409):
                self.say("delete:", error.status, error.body)

    def _serve(self) -> None:
        """Serve logs, as a kubelet does; to the API server only."""
        node = self

        class Handler(_Logs):
            pods = node.pods

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        keys = self.plane.folder
        context.load_cert_chain(keys / "api.crt", keys / "api.key")
        context.load_verify_locations(keys / "ca.crt")
        context.verify_mode = ssl.CERT_REQUIRED
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()


class _Logs(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    pods: dict[str, ProcessPod]

    def log_message(self, *_: object) -> None:
        """Nobody wants to know."""

    def do_GET(self) -> None:
        """`/containerLogs/NAMESPACE/POD/CONTAINER`."""
        url = urllib.parse.urlparse(self.path)
        asked = dict(urllib.parse.parse_qsl(url.query))
        parts = url.path.split("/")
        if len(parts) < 5 or parts[1] != "containerLogs":
            self.send_error(501)
            return
        place, container = (parts[2], parts[3]), parts[4]
        pod = next((p for p in list(self.pods.values()) if (p.namespace, p.name) == place), None)
        path = pod.log(container, previous=asked.get("previous") == "true") if pod else None
        if pod is None or path is None or not path.exists():
            text = f'container "{container}" in pod "{parts[3]}" is waiting to start'.encode()
            self.send_response(400)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with open(path, "rb") as file:
            data = file.read()
            if "tailLines" in asked:
                lines = int(asked["tailLines"])
                data = b"".join(data.splitlines(True)[-lines:]) if lines else b""
            if "limitBytes" in asked:
                data = data[: int(asked["limitBytes"])]
            self._chunk(data)
            while asked.get("follow") == "true":
                over = container in pod.done
                data = file.read()
                self._chunk(data)
                if over and not data:
                    break
                time.sleep(0.05)
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, data: bytes) -> None:
        if data:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()
