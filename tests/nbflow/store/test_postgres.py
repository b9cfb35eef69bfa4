"""What can go wrong between nbflow and a PostgreSQL server, and how it is said."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pgserver import PASSWORD, PostgresServer

from nbflow.errors import StoreError
from nbflow.store import Store, open_store
from nbflow.store.address import cache_folder, is_database, keep_password, without_secrets
from nbflow.store.database import ConnectionLostError
from nbflow.store.postgres import Postgres
from nbflow.store.records import TaskRecord


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    opened = open_store(database)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("postgresql://me@db/x", "postgresql://me@db/x"),
        ("postgres://me:s%40fe@db:5433/x", "postgresql://me@db:5433/x"),
        ("postgresql://db/x?password=safe&sslmode=require", "postgresql://db/x?sslmode=require"),
        ("postgresql:///x?host=/run/pg&sslpassword=safe", "postgresql:///x?host=/run/pg"),
        ("postgresql://me:safe@one:1,two:2/x", "postgresql://me@one:1,two:2/x"),
        ("postgresql://:safe@db/x", "postgresql://db/x"),
        ("s3://key:safe@bucket/x", "s3://key@bucket/x"),
    ],
)
def test_an_address_is_shown_without_its_secrets(given: str, shown: str) -> None:
    assert without_secrets(given) == shown
    assert without_secrets(shown) == shown


def test_a_store_is_a_folder_or_a_postgresql_database() -> None:
    assert is_database("postgres://x/y")
    assert not is_database("some/folder")
    with pytest.raises(StoreError, match=r"A store cannot be at s3://bucket/x.*NBFLOW_OBJECTS"):
        open_store("s3://bucket/x")
    with pytest.raises(StoreError, match="A store cannot be at mysql://me@db/x"):
        open_store("mysql://me:secret@db/x")


def test_a_password_is_used_and_kept_nowhere(
    postgres: PostgresServer, database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PGPASSWORD")
    schema = database.partition("?")[2]
    address = f"{postgres.url('postgres', PASSWORD)}?{schema}"
    store = open_store(address)
    assert store.url == database
    assert PASSWORD not in store.db.name
    run = store.create_run("churn", "v")
    # for the processes that this one starts
    assert os.environ["PGPASSWORD"] == PASSWORD
    monkeypatch.delenv("PGPASSWORD")
    again = open_store(store.url)
    assert again.run(run.id) == run
    tables = [row[0] for row in store.db.query("SELECT tablename FROM pg_tables")]
    for table in tables:
        if store.db.has_table(table) and not table.startswith(("pg_", "sql_")):
            assert PASSWORD not in str(store.db.query(f"SELECT * FROM {table}"))
    store.close()
    again.close()
    assert keep_password(database) == database


def test_a_wrong_password_is_not_remembered(postgres: PostgresServer, database: str) -> None:
    schema = database.partition("?")[2]
    with pytest.raises(StoreError, match="the password is wrong"):
        open_store(f"{postgres.url('postgres', 'wrong')}?{schema}")
    open_store(database).close()


def test_a_new_store_needs_a_place_for_values(
    database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("NBFLOW_OBJECTS")
    with pytest.raises(StoreError, match=r"needs a place for its values\. Set NBFLOW_OBJECTS"):
        open_store(database)
    with pytest.raises(StoreError, match="There is no store in the database"):
        open_store(database, create=False)
    monkeypatch.chdir(tmp_path)
    store = open_store(database, objects="values")
    store.close()
    with pytest.raises(
        StoreError, match=f"keeps its values at {tmp_path}/values, not at {tmp_path}"
    ):
        open_store(database, objects="elsewhere")
    # what was only configured is for new stores
    again = open_store(database, new_objects="elsewhere")
    assert again.root == cache_folder(database)
    again.close()


def test_what_the_server_refuses_is_a_sentence(
    postgres: PostgresServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(address: str) -> str:
        with pytest.raises(StoreError) as caught:
            open_store(address)
        assert not isinstance(caught.value, ConnectionLostError)
        text = str(caught.value)
        assert PASSWORD not in text
        assert "wrong one" not in text
        assert "\n" not in text
        return text

    assert "There is no such database or user" in refused(postgres.url("nowhere"))
    assert "the password is wrong" in refused(postgres.url("postgres", "wrong one"))
    assert "the password is wrong" in refused(postgres.url("postgres", user="nobody"))
    monkeypatch.delenv("PGPASSWORD")
    monkeypatch.setenv("PGPASSFILE", "/nonexistent")
    other = postgres.url("template1")
    assert "asks for the password" in refused(other)
    closed = "postgresql://me@127.0.0.1:1/x"
    assert f"The PostgreSQL server of {closed} does not answer" in refused(closed)
    assert "does not answer" in refused("postgresql://me@no-such-host.invalid/x")


def test_what_the_server_says_later_is_a_sentence(store: Store) -> None:
    def says(state: str) -> str:
        with pytest.raises(StoreError) as caught:
            store.db.execute(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$")
        return str(caught.value)

    assert "The disk of the PostgreSQL server" in says("53100")
    assert "may not do this" in says("42501")
    assert "read-only" in says("25006")
    assert "locked for 30 seconds" in says("55P03")
    store.db.execute("SET default_transaction_read_only = on")
    with pytest.raises(StoreError, match="cannot be written"):
        store.create_run("churn", "v")


def drop_connections(postgres: PostgresServer) -> None:
    other = Postgres(postgres.url("postgres"))
    other.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'nbflow' AND pid <> pg_backend_pid()"
    )
    other.close()


def test_a_dropped_connection_is_made_anew(postgres: PostgresServer, store: Store) -> None:
    run = store.create_run("churn", "v")
    for action in (
        lambda: store.run(run.id),
        lambda: store.claim(run.id, "one"),
        lambda: store.publish(run.id, [TaskRecord("a", "", "succeeded")], "one"),
        lambda: store.post(run.id, "t", [TaskRecord("b", "", "succeeded")]),
        lambda: store.take_posted(run.id),
        lambda: store.heartbeat(run.id, "one"),
        lambda: store.update_run(run.id, driver="one", status="running"),
        lambda: store.create_run("churn", "v"),
        lambda: store.tag(run.id, "x"),
    ):
        drop_connections(postgres)
        action()
    assert [task.step for task in store.tasks(run.id)] == ["a"]
    assert store.run(run.id).tags == ("x",)


def test_what_a_transaction_had_done_is_gone_with_its_connection(
    postgres: PostgresServer, store: Store
) -> None:
    run = store.create_run("churn", "v")

    def write() -> None:
        with store.db.transaction():
            store.publish(run.id, [TaskRecord("a", "", "succeeded")])
            drop_connections(postgres)
            store.publish(run.id, [TaskRecord("b", "", "succeeded")])

    with pytest.raises(ConnectionLostError):
        write()
    assert store.tasks(run.id) == []


def test_a_server_that_restarts_is_waited_for(postgres: PostgresServer, store: Store) -> None:
    run = store.create_run("churn", "v")
    postgres.stop()
    later = threading.Timer(1.0, postgres.start)
    later.start()
    try:
        store.publish(run.id, [TaskRecord("a", "", "succeeded")])
    finally:
        later.join()
    assert [task.step for task in store.tasks(run.id)] == ["a"]


def test_a_server_that_stays_away_is_given_up(postgres: PostgresServer, store: Store) -> None:
    run = store.create_run("churn", "v")
    store.db.patience = 0.5
    postgres.stop()
    try:
        with pytest.raises(StoreError, match="does not answer"):
            store.run(run.id)
        with pytest.raises(StoreError, match="does not answer"):
            open_store(store.url)
    finally:
        postgres.start()
    assert store.run(run.id) == run


def test_a_child_process_leaves_the_connection_to_its_parent(database: str) -> None:
    code = (
        "import os, sys; from nbflow.store import open_store\n"
        "store = open_store(sys.argv[1]); run = store.create_run('churn', 'v')\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    store.run(run.id); store.close(); os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "assert store.db.one('SELECT pg_backend_pid() AS me')['me']\n"
        "held = store.db._connection()\n"
        "store.run(run.id); assert store.db._connection() is held\n"
        "store.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code, database],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_threads_that_have_ended_leave_no_connections(store: Store) -> None:
    def count() -> int:
        row = store.db.one(
            "SELECT COUNT(*) AS n FROM pg_stat_activity WHERE application_name = 'nbflow'"
        )
        assert row is not None
        number: int = row["n"]
        return number

    before = count()
    for _ in range(6):
        thread = threading.Thread(target=store.flows)
        thread.start()
        thread.join()
    assert count() <= before + 1


def test_text_without_what_postgresql_cannot_hold(store: Store) -> None:
    assert store.runs(search="a\0b") == []
    run = store.create_run("churn", "v", tags=["a\0b"], params={"x": "\0"})
    assert run.params == {"x": "\0"}
