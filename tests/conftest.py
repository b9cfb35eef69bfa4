"""Servers that tests of several rooms use: PostgreSQL and S3, started where one is asked for.

And what the run says at its end: on which form of Kubernetes cluster its tests were.
"""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from pgserver import PASSWORD, PostgresServer, programs

if "CI" not in os.environ:  # where Hypothesis has such a profile of its own
    settings.register_profile(
        "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("any machine")

_NUMBERS = itertools.count(1)

#: what the tests of clusters had; they run in a process of their own where there are several
_CLUSTER = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """Let the tests of clusters say which form they had."""
    config.stash[_CLUSTER] = ""
    config.nbflow_cluster_key = _CLUSTER  # type: ignore[attr-defined]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what a process of tests has to say."""
    node.config.stash[_CLUSTER] += getattr(node, "workeroutput", {}).get("cluster", "")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand it on from a process of tests."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["cluster"] = session.config.stash[_CLUSTER]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say it."""
    if config.stash[_CLUSTER]:
        terminalreporter.write_line(f"Kubernetes: {config.stash[_CLUSTER]}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server that runs."""
    if programs() is None:
        pytest.skip("PostgreSQL is not installed (`make servers` installs it on Debian)")
    pytest.importorskip("psycopg")
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def database(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The address of an empty database; a store that is made there has its values in a folder."""
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    monkeypatch.setenv("NBFLOW_OBJECTS", str(tmp_path / "values"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    # a schema stands for a database: it is made and dropped in no time
    name = f"test{next(_NUMBERS)}"
    _command(postgres, f"CREATE SCHEMA {name}")
    yield f"{postgres.url('postgres')}?options=-csearch_path%3D{name}"
    _command(postgres, f"DROP SCHEMA {name} CASCADE")


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of an S3 server that runs."""
    server = pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    served = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    served.start()
    host, port = served.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        served.stop()


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty bucket, with what it takes to write there in the environment."""
    import s3fs

    held = {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in held.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    name = f"nbflow-test-{next(_NUMBERS)}"
    s3fs.S3FileSystem().mkdir(name)
    yield f"s3://{name}"
    s3fs.S3FileSystem.clear_instance_cache()


def _command(postgres: PostgresServer, sql: str) -> None:
    import psycopg

    with psycopg.connect(postgres.url("postgres", PASSWORD), autocommit=True) as connection:
        connection.execute(sql.encode())


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """One process has the cluster, and one the browser: each runs all of the tests that need it.

    By path, as the groups of pytest-xdist 3.8 have no effect under pytest 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByPlace(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            places = ("tests/kubernetes/", "tests/labextension/test_browser.py")
            return next((place for place in places if nodeid.startswith(place)), nodeid)

    return ByPlace(config, log)
