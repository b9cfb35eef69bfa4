"""Steps and tasks over HTTP: graph, strip, pages, logs, outputs, artifacts."""

from __future__ import annotations

import io
import os
import time
import zipfile
from typing import Any

import pytest
from nbflow_jupyter import wire

from nbflow.runtime.live import LiveFile, live_folder, task_name
from nbflow.store import Store
from nbflow.store.records import TaskRecord

ODD = "runs/odd/1"
STEP = {"step": "st<b>ep"}


def test_graph_with_states(api: Any) -> None:
    graph = api.get("runs/churn/1/graph", wire.Graph)
    assert [node["name"] for node in graph["nodes"]] == ["load", "train", "choose"]
    train = graph["nodes"][1]
    assert (train["foreach"], train["line"], train["cells"]) == (
        "country in countries",
        ["train"],
        [2],
    )
    assert {"source": "load", "target": "train", "names": ["weights"]} in graph["edges"]
    state = graph["states"][1]
    assert (state["status"], state["done"], state["total"]) == ("succeeded", 3, 3)


def test_strip(api: Any) -> None:
    strip = api.get("runs/churn/1/strip", wire.HeatStrip, step="train")
    assert (strip["status"], strip["keys"], strip["total"]) == ("sss", None, 3)
    assert all(seconds >= 0 for seconds in strip["seconds"])
    assert api.ask("GET", "runs/churn/1/strip?step=nope").status == 404
    assert api.ask("GET", "runs/churn/1/strip").status == 400


@pytest.fixture
def wide(api: Any, store: Store) -> str:
    """A run with 30 tasks of a step, every tenth of which failed."""
    run = store.create_run("wide", store.run("churn/1").version)
    store.update_run(run.id, status="running", started=100.0)
    records = [TaskRecord("train", "", "succeeded", part="items", count=40)]
    for at in range(30):
        failed = at % 10 == 7
        error = {"type": "E", "message": f"bad {at}", "cell": 2, "line": 1} if failed else None
        status: Any = "failed" if failed else "succeeded"
        times = {"started": 100.0 + at, "finished": 100.0 + at + at % 4, "worker": f"w{at % 3}"}
        records.append(TaskRecord("train", str(at), status, error=error, item=at, **times))
    store.publish(run.id, records)
    return f"runs/{run.path}"


@pytest.mark.parametrize("sort", ["key", "status", "started", "seconds", "attempt"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_of_tasks_miss_nothing(api: Any, wide: str, sort: str, order: str) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        asked = {"sort": sort, "order": order, "limit": 7, **cursor}
        page = api.get(f"{wide}/tasks", wire.TaskPage, **asked)
        assert page["total"] == 30
        seen += [task["key"] for task in page["tasks"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    whole = api.get(f"{wide}/tasks", wire.TaskPage, sort=sort, order=order, limit=500)
    assert seen == [task["key"] for task in whole["tasks"]]
    assert sorted(seen, key=int) == [str(at) for at in range(30)]
    if sort == "key":
        assert seen == sorted(seen, key=int, reverse=order == "desc")


def test_tasks_filtered(api: Any, wide: str) -> None:
    failed = api.get(f"{wide}/tasks", wire.TaskPage, status="failed,lost")
    assert [task["key"] for task in failed["tasks"]] == ["7", "17", "27"]
    assert failed["tasks"][0]["error"]["message"] == "bad 7"
    found = api.get(f"{wide}/tasks", wire.TaskPage, search="w1 bad")
    assert [task["key"] for task in found["tasks"]] == ["7"]
    assert api.get(f"{wide}/tasks", wire.TaskPage, step="load")["total"] == 0


def test_a_step_of_an_active_run(api: Any, wide: str) -> None:
    states = {state["name"]: state for state in api.get(f"{wide}/steps", wire.Steps)["steps"]}
    assert (states["train"]["status"], states["train"]["total"]) == ("running", 40)
    assert states["choose"]["status"] == "pending"


def test_why_a_step_waits(api: Any, store: Store) -> None:
    made = store.create_run("waits", store.run("churn/1").version)
    store.update_run(made.id, status="running", started=1.7e9)
    reason = "waiting for a node: insufficient nvidia.com/gpu"
    store.publish(made.id, [TaskRecord("load", "", "pending", reason=reason)])
    states = {one["name"]: one for one in api.get("runs/waits/1/steps", wire.Steps)["steps"]}
    assert {name: state["waits"] for name, state in states.items()} == {
        "load": reason,
        "train": None,
        "choose": None,
    }
    assert states["load"]["status"] == "pending"
    page = api.get("runs/waits/1/tasks", wire.TaskPage, status="pending")
    assert [task["reason"] for task in page["tasks"]] == [reason]
    store.publish(made.id, [TaskRecord("load", "", "running", started=1.7e9)])
    states = {one["name"]: one for one in api.get("runs/waits/1/steps", wire.Steps)["steps"]}
    assert (states["load"]["status"], states["load"]["waits"]) == ("running", None)
    store.update_run(made.id, status="cancelled", finished=1.7e9)
    store.delete_run(made.id)


def test_one_task(api: Any) -> None:
    task = api.get("runs/churn/1/task", wire.TaskDetail, step="train", key="1")
    assert task["row"]["path"] == "churn/1/train/1"
    assert task["row"]["item"] == "US"
    assert task["row"]["values"] == {"score": 1.0}
    assert task["inputs"] == [{"name": "weights", "sources": ["load"], "kind": "value"}]
    score = next(one for one in task["artifacts"] if one["name"] == "score")
    assert (score["plain"], score["text"]) == (True, "1.0")


def test_attempts_and_errors(api: Any) -> None:
    task = api.get(f"{ODD}/task", wire.TaskDetail, **STEP)
    assert task["error"]["traceback"] == "Traceback"
    assert [one["attempt"] for one in task["attempts"]] == [1]
    log = api.get(f"{ODD}/log", wire.LogChunk, attempt=1, **STEP)
    assert (log["text"], log["complete"]) == ("first try", True)
    assert api.ask("GET", f"{ODD}/log", attempt=7, **STEP).status == 404


def test_logs_by_range_tear_no_character(api: Any) -> None:
    whole = "aé€😀z" * 1000
    size = len(whole.encode())
    text, at = "", 0
    while True:
        log = api.get(f"{ODD}/log", wire.LogChunk, start=at, limit=1001, **STEP)
        assert log["size"] == size
        assert log["end"] > at
        text, at = text + log["text"], log["end"]
        if log["complete"]:
            break
    assert text == whole
    tail = api.get(f"{ODD}/log", wire.LogChunk, tail=9, **STEP)
    assert tail["text"] == "€😀z"
    assert whole.endswith(tail["text"])
    assert tail["end"] == size
    beyond = api.get(f"{ODD}/log", wire.LogChunk, start=10**9, **STEP)
    assert (beyond["text"], beyond["complete"]) == ("", True)


def test_log_as_a_file(api: Any) -> None:
    answer = api.ask("GET", "runs/churn/1/log/file", step="load")
    assert answer.body.decode() == "räksmörgås 3\n"
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_the_log_of_a_running_task_grows(api: Any, store: Store) -> None:
    run = store.create_run("live", store.run("churn/1").version)
    store.update_run(run.id, status="running", started=time.time())
    live = LiveFile(live_folder(store.url, run.id), "host")
    live.begin(task_name("load", "main", "", 1), time.time())
    try:
        path = f"runs/{run.path}/log"
        os.write(live.fd, "one\nhälf".encode()[:-3])
        log = api.get(path, wire.LogChunk, step="load")
        assert (log["text"], log["complete"]) == ("one\nh", False)
        os.write(live.fd, "älf\n".encode()[1:])
        log = api.get(path, wire.LogChunk, step="load", start=log["end"])
        assert (log["text"], log["complete"]) == ("älf\n", False)
        assert api.get(f"runs/{run.path}/task", wire.TaskDetail, step="load")["row"]["status"] == (
            "running"
        )
    finally:
        live.end()
        live.close()
    assert api.ask("GET", path, step="load").status == 404


def test_outputs(api: Any) -> None:
    outputs = api.get(f"{ODD}/outputs", wire.Outputs, **STEP)["outputs"]
    assert outputs[1] == {
        "start": 1,
        "end": 2,
        "data": {"text/plain": "plain"},
        "metadata": {},
    }
    assert api.get("runs/churn/1/outputs", wire.Outputs, step="load") == {"outputs": []}


def test_artifacts_are_never_unpickled(api: Any, store: Store) -> None:
    answer = api.ask("GET", f"{ODD}/artifact", name="evil", **STEP)
    assert answer.status == 200
    assert b"unpickled" in answer.body
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    for path in ("task", "outputs", "log"):
        assert api.ask("GET", f"{ODD}/{path}", **STEP).status == 200
    for path in ("", "/graph", "/tasks", "/code"):
        assert api.ask("GET", f"{ODD}{path}").status == 200
    assert api.ask("GET", "compare", run=["odd/1", "odd/1"]).status == 200
    assert not (api.root / "unpickled").exists()


def test_a_large_artifact_comes_whole(api: Any, store: Store) -> None:
    task = store.task(store.run("churn/1").id, "train", "0")
    assert task is not None
    answer = api.ask("GET", "runs/churn/1/artifact", step="train", key="0", name="score")
    assert answer.body == b"1.0"
    run = store.create_run("large", "0+odd")
    writer = store.writer("large")
    ref = writer.put(b"0123456789" * 500_000, "blob")
    writer.close()
    record = TaskRecord("st<b>ep", "", "succeeded", artifacts={"blob": ref.to_json()})
    store.publish(run.id, [record])
    answer = api.ask("GET", f"runs/{run.path}/artifact", name="blob", **STEP)
    assert answer.body == b"0123456789" * 500_000


def test_pictures_are_pictures(api: Any) -> None:
    answer = api.ask("GET", f"{ODD}/image", name="picture", **STEP)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/png")
    assert api.ask("GET", f"{ODD}/image", name="fake", **STEP).status == 404
    assert api.ask("GET", f"{ODD}/image", name="inf", **STEP).status == 404


def test_code_beside_its_cells(api: Any) -> None:
    code = api.get("runs/churn/1/code", wire.Code)
    train = code["steps"][1]
    assert train["path"] == "churn/steps/train.py"
    assert "def train(" in train["text"]
    assert [cell["cell"] for cell in train["cells"]] == [2]
    generated, cell, line = train["lines"][-1]
    assert 1 <= generated <= train["text"].count("\n") + 1
    assert (cell, line) <= (2, 4)
    assert "churn/flow.json" in {file["path"] for file in code["files"]}
    assert api.get(f"{ODD}/code", wire.Code)["steps"][0]["cells"] == []


def test_what_ran_can_be_saved(api: Any) -> None:
    notebook = api.ask("GET", "runs/churn/1/notebook")
    assert notebook.body == (api.root / "churn.py").read_bytes()
    assert 'filename="churn-1.py"' in notebook.headers["Content-Disposition"]
    package = api.ask("GET", "runs/churn/1/package")
    with zipfile.ZipFile(io.BytesIO(package.body)) as archive:
        assert "churn/steps/train.py" in archive.namelist()
