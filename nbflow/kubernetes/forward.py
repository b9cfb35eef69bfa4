"""Forward: a port of a pod as a port of this machine, through the cluster's API server."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbflow.kubernetes.access import Access

#: what it takes: by a web socket one of these, or on newer servers both
FORWARD = tuple(("", "pods/portforward", verb) for verb in ("get", "create"))

_PIECE = 1 << 16


class Forward:
    """Listens on the loopback until `close`; each connection goes to the pod."""

    def __init__(self, access: Access, pod: str, port: int) -> None:
        self._access, self._pod, self._remote = access, pod, port
        self._listening = socket.create_server(("127.0.0.1", 0))
        #: the port of this machine
        self.port = int(self._listening.getsockname()[1])
        self._over = False
        threading.Thread(target=self._accept, daemon=True, name="nbflow-forward").start()

    def close(self) -> None:
        """Take no more connections; those that are open end with the pod or their client."""
        self._over = True
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while not self._over:
            try:
                here, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(here,), daemon=True).start()

    def _serve(self, here: socket.socket) -> None:
        with here:
            try:
                there = self._connect()
            except Exception:  # the pod is gone: whoever connects finds out
                return
            with contextlib.suppress(OSError):
                _relay(here, there)
            with contextlib.suppress(Exception):
                there.close()

    def _connect(self) -> Any:
        from kubernetes import client, stream

        # a client of its own: a stream changes how its client makes requests
        api: Any = client.ApiClient(self._access.api.configuration)
        call = client.CoreV1Api(api).connect_get_namespaced_pod_portforward
        where = (self._pod, self._access.namespace)
        ends: Any = stream.portforward(call, *where, ports=f"{self._remote}")
        return ends.socket(self._remote)


def _relay(here: Any, there: Any) -> None:
    """Copy both ways until one side has ended."""
    while True:
        ready, _, _ = select.select([here, there], [], [])
        for source in ready:
            data = source.recv(_PIECE)
            if not data:
                return
            (there if source is here else here).sendall(data)
