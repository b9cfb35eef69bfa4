"""Notebooks over HTTP: compiled as they are edited, their forms, their runs, starting them."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from nbflow_jupyter import wire
from serving import NOTEBOOK, start_server, stop_server

from nbflow.runtime.environment import user
from nbflow.store import Store
from nbflow.store.interactive import InteractiveTask


def cells(notebook: str = NOTEBOOK) -> list[dict[str, Any]]:
    """The cells of a percent notebook, as an editor has them."""
    sources = notebook.split("# %%\n")[1:]
    return [{"source": s.strip().replace("# %%", "%%"), "kind": "code"} for s in sources]


def test_what_the_server_is(api: Any) -> None:
    info = api.get("info", wire.Info)
    assert info["api"] == wire.API_VERSION
    assert {"name": "", "exists": True, "default": True} in info["stores"]
    assert info["engines"][0]["name"] == "dask"


def test_compiling_an_unsaved_notebook(api: Any) -> None:
    body = {"path": "churn.py", "cells": cells(), "code": True}
    compiled = api.post("compile", body, wire.Compiled)
    assert compiled["diagnostics"] == []
    assert compiled["flow"] == "churn"
    assert compiled["cell_steps"] == [None, "load", "train", "choose"]
    assert [one["name"] for one in compiled["parameters"]] == ["alpha", "countries", "limit"]
    ran = api.get("runs/churn/1/graph")
    assert compiled["graph"]["edges"] == ran["edges"]
    assert compiled["graph"]["nodes"] == ran["nodes"]
    assert {s["name"]: s["code"] for s in compiled["steps"]} == {
        node["name"]: node["code"] for node in ran["nodes"]
    }
    assert "def train(" in compiled["steps"][1]["text"]


def test_diagnostics_while_typing(api: Any) -> None:
    edited = cells()
    edited[2]["source"] = edited[2]["source"].replace("weights[", "wieghts[")
    compiled = api.post("compile", {"cells": edited, "code": True}, wire.Compiled)
    (found,) = [one for one in compiled["diagnostics"] if one["severity"] == "error"]
    assert (found["code"], found["cell"], found["line"]) == ("NBF201", 2, 2)
    assert compiled["steps"][0]["code"] is None
    assert compiled["cell_steps"][2] == "train"
    edited[2]["source"] = "%%step train\nif ("
    broken = api.post("compile", {"cells": edited}, wire.Compiled)
    assert {"NBF108"} <= {one["code"] for one in broken["diagnostics"]}


def test_compiling_costs_little(api: Any) -> None:
    body = {"path": "churn.py", "cells": cells()}
    api.post("compile", body)
    took = []
    for number in range(5):
        body["cells"][3]["source"] += f"\n# edit {number}"
        began = time.perf_counter()
        api.post("compile", body)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.1


def test_a_compiler_that_dies_is_started_anew(api: Any) -> None:
    assert api.ask("POST", "compile", {"cells": cells()}).status == 200
    children = Path(f"/proc/{api.process.pid}/task/{api.process.pid}/children").read_text().split()
    compilers = [
        int(child)
        for child in children
        if b"compile_cells" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
    assert len(compilers) == 1
    os.kill(compilers[0], signal.SIGKILL)
    time.sleep(0.2)
    assert api.ask("POST", "compile", {"cells": cells()[:2]}).status == 200


def test_the_form_of_a_notebook(api: Any) -> None:
    form = api.get("parameters", wire.Parameters, notebook="churn.py")
    assert form["parameters"][1]["schema"] == {"type": "array", "items": {"type": "string"}}
    (api.root / "broken.ipynb").write_text("{", encoding="utf-8")
    broken = api.get("parameters", wire.Parameters, notebook="broken.ipynb")
    assert [one["code"] for one in broken["diagnostics"]] == ["NBF101"]


def test_exporting_a_saved_notebook(api: Any) -> None:
    answer = api.ask("GET", "export", notebook="churn.py")
    assert 'filename="churn.zip"' in answer.headers["Content-Disposition"]
    ran = {file["path"] for file in api.get("runs/churn/1/code")["files"]}
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert ran <= set(archive.namelist())
    (api.root / "wrong.py").write_text("# %%\n# %%step a\nx = nowhere\n")
    refused = api.ask("GET", "export", notebook="wrong.py")
    assert refused.status == 400
    assert [one["code"] for one in refused.json["diagnostics"]] == ["NBF201"]


def test_the_state_of_a_notebook(api: Any) -> None:
    state = api.get("notebook", wire.NotebookState, path="churn.py")
    assert state["runs"][-1]["run"] == "churn/1"
    first = {step["name"]: step["runs"][-1] for step in state["steps"]}
    assert first["train"]["status"] == "succeeded"
    nodes = {node["name"]: node["code"] for node in api.get("runs/churn/1/graph")["nodes"]}
    assert {name: run["code"] for name, run in first.items()} == nodes


def test_what_was_tried_by_hand(api: Any, store: Store) -> None:
    query = {"path": "churn.py", "step": "train"}
    assert api.get("interactive", wire.InteractiveTasks, **query)["tasks"] == []
    run = store.interactive_run("k", str(api.root / "churn.py"), user(), "here", 1.0)
    for at in range(25):
        tried = InteractiveTask("train", None, "failed", at, at + 0.5, f"x = {at}", {"x": at}, "")
        store.add_interactive(run, tried)
    tasks = api.get("interactive", wire.InteractiveTasks, **query)["tasks"]
    assert [one["code"] for one in tasks] == [f"x = {at}" for at in range(24, 4, -1)]
    assert (tasks[0]["made"], tasks[0]["status"]) == ({"x": 24}, "failed")
    assert api.get("interactive", path="churn.py", step="load")["tasks"] == []
    assert api.ask("GET", "interactive", path="../churn.py", step="train").status == 400
    assert api.ask("GET", "interactive", path="churn.py").status == 400


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 400, "needs a notebook"),
        ({"notebook": "none.ipynb"}, 404, "no notebook"),
        ({"notebook": "churn.py", "params": {"alpha": "much"}}, 400, "alpha"),
        ({"notebook": "churn.py", "params": {"beta": 1}}, 400, "beta"),
        ({"notebook": "churn.py", "engine": "nowhere"}, 400, "nowhere"),
        ({"notebook": "churn.py", "engine": "in\nline"}, 400, "engine"),
        ({"notebook": "churn.py", "tags": ["ok", "\x00"]}, 400, "not a tag"),
        ({"notebook": "churn.py", "start_from": "nope"}, 400, "nope"),
        ({"notebook": "churn.py", "max_workers": 0}, 400, "max_workers"),
        ({"notebook": ["churn.py"]}, 400, "notebook"),
        ({"notebook": "churn.py", "shell": "rm"}, 400, "shell"),
    ],
)
def test_runs_that_do_not_start(api: Any, body: Any, status: int, said: str) -> None:
    answer = api.ask("POST", "runs", {"engine": "inline", **body})
    assert answer.status == status, answer.body
    assert said in answer.json["message"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("cut.ipynb", b"{", "not a notebook"),
        ("list.ipynb", b"[]", "not a notebook"),
        ("latin.py", "# %%\n# %%step é\n".encode("latin-1"), "UTF-8"),
        ("empty.py", b"", "no step"),
    ],
)
def test_files_that_do_not_run(api: Any, name: str, content: bytes, said: str) -> None:
    (api.root / name).write_bytes(content)
    answer = api.ask("POST", "runs", {"notebook": name, "engine": "inline"})
    assert answer.status == 400, answer.body
    assert said in answer.json["message"]


def test_a_store_that_is_no_store(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / ".nbflow").mkdir(parents=True)
    (root / ".nbflow/nbflow.db").write_bytes(b"text, not a database " * 100)
    (root / "quick.py").write_text("# %%\n# %%step a\nx = 1\n")
    api = start_server(root, tmp_path)
    try:
        for method, path, body in (
            ("POST", "runs", {"notebook": "quick.py", "engine": "inline"}),
            ("GET", "runs", None),
        ):
            answer = api.ask(method, path, body)
            assert answer.status == 503, answer.body
            assert "is not a store of nbflow" in answer.json["message"]
        (root / "pyproject.toml").write_text("[tool.nbflow\n")
        answer = api.ask("POST", "runs", {"notebook": "quick.py", "engine": "inline"})
        assert answer.status == 409, answer.body
        assert "pyproject.toml" in answer.json["message"]
    finally:
        stop_server(api)


def test_what_a_form_sends_is_what_runs(api: Any) -> None:
    params = {"alpha": 3, "countries": ["--on", "$(id)", "-p"], "limit": None}
    body = {"notebook": "churn.py", "engine": "inline", "params": params, "tags": ["--json"]}
    run = api.post("runs", body, wire.Started)["run"]
    assert api.wait(run) == "succeeded"
    row = api.get(f"runs/{run}")["row"]
    assert row["params"]["countries"] == params["countries"]
    assert (row["metrics"], row["tags"]) == ({"best": 15.0}, ["--json"])


SLOW = """\
# %%
# %%step wait
import time, pathlib
while not pathlib.Path("go").exists():
    time.sleep(0.05)
done = True
"""


def test_a_run_outlives_the_server(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "slow.py").write_text(SLOW)
    first = start_server(root, tmp_path)
    try:
        run = first.post("runs", {"notebook": "slow.py", "engine": "inline"})["run"]
    finally:
        first.process.send_signal(signal.SIGINT)
        stop_server(first)
    second = start_server(root, tmp_path)
    try:
        assert second.get(f"runs/{run}/steps")["status"] == "running"
        (root / "go").touch()
        assert second.wait(run) == "succeeded"
    finally:
        stop_server(second)


def test_a_store_for_each_project(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for name in ("one", "two"):
        (root / name).mkdir(parents=True)
        (root / name / "pyproject.toml").touch()
        (root / name / "quick.py").write_text("# %%\n# %%step a\nx = 1\n")
    api = start_server(root, tmp_path)
    try:
        serving = api.get("stores", wire.Stores, notebook="one/quick.py")
        assert serving["serving"] == "one"
        assert serving["stores"][0] == {"name": "", "exists": False, "default": True}
        for name in ("one", "two"):
            body = {"notebook": f"{name}/quick.py", "engine": "inline"}
            assert api.post("runs", body, wire.Started) == {"run": "quick/1", "store": name}
        assert api.get("runs")["runs"] == []
        rows = api.get("runs", wire.RunPage, store="two")["runs"]
        assert [row["notebook"] for row in rows] == ["two/quick.py"]
        assert api.ask("GET", "runs/quick/1").status == 404
        assert api.ask("GET", "runs/quick/1", store="one").status == 200
        listed = {one["name"] for one in api.get("stores")["stores"] if one["exists"]}
        assert listed == {"one", "two"}
        for _ in range(100):
            rows = api.get("runs", store="two")["runs"] + api.get("runs", store="one")["runs"]
            if all(row["status"] == "succeeded" for row in rows):
                break
            time.sleep(0.1)
    finally:
        stop_server(api)


def test_a_store_that_is_removed_and_made_anew(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "quick.py").write_text("# %%\n# %%step a\nx = 1\n")
    api = start_server(root, tmp_path)
    try:
        for _ in range(2):
            assert api.get("runs")["runs"] == []
            assert (
                api.post("runs", {"notebook": "quick.py", "engine": "inline"})["run"] == "quick/1"
            )
            assert api.wait("quick/1") == "succeeded"
            assert api.get("changes")["seq"] >= 0
            # the run's process may still be noting what followed from its end
            while (root / ".nbflow").exists():
                shutil.rmtree(root / ".nbflow", ignore_errors=True)
    finally:
        stop_server(api)


def test_an_ipynb(api: Any) -> None:
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [
            {"cell_type": "markdown", "source": ["# hi"], "metadata": {}},
            {"cell_type": "code", "source": ["x = 1"], "metadata": {"tags": ["step:one"]}},
        ],
    }
    (api.root / "tagged.ipynb").write_text(json.dumps(notebook))
    body = {
        "cells": [{"source": "# hi", "kind": "markdown"}, {"source": "x = 1", "tags": ["step:one"]}]
    }
    assert api.post("compile", body)["cell_steps"] == [None, "one"]
    assert api.get("parameters", notebook="tagged.ipynb")["diagnostics"] == []
