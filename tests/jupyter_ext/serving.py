"""Serving: a real Jupyter server in a process of its own, and a small client of it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jsonschema import Draft202012Validator
from nbflow_jupyter.openapi import schema_of_shape

TOKEN = "the-token"
CONFIG = Path(__file__).parents[2] / "jupyter_ext/jupyter-config/server-config/nbflow_jupyter.json"

NOTEBOOK = """\
# %%
# %%parameters
alpha: float = 0.5  # how fast
countries: list[str] = ["FI", "US", "SE"]
limit: int | None = None

# %%
# %%step load
weights = {country: len(country) for country in countries}
print("räksmörgås", len(weights))

# %%
# %%step train --foreach country in countries
score = weights[country] * alpha
big = list(range(2000))
print(country)

# %%
# %%step choose
best = max(branch.score for branch in train)
"""


@dataclass
class Answer:
    """What the server said."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


@dataclass
class Api:
    """A small client of a running server."""

    port: int
    root: Path
    process: subprocess.Popen[bytes]
    headers: dict[str, str] = field(default_factory=lambda: {"Authorization": f"token {TOKEN}"})

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        /,
        **query: Any,
    ) -> Answer:
        """One request below `/nbflow/api/`."""
        if query:
            path = f"{path}?{urlencode(query, doseq=True)}"
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            data = None if body is None else json.dumps(body).encode()
            sent = self.headers if headers is None else headers
            connection.request(method, f"/nbflow/api/{path}", data, sent)
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def get(self, path: str, shape: Any = None, /, **query: Any) -> Any:
        """A successful answer, checked against its wire shape."""
        return checked(self.ask("GET", path, **query), shape)

    def post(self, path: str, body: Any, shape: Any = None, /, **query: Any) -> Any:
        """The same for a POST."""
        return checked(self.ask("POST", path, body, **query), shape)

    def wait(self, run: str) -> str:
        """The status of a run when it has ended."""
        for _ in range(300):
            status: str = self.get(f"runs/{run}/steps")["status"]
            if status not in ("pending", "running"):
                return status
            time.sleep(0.1)
        raise AssertionError(f"{run} did not end")


def checked(answer: Answer, shape: Any = None) -> Any:
    """The JSON of a successful answer of that shape."""
    assert answer.status < 300, answer.body
    if shape is not None:
        Draft202012Validator(schema_of_shape(shape)).validate(answer.json)
    return answer.json


def start_server(root: Path, home: Path, *options: str) -> Api:
    """A server on ``root`` that answers; its configuration is as the wheel installs it."""
    places = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("DATA", "RUNTIME")}
    enabled = home / "config/jupyter_server_config.d"
    enabled.mkdir(parents=True, exist_ok=True)
    shutil.copy(CONFIG, enabled)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if k != "NBFLOW_STORE"}
    log = (home / "server.log").open("wb")
    process = subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-m",
            "jupyter_server",
            "--no-browser",
            "--allow-root",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={TOKEN}",
            f"--ServerApp.root_dir={root}",
            "--ServerApp.allow_unauthenticated_access=False",
            "--ServerApp.disable_check_xsrf=False",
            "--NbflowApp.interval=0.05",
            *options,
        ],
        env=environment
        | places
        | {"JUPYTER_CONFIG_DIR": str(home / "config"), "PYTHONPATH": str(Path(__file__).parent)},
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=root,
    )
    log.close()
    api = Api(port, root, process)
    for _ in range(240):
        try:
            if api.ask("GET", "info").status == 200:
                return api
        except (OSError, HTTPException):
            assert process.poll() is None, (home / "server.log").read_text()
            time.sleep(0.25)
    raise AssertionError((home / "server.log").read_text())


def stop_server(api: Api) -> None:
    """End it, as Ctrl-C twice does."""
    api.process.terminate()
    try:
        api.process.wait(20)
    except subprocess.TimeoutExpired:
        api.process.kill()
        api.process.wait()
