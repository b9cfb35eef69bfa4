"""Runs over HTTP: lists, one run, what can be done with runs."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote, urlencode

from nbflow_jupyter import wire

from nbflow.store import Store


def make(store: Store, count: int, flow: str, **more: Any) -> list[str]:
    """Finished runs of the odd version."""
    made = [store.create_run(flow, "0+odd", **more) for _ in range(count)]
    for run in made:
        store.update_run(run.id, status="succeeded", started=1.0, finished=2.0)
    return [run.path for run in made]


def test_the_list_has_the_newest_first(api: Any) -> None:
    page = api.get("runs", wire.RunPage, flow="churn")
    row = page["runs"][-1]
    assert (row["run"], row["status"], row["tags"]) == ("churn/1", "succeeded", ["first"])
    assert row["notebook"] == "churn.py"
    assert row["metrics"] == {"best": 1.0}
    assert page["next"] is None


def test_pages_by_cursor(api: Any, store: Store) -> None:
    made = make(store, 7, "many", tags=["paged"], branch="main", user="ada", engine="slow")
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = api.get("runs", wire.RunPage, flow="many", limit=3, **cursor)
        seen += [row["run"] for row in page["runs"]]
        if not cursor:
            assert page["total"] == 7
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == list(reversed(made))
    for asked in ({"tag": "paged"}, {"branch": "main"}, {"engine": "slow"}, {"search": "ada many"}):
        found = api.get("runs", wire.RunPage, **asked)
        assert [row["run"] for row in found["runs"]] == seen, asked
    facets = api.get("facets", wire.Facets)
    assert {"many", "churn"} <= set(facets["flows"])
    assert "main" in facets["branches"]
    assert "slow" in facets["engines"]
    assert "paged" in facets["tags"]


def test_counts_leave_deleted_runs_out(api: Any, store: Store) -> None:
    made = make(store, 3, "counted", tags=["counted"], branch="counted")
    assert api.ask("DELETE", f"runs/{made[0]}").status == 204
    for asked in ({"flow": "counted"}, {"tag": "counted"}, {"branch": "counted"}):
        page = api.get("runs", wire.RunPage, **asked)
        assert (page["total"], len(page["runs"])) == (2, 2), asked
    assert api.get("runs", wire.RunPage, flow="counted", tag="counted")["total"] is None
    assert api.ask("GET", f"runs/{made[0]}").status == 404


def test_one_run(api: Any) -> None:
    run = api.get("runs/churn/1", wire.RunDetail)
    alpha, _, limit = run["parameters"]
    assert (alpha["name"], alpha["value"], alpha["help"]) == ("alpha", 0.5, "how fast")
    assert alpha["schema"] == {"type": "number"}
    assert limit["schema"] == {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    assert "pandas" in run["environment"]["packages"]
    assert run["parent"] is None
    assert run["lost"] is None


def test_what_became_of_a_lost_run_is_told(api: Any, store: Store) -> None:
    made = store.create_run("vanished", store.run("churn/1").version)
    store.update_run(made.id, status="lost")
    lost = api.get("runs/vanished/1", wire.RunDetail)["lost"]
    assert lost.endswith("`nbflow drive vanished/1` goes on with the run.")


def test_flows_of_any_name(api: Any, store: Store) -> None:
    for flow in ("häagen dazs", "a.b+c", "100%", "流れ", "x?y#z&w"):
        (run,) = make(store, 1, flow)
        page = api.get(f"runs?{urlencode({'flow': flow})}", wire.RunPage)
        assert [row["run"] for row in page["runs"]] == [run]
        assert api.get(f"runs/{quote(flow, safe='')}/1", wire.RunDetail)["row"]["flow"] == flow
        compared = api.get("compare", wire.Compare, run=[run, run])
        assert [row["run"] for row in compared["runs"]] == [run, run]


def test_tags(api: Any, store: Store) -> None:
    (run,) = make(store, 1, "tagged", tags=["a", "b"])
    tags = api.post(f"runs/{run}/tags", {"add": ["c d", "ü"], "remove": ["a"]}, wire.Tags)
    assert tags == {"tags": ["b", "c d", "ü"]}
    assert [row["run"] for row in api.get("runs", tag="ü")["runs"]] == [run]


def test_an_active_run_is_cancelled_and_not_deleted(api: Any, store: Store) -> None:
    run = store.create_run("active", "0+odd")
    store.update_run(run.id, status="running", started=time.time())
    assert api.ask("DELETE", "runs/active/1").status == 409
    row = api.get("runs", wire.RunPage, flow="active")["runs"][0]
    assert [state["status"] for state in row["steps"]] == ["pending"]
    assert api.post("runs/active/1/cancel", {}, wire.Cancelled) == {"cancelling": True}
    assert store.heartbeat(run.id)
    assert api.get("runs/active/1")["row"]["cancelling"]
    store.update_run(run.id, status="cancelled", finished=time.time())
    assert api.post("runs/active/1/cancel", {}, wire.Cancelled) == {"cancelling": False}


def test_resume_takes_over_what_holds(api: Any) -> None:
    started = api.post("runs/churn/1/resume", {"params": {"alpha": 2.0}}, wire.Started)
    run = started["run"]
    assert api.wait(run) == "succeeded"
    detail = api.get(f"runs/{run}", wire.RunDetail)
    assert detail["parent"] == "churn/1"
    assert detail["row"]["params"]["alpha"] == 2.0
    states = {s["name"]: s["counts"] for s in api.get(f"runs/{run}/steps", wire.Steps)["steps"]}
    assert states["load"] == {"cached": 1}
    assert states["train"] == {"succeeded": 3}
    task = api.get(f"runs/{run}/task", wire.TaskDetail, step="load")
    assert task["row"]["cached_from"] == "churn/1/load"
    assert task["row"]["reason"]
    strip = api.get(f"runs/{run}/strip", wire.HeatStrip, step="load")
    assert (strip["status"], strip["start"], strip["seconds"]) == ("c", [None], [None])
    for state in api.get(f"runs/{run}/steps")["steps"]:
        assert state["started"] >= detail["row"]["started"]

    compared = api.get("compare", wire.Compare, run=["churn/1", run])
    alpha = next(row for row in compared["params"] if row["name"] == "alpha")
    assert (alpha["values"], alpha["differs"]) == ([0.5, 2.0], True)
    assert [row["differs"] for row in compared["metrics"]] == [True]
    assert not any(row["differs"] for row in compared["environment"])
    assert compared["code"] == []


def test_comparing_other_code_and_data(api: Any) -> None:
    compared = api.get("compare", wire.Compare, run=["churn/1", "odd/1"])
    names = {one["name"]: one["diffs"] for one in compared["code"]}
    assert names["train"][0] == ""
    assert names["train"][1].startswith("--- ")
    evil = next(row for row in compared["data"] if row["name"] == "st<b>ep/evil")
    assert evil["present"] == [False, True]
    assert api.ask("GET", "compare", run=["churn/1", "churn/999"]).status == 404


def test_flags(api: Any) -> None:
    assert api.get("runs/churn/1/flags", wire.Flags) == {
        "run": "churn/1",
        "against": [],
        "flags": [],
        "since": None,
    }
    assert api.get("runs/odd/1/flags", wire.Flags)["flags"] == []
    assert api.ask("GET", "runs/churn/99/flags").status == 404
