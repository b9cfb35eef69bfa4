"""A PostgreSQL server of the tests' own: a real one, on a free port, in a folder that goes again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

USER = "nbflow"
PASSWORD = "not kept: @/%"

_SETTINGS = {
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "log_min_messages": "fatal",
}


class PostgresServer:
    """Starts with `start`, which may follow a `stop`: data and port stay."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._host = host
        self._bin = programs()
        assert self._bin is not None
        self._folder = Path(tempfile.mkdtemp(prefix="nbflow-postgres-"))
        self._user = _other_user()
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        if self._user is not None:
            shutil.chown(secret, self._user)
        who = ["-A", "scram-sha-256", "-U", USER, "--pwfile", str(secret)]
        # as servers are often set up: texts sort by the rules of a language
        how = ["-E", "UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]
        self._run("initdb", *who, *how, "-N", "-D", str(self._folder / "data"))
        with (self._folder / "data" / "pg_hba.conf").open("a") as rules:
            rules.write("host all all 0.0.0.0/0 scram-sha-256\n")

    def start(self) -> None:
        """Start it; returns when it takes connections."""
        settings = _SETTINGS | {"listen_addresses": self._host}
        words = [word for one in settings.items() for word in ("-c", "=".join(one))]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    f"{self._bin}/postgres",
                    "-D",
                    self._folder / "data",
                    "-p",
                    f"{self.port}",
                    *words,
                ],
                stdout=subprocess.DEVNULL,
                stderr=log,
                user=self._user,
                cwd="/",
            )
        until = time.monotonic() + 60
        while True:
            ready = subprocess.run(
                [f"{self._bin}/pg_isready", "-q", "-h", self._host, "-p", str(self.port)],
                check=False,
            )
            if ready.returncode == 0:
                return
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self._folder / "log").read_text())
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it at once: every connection breaks."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(60)
            self._process = None

    def close(self) -> None:
        """Stop it and remove its data."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str, password: str | None = None, user: str = USER) -> str:
        """The address of a database."""
        from urllib.parse import quote

        who = user if password is None else f"{user}:{quote(password, safe='')}"
        return f"postgresql://{who}@{self._host}:{self.port}/{database}"

    def _run(self, program: str, *words: str) -> None:
        done = subprocess.run(
            [f"{self._bin}/{program}", *words],
            capture_output=True,
            text=True,
            check=False,
            user=self._user,
            cwd="/",
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        )
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)


def programs() -> Path | None:
    """Where the server's programs are; Debian keeps them off the search path."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    places = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(places, key=lambda path: int(path.parent.parent.name), default=None)
    return None if newest is None else newest.parent


def _other_user() -> str | None:
    """The user that the server runs as: it refuses to be root's."""
    if os.getuid() != 0:
        return None
    import pwd

    known = {one.pw_name for one in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
