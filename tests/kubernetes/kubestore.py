"""A store that pods reach over the network: records in PostgreSQL, values in S3 (moto's)."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from pgserver import PASSWORD, PostgresServer

#: the Secret of the namespace by which pods log in
SECRET = "nbflow-store"
_NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class SharedStore:
    """An empty store, at an address that is the same for pods and for this machine."""

    url: str
    #: what a process needs to log in; the Secret holds the same
    environment: dict[str, str]

    @property
    def settings(self) -> dict[str, Any]:
        """What `[tool.nbflow.kubernetes]` has to say for it."""
        return {"secrets": [SECRET]}


class StoreServers:
    """Both servers, from `start` to `close`."""

    def __init__(self, host: str) -> None:
        self._host = host

    def start(self) -> None:
        """Start them."""
        from moto.server import ThreadedMotoServer

        self.postgres = PostgresServer(self._host)
        self.postgres.start()
        self._s3 = ThreadedMotoServer(self._host, port=0, verbose=False)
        self._s3.start()
        self.endpoint = "http://{}:{}".format(*self._s3.get_host_and_port())

    def close(self) -> None:
        """Stop them."""
        self._s3.stop()
        self.postgres.close()

    @contextmanager
    def store(self, kube: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[SharedStore]:
        """An empty store for a test, and the Secret in its namespace."""
        import s3fs
        from kubernetes import client

        name = f"shared{next(_NUMBERS)}"
        environment = {
            "PGPASSWORD": PASSWORD,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        secret = {"metadata": {"name": SECRET}, "stringData": environment}
        client.CoreV1Api(kube.api()).create_namespaced_secret(kube.namespace, secret)
        for key, value in environment.items():
            monkeypatch.setenv(key, value)
        monkeypatch.setenv("NBFLOW_OBJECTS", f"s3://{name}/values")
        s3fs.S3FileSystem.clear_instance_cache()
        s3fs.S3FileSystem().mkdir(name)
        self._command(f"CREATE SCHEMA {name}")
        url = f"{self.postgres.url('postgres')}?options=-csearch_path%3D{name}"
        yield SharedStore(url, environment)
        self._command(f"DROP SCHEMA {name} CASCADE")
        s3fs.S3FileSystem.clear_instance_cache()

    def _command(self, sql: str) -> None:
        import psycopg

        address = self.postgres.url("postgres", PASSWORD)
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(sql)


def own_address() -> str | None:
    """The address of this machine that is not only its own; None where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            return None
        address: str = asked.getsockname()[0]
    return None if address.startswith("127.") else address
