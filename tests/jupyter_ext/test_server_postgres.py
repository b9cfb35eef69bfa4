"""A server whose default store is a PostgreSQL database, which was made before it started."""

from __future__ import annotations

from pathlib import Path

import pytest
from serving import NOTEBOOK, start_server, stop_server

from nbflow.runtime.request import RunRequest
from nbflow.runtime.run import run_flow


def test_runs_in_a_database(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "churn.py").write_text(NOTEBOOK, encoding="utf-8")
    first = run_flow(RunRequest(root / "churn.py", store=database, on="inline"))
    assert first.status == "succeeded", first.error
    api = start_server(root, tmp_path / "jupyter", f"--NbflowApp.store={database}")
    try:
        (known,) = api.get("runs")["runs"]
        assert known["run"] == "churn/1"
        changes = api.get("changes", since=0)
        started = api.post("runs", {"notebook": "churn.py", "engine": "inline", "cache": False})
        assert started == {"run": "churn/2", "store": ""}
        assert api.wait("churn/2") == "succeeded"
        assert [run["run"] for run in api.get("runs")["runs"]] == ["churn/2", "churn/1"]
        assert api.get("runs", search="churn/2")["total"] is None
        told = api.get("changes", since=changes["seq"])["changes"]
        assert "churn/2" in {one["path"] for one in told}
        assert api.get("runs/churn/2/steps")["status"] == "succeeded"
        tasks = api.get("runs/churn/2/tasks", step="train", sort="seconds", limit=2)
        assert [len(tasks["tasks"]), tasks["total"]] == [2, 3]
        assert api.get("stores")["stores"] == [{"name": "", "exists": True, "default": True}]
    finally:
        stop_server(api)
