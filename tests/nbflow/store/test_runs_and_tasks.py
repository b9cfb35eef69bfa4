"""Runs and tasks as the store keeps them."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from nbflow.errors import StoreError, UserError
from nbflow.store import Store, open_store
from nbflow.store.records import (
    HEARTBEAT,
    AttemptRecord,
    RunRecord,
    TaskRecord,
    key_order,
    task_path,
)
from nbflow.store.schema import MIGRATIONS

MANIFEST = {"schema": 1, "name": "churn", "steps": []}


def new_run(store: Store, flow: str = "churn", **fields: object) -> RunRecord:
    return store.create_run(flow, "0+abc", **fields)  # type: ignore[arg-type]


def silence(store: Store, run: RunRecord, seconds: float) -> None:
    store.db.execute("UPDATE runs SET heartbeat = heartbeat - ? WHERE id = ?", (seconds, run.id))


def test_a_run_comes_back_as_it_was_created(store: Store) -> None:
    run = store.create_run(
        "churn",
        "0+abc",
        params={"alpha": 0.1, "countries": ["FI"]},
        tags=["nightly", "a", "nightly"],
        branch="main",
        user="ada",
        host="box",
        git="f00",
        dirty=True,
        engine="dask",
        environment={"python": "3.11", "packages": {"numpy": "2.4"}},
        notebook="churn.ipynb",
        seed=7,
        options={"variants": {"model": "tree"}},
    )
    assert run.options == {"variants": {"model": "tree"}}
    assert run.path == "churn/1"
    assert run.status == "pending"
    assert run.tags == ("nightly", "a")
    assert store.run(run.id) == store.run("churn/1") == store.run("churn/latest") == run
    assert store.environment(run) == {"python": "3.11", "packages": {"numpy": "2.4"}}
    store.update_run(run.id, status="failed", started=1.0, finished=3.0, error={"type": "E"})
    store.update_run(run.id, metrics={"score": 0.5})
    again = store.run(run.id)
    assert (again.duration, again.error, again.metrics) == (2.0, {"type": "E"}, {"score": 0.5})


def test_numbers_count_for_each_flow_and_are_never_given_twice(store: Store) -> None:
    assert [new_run(store).number for _ in range(3)] == [1, 2, 3]
    assert new_run(store, "other").number == 1
    store.update_run(store.run("churn/3").id, status="succeeded")
    store.delete_run(store.run("churn/3").id)
    assert new_run(store).number == 4
    assert [run.path for run in store.runs("churn")] == ["churn/4", "churn/2", "churn/1"]
    assert store.flows() == ["churn", "other"]


def test_two_processes_create_runs_at_once(location: str) -> None:
    code = (
        "import sys; from nbflow.store import open_store; s = open_store(sys.argv[1])\n"
        "print(*[s.create_run('churn', 'v').number for _ in range(50)])"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, location], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    numbers = [int(n) for p in processes for n in p.communicate(timeout=60)[0].split()]
    assert sorted(numbers) == list(range(1, 151))


def test_threads_share_a_store(store: Store) -> None:
    numbers: list[int] = []

    def create() -> None:
        numbers.extend(new_run(store).number for _ in range(20))

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 81))


def test_runs_are_found(store: Store) -> None:
    one = new_run(store, tags=["x"], branch="main", params={"alpha": 0.1}, user="ada")
    two = new_run(store, tags=["x", "y"], params={"rate": "50%_off"}, user="bob")
    three = new_run(store, "other", branch="main")
    store.update_run(two.id, status="succeeded")

    def found(**question: object) -> list[str]:
        return [run.path for run in store.runs(**question)]  # type: ignore[arg-type]

    assert found() == [three.path, two.path, one.path]
    assert found(flow="churn") == [two.path, one.path]
    assert found(status="succeeded") == [two.path]
    assert found(tag="x") == [two.path, one.path]
    assert found(branch="main") == [three.path, one.path]
    assert found(limit=1) == [three.path]
    assert found(before=two.id) == [one.path]
    assert found(search="ADA alpha") == [one.path]
    assert found(search="50%_") == [two.path]
    assert found(search="5_%") == []
    assert found(search="churn/2") == [two.path]
    store.tag(one.id, "z", "x")
    store.untag(one.id, "x")
    assert store.run(one.id).tags == ("z",)
    assert found(tag="x") == [two.path]
    assert found(tag="z") == [one.path]


@pytest.mark.parametrize("path", ["churn/9", "nothing", "churn/x", 77])
def test_a_run_that_is_not_there(store: Store, path: str | int) -> None:
    new_run(store)
    with pytest.raises(UserError) as caught:
        store.run(path)
    assert caught.value.diagnostics[0].code == "NBF407"


def test_a_silent_run_is_lost_and_so_are_its_running_tasks(store: Store) -> None:
    run = new_run(store)
    store.update_run(run.id, status="running")
    store.publish(run.id, [TaskRecord("a", "", "succeeded"), TaskRecord("b", "", "running")])
    silence(store, run, 1.5 * HEARTBEAT)
    assert store.run(run.id).status == "running"
    silence(store, run, HEARTBEAT)
    assert store.run(run.id).status == "lost"
    assert store.runs(status="lost")[0].finished is not None
    assert {task.step: task.status for task in store.tasks(run.id)} == {
        "a": "succeeded",
        "b": "lost",
    }
    # its machine only slept
    assert store.heartbeat(run.id) is False
    assert (store.run(run.id).status, store.run(run.id).finished) == ("running", None)


def test_cancel_is_asked_for_and_heard(store: Store) -> None:
    run = new_run(store)
    assert store.heartbeat(run.id) is False
    assert store.request_cancel(run.id)
    assert store.heartbeat(run.id) is True
    store.update_run(run.id, status="cancelled")
    assert not store.request_cancel(run.id)


def test_an_active_run_is_not_deleted(store: Store) -> None:
    run = new_run(store)
    with pytest.raises(UserError, match="nbflow cancel churn/1"):
        store.delete_run(run.id)


def test_tasks_come_back_in_the_order_of_their_keys(store: Store) -> None:
    run = new_run(store)
    full = TaskRecord(
        step="train",
        key="3.10",
        status="failed",
        attempt=2,
        started=1.0,
        finished=2.0,
        cache_key="k",
        artifacts={"score": {"oid": "1", "codec": "json", "type": "int", "size": 1, "inline": 1}},
        item=["FI", 1],
        log={"at": "p/x/0/1"},
        outputs={"at": "p/x/1/1"},
        error={"type": "ValueError"},
        worker="w1",
        cached_from="churn/1/train/3",
        reason="its code changed",
        changed=("df",),
    )
    others = [TaskRecord("train", key, "succeeded") for key in ("10", "2", "3.2", "0")]
    store.publish(run.id, [full, *others, TaskRecord("a", "", "skipped")])
    keys = [task.key for task in store.tasks(run.id, "train")]
    assert keys == ["0", "2", "3.2", "3.10", "10"]
    assert store.task(run.id, "train", "3.10") == full
    assert store.task(run.id, "train", "4") is None
    assert full.ref("score").inline == 1
    page = store.tasks(run.id, "train", limit=2, after="2")
    assert [task.key for task in page] == ["3.2", "3.10"]
    assert [task.key for task in store.tasks(run.id, status="skipped")] == [""]
    done = dataclasses.replace(full, status="succeeded", attempt=3, error=None)
    store.publish(run.id, [done])
    assert store.task(run.id, "train", "3.10") == done
    summary = store.step_summary(run.id)
    assert summary["train"].counts == {"succeeded": 5}
    assert (summary["train"].started, summary["train"].finished) == (1.0, 2.0)
    assert summary["a"].tasks == 1


def test_a_step_took_as_long_as_the_tasks_that_ran(store: Store) -> None:
    run = new_run(store)
    cached = TaskRecord("train", "0", "cached", started=1.0, finished=2.0)
    ran = TaskRecord("train", "1", "succeeded", started=100.0, finished=103.0)
    store.publish(run.id, [cached, ran, dataclasses.replace(cached, step="load", key="")])
    found = store.step_summary(run.id)
    assert (found["train"].started, found["train"].finished) == (100.0, 103.0)
    assert (found["load"].started, found["load"].finished) == (1.0, 2.0)


def test_a_split_stands_beside_the_tasks(store: Store) -> None:
    run = new_run(store)
    split = TaskRecord("train", "", "succeeded", part="items", count=3)
    store.publish(run.id, [split, *[TaskRecord("train", str(i), "succeeded") for i in range(3)]])
    assert store.split(run.id, "train") == split
    assert len(store.tasks(run.id, "train")) == 3
    assert store.step_summary(run.id)["train"].tasks == 3


def test_failed_attempts_are_kept(store: Store) -> None:
    run = new_run(store)
    attempts = [
        AttemptRecord("train", "3", n, "failed", error={"type": "OSError"}, worker="w")
        for n in (1, 2)
    ]
    store.add_attempts(run.id, attempts)
    assert store.attempts(run.id, "train", "3") == attempts
    assert store.attempts(run.id, "train", "4") == []


def test_the_cache_gives_the_newest_finished_task(store: Store) -> None:
    one, two = new_run(store), new_run(store)
    for run in (one, two):
        store.publish(
            run.id,
            [TaskRecord("train", str(i), "succeeded", cache_key=f"k{i}") for i in range(1200)],
        )
    store.publish(two.id, [TaskRecord("train", "5", "failed", cache_key="k5")])
    found = store.lookup_cache([f"k{i}" for i in range(1300)])
    assert len(found) == 1200
    assert found["k3"].path == "churn/2/train/3"
    assert found["k5"].path == "churn/1/train/5"
    store.update_run(two.id, status="succeeded")
    store.delete_run(two.id)
    assert store.lookup_cache(["k3"])["k3"].run == "churn/1"


def test_versions_are_unpacked_once(store: Store) -> None:
    files = {"pyproject.toml": "x\n", "churn/steps/train.py": "def train(): ...\n"}
    store.add_version("0+abc", MANIFEST, files, b"notebook")
    store.add_version("0+abc", {"name": "other"}, {}, b"")
    version = store.version("0+abc")
    assert (version.flow, version.manifest, version.notebook) == ("churn", MANIFEST, b"notebook")
    folder = store.code_dir("0+abc")
    assert (folder / "churn/steps/train.py").read_text() == files["churn/steps/train.py"]
    assert store.code_dir("0+abc") == folder
    assert [path.name for path in folder.parent.iterdir()] == ["0+abc"]
    with pytest.raises(UserError, match="no version '0\\+zzz'"):
        store.version("0+zzz")


def test_a_store_of_a_newer_version_is_left_alone(location: str, tmp_path: Path) -> None:
    store = open_store(location)
    newer = len(MIGRATIONS) + 1
    store.db.execute("INSERT INTO migrations (number) VALUES (?)", (newer,))
    store.close()
    file = tmp_path / ".nbflow/nbflow.db"
    before = file.read_bytes() if file.exists() else b""
    with pytest.raises(StoreError, match="newer version of nbflow"):
        open_store(location)
    assert (file.read_bytes() if file.exists() else b"") == before


def test_migrations_go_on_from_where_a_store_is(
    location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = open_store(location)
    run = new_run(first)
    first.close()
    more = (*MIGRATIONS, ("ALTER TABLE runs ADD COLUMN note TEXT",))
    monkeypatch.setattr("nbflow.store.schema.MIGRATIONS", more)
    second = open_store(location)
    assert second.run(run.id).path == run.path
    assert second.db.one("SELECT note FROM runs") is not None
    second.close()


def test_a_store_is_made_by_many_at_once(location: str) -> None:
    code = "import sys; from nbflow.store import open_store; open_store(sys.argv[1]).close()"
    processes = [
        subprocess.Popen([sys.executable, "-c", code, location], stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert [process.communicate(timeout=60)[1] for process in processes] == [""] * 4
    store = open_store(location, create=False)
    numbers = store.db.query("SELECT number FROM migrations ORDER BY number")
    assert [row["number"] for row in numbers] == list(range(1, len(MIGRATIONS) + 1))
    store.close()


def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    (tmp_path / ".nbflow").mkdir()
    (tmp_path / ".nbflow/nbflow.db").write_text("something else entirely " * 50)
    with pytest.raises(StoreError, match="not a store of nbflow"):
        open_store(tmp_path)


@pytest.mark.parametrize("place", [".nbflow", "file"])
def test_a_file_where_a_store_would_be(tmp_path: Path, place: str) -> None:
    (tmp_path / place).write_text("something else")
    with pytest.raises(StoreError, match=f"/{place} is a file, not a folder") as caught:
        open_store(tmp_path if place == ".nbflow" else tmp_path / place)
    assert "--store" in str(caught.value)


def test_a_store_that_one_may_not_look_into(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    (tmp_path / ".nbflow").chmod(0)
    root = os.geteuid() == 0
    if root:  # whom no mode keeps out
        os.seteuid(65534)
    try:
        with pytest.raises(StoreError, match="You may not look into"):
            open_store(tmp_path)
    finally:
        if root:
            os.seteuid(0)
        (tmp_path / ".nbflow").chmod(0o700)


def test_where_the_store_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NBFLOW_STORE", raising=False)
    project = tmp_path / "project"
    notebooks = project / "notebooks"
    notebooks.mkdir(parents=True)
    (project / "pyproject.toml").touch()
    with pytest.raises(StoreError, match="There is no store"):
        open_store(start=notebooks, create=False)
    beside = open_store(start=notebooks)
    assert beside.root == notebooks / ".nbflow"
    assert (beside.root / ".gitignore").read_text() == "*\n"
    beside.close()
    top = open_store(project)
    other = project / "other"
    other.mkdir()
    assert open_store(start=other).root == top.root
    # a store above the project serves others
    open_store(tmp_path).close()
    lone = tmp_path / "lone"
    lone.mkdir()
    assert open_store(start=lone).root == lone / ".nbflow"
    monkeypatch.setenv("NBFLOW_STORE", str(project))
    assert open_store(start=lone).root == top.root
    assert open_store(top.url).root == top.root


def test_paths_and_orders() -> None:
    assert task_path("churn/42", "train", "3.1") == "churn/42/train/3.1"
    assert task_path("churn/42", "load", "") == "churn/42/load"
    assert sorted(["10", "2", "2.10", "2.9", ""], key=key_order) == ["", "2", "2.9", "2.10", "10"]


def test_records_are_json(store: Store) -> None:
    run = new_run(store, params={"day": "2026-01-01"})
    assert json.loads(json.dumps(dataclasses.asdict(run)))["params"] == {"day": "2026-01-01"}
