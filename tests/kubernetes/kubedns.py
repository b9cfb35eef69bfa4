"""The names of Services for the pods of a test cluster: a DNS server that knows nothing else."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
import urllib.request
from typing import Any


class NameServer(threading.Thread):
    """Answers for `SERVICE.NAMESPACE.svc` and, where it has no address, for the pods behind it."""

    def __init__(self, address: str, server: str, token: str, authority: str) -> None:
        super().__init__(daemon=True)
        self._address, self._server, self._token = address, server, token
        self._context = ssl.create_default_context(cafile=authority)

    def run(self) -> None:
        """Answer until the process ends."""
        listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listening.bind((self._address, 53))
        while True:
            query, sender = listening.recvfrom(1500)
            try:
                listening.sendto(self._answer(query), sender)
            except Exception as error:
                print("DNS:", error, flush=True)

    def _answer(self, query: bytes) -> bytes:
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode())
            at += query[at] + 1
        (kind,) = struct.unpack(">H", query[at + 1 : at + 3])
        addresses = self._lookup(".".join(labels))
        answers = b""
        if kind == 1:
            head = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 5, 4)
            answers = b"".join(head + socket.inet_aton(one) for one in addresses)
        status = 0x8580 | (0 if addresses else 3)
        counts = struct.pack(">HHHHH", status, 1, len(addresses) if answers else 0, 0, 0)
        return query[:2] + counts + query[12 : at + 5] + answers

    def _lookup(self, name: str) -> list[str]:
        parts = name.lower().rstrip(".").removesuffix(".cluster.local").split(".")
        if len(parts) not in (3, 4) or parts[-1] != "svc":
            return []
        service, namespace = parts[-3], parts[-2]
        try:
            found = self._get(f"/api/v1/namespaces/{namespace}/services/{service}")
            address = found["spec"].get("clusterIP")
            if address and address != "None":
                return [address] if len(parts) == 3 else []
            ends = self._get(f"/api/v1/namespaces/{namespace}/endpoints/{service}")
        except OSError:
            return []
        pods = [one for part in ends.get("subsets") or () for one in part.get("addresses") or ()]
        if len(parts) == 4:
            pods = [one for one in pods if one.get("hostname") == parts[0]]
        return [str(one["ip"]) for one in pods]

    def _get(self, path: str) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"}
        request = urllib.request.Request(self._server + path, headers=headers)
        with urllib.request.urlopen(request, context=self._context, timeout=5) as answer:
            return json.load(answer)
