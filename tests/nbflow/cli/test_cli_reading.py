"""The verbs that read a store: runs, show, logs, get, diff, tag, cancel, gc."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nbflow.cli.group import call
from nbflow.store import Store

pytestmark = pytest.mark.usefixtures("churn")

Tool = Callable[..., tuple[int, str, str]]


@pytest.fixture
def nbflow(capfd: pytest.CaptureFixture[str]) -> Tool:
    """Runs the command line: exit status, stdout, stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        status = call(words)
        out, err = capfd.readouterr()
        return status, out, err

    return run


def read_json(nbflow: Tool, *words: str) -> Any:
    status, out, err = nbflow(*words)
    assert (status, err) == (0, "")
    return json.loads(out)


def test_runs(nbflow: Tool) -> None:
    _, out, _ = nbflow("runs")
    lines = out.splitlines()
    assert lines[0].split() == ["run", "status", "parameters", "metrics", "tags", "took", "started"]
    assert lines[1].split()[:4] == ["churn/2", "✗", "failed", "alpha=0.5"]
    assert [run["run"] for run in read_json(nbflow, "runs", "--json")] == ["churn/2", "churn/1"]
    assert read_json(nbflow, "runs", "churn", "--status", "failed", "--json")[0]["params"] == {
        "alpha": 0.5
    }
    assert "No runs like this" in nbflow("runs", "--tag", "none")[2]


def test_show_run(nbflow: Tool) -> None:
    _, out, _ = nbflow("show", "churn/1")
    assert out.startswith("churn/1  ✓ succeeded\n")
    assert "train   ✓ 3 succeeded" in out
    _, out, _ = nbflow("show", "churn")
    assert "train/2 failed in cell 3, line 2" in out
    assert "nbflow logs churn/2/train/2" in out
    shown = read_json(nbflow, "show", "churn/1", "--json")
    assert shown["steps"]["train"]["counts"] == {"succeeded": 3}


def test_show_step_task_artifact(nbflow: Tool) -> None:
    _, out, _ = nbflow("show", "churn/1/train")
    assert out.splitlines()[3].split() == ["1", "✓", "succeeded", "US", "0.1", "2.0", "s"]
    for path in ("churn/2/train/2", "churn/latest/train/2", "churn/train/2"):
        assert "ValueError: no rows" in nbflow("show", path)[1]
    _, out, _ = nbflow("show", "churn/1/load/rows")
    assert out.startswith("churn/1/load/rows  list")
    assert read_json(nbflow, "show", "churn/1/train/1", "--json")["item"] == "US"
    assert "def train(country)" in nbflow("show", "churn/1/train", "--code")[1]


def test_logs_are_exact(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert call(["logs", "churn/1/load"]) == 0
    assert capfdbinary.readouterr().out == b"loading\n100 %\xff\n"


def test_logs_of_several_tasks_have_headers(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert call(["logs", "churn/1"]) == 0
    assert capfdbinary.readouterr().out == b"== churn/1/load\nloading\n100 %\xff\n"
    assert call(["logs", "churn/1", "-f"]) == 0
    assert capfdbinary.readouterr().out == b"== churn/1/load\nloading\n100 %\xff\n"


def test_logs_of_nothing(nbflow: Tool) -> None:
    assert nbflow("logs", "churn/1/train/1") == (0, "", "churn/1/train/1 has printed nothing.\n")


def test_get(nbflow: Tool, tmp_path: Path) -> None:
    assert nbflow("get", "churn/1/choose/best") == (0, "FI\n", "")
    assert read_json(nbflow, "get", "churn/1/choose/best", "--json") == "FI"
    assert read_json(nbflow, "get", "churn/1/train/1/score", "--json") == 0.1
    assert read_json(nbflow, "get", "churn/1/train/score", "--json") == [0.0, 0.1, 0.2]
    file = tmp_path / "rows.pkl"
    assert nbflow("get", "churn/1/load/rows", "-o", str(file))[0] == 0
    assert pickle.loads(file.read_bytes()) == list(range(5000))
    assert nbflow("get", "churn/1/load/countries", "-o", str(tmp_path / "c.json"))[0] == 0
    assert json.loads((tmp_path / "c.json").read_text()) == ["FI", "US", "<script>"]


def test_diff(nbflow: Tool) -> None:
    _, out, _ = nbflow("diff", "churn/1", "churn/2")
    assert "alpha       0.1      0.5      ▲ +0.4 (+400.0%)" in out
    assert "-def train(country): return 0.1" in out
    assert read_json(nbflow, "diff", "churn/1", "churn/2", "--json")["metrics"] == {
        "best": ["FI", "(none)"],
        "train/score (mean)": [pytest.approx(0.1), 0.25],
    }
    assert nbflow("diff", "churn/1", "churn/1")[1].splitlines()[1] == "Nothing changed."


def test_runs_take_a_line_each_on_a_narrow_terminal(
    churn: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.console import Console

    from nbflow.cli.screen import show_runs
    from nbflow.client.table import runs

    monkeypatch.setattr("nbflow.cli.screen.console", lambda: Console(width=80, highlight=False))
    values = {f"parameter_{number}": number for number in range(9)}
    made = churn.create_run("churn", churn.run("churn/1").version, params=values)
    churn.update_run(made.id, status="succeeded", metrics=values)
    show_runs(runs(store=churn))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines[:4]] == ["run", "churn/3", "churn/2", "churn/1"]


def test_tag(nbflow: Tool) -> None:
    assert nbflow("tag", "churn/1", "good", "-d", "demo")[1] == "churn/1: good\n"
    assert [run["run"] for run in read_json(nbflow, "runs", "--tag", "good", "--json")] == [
        "churn/1"
    ]


def test_cancel(nbflow: Tool, churn: Store) -> None:
    assert nbflow("cancel", "churn/1") == (0, "", "churn/1 is not running: it is succeeded.\n")
    version = churn.run("churn/1").version
    lost = churn.create_run("churn", version, engine="kubernetes")
    churn.update_run(lost.id, status="lost")
    said = (
        f"{lost.path} is not running: it is lost. Its pods may still run: "
        f"`nbflow drive {lost.path}`, and Ctrl-C there ends them.\n"
    )
    assert nbflow("cancel", lost.path) == (0, "", said)


def test_gc_keeps_tagged_runs_and_frees_what_the_dry_run_said(nbflow: Tool, churn: Store) -> None:
    assert read_json(nbflow, "gc", "--keep-last", "1", "--dry-run", "--json")["runs"] == []
    churn.untag(churn.run("churn/1").id, "demo")
    planned = read_json(nbflow, "gc", "--keep-last", "1", "--dry-run", "--json")
    assert planned["runs"] == ["churn/1"]
    assert len(read_json(nbflow, "runs", "--json")) == 2
    freed = read_json(nbflow, "gc", "--keep-last", "1", "--json")
    assert freed == planned | {"dry_run": False}
    assert [run["run"] for run in read_json(nbflow, "runs", "--json")] == ["churn/2"]


def test_gc_while_a_run_goes_on_hides_what_it_deletes(nbflow: Tool, churn: Store) -> None:
    churn.untag(churn.run("churn/1").id, "demo")
    active = churn.create_run("churn", churn.run("churn/1").version)
    said = nbflow("gc", "--keep-last", "2")[1].splitlines()
    assert said[0] == "Deleted 1 run: churn/1"
    assert said[-1] == "A run is going on: what the deleted ones held is for a later `nbflow gc`."
    assert [run["run"] for run in read_json(nbflow, "runs", "--json")] == ["churn/3", "churn/2"]
    churn.update_run(active.id, status="succeeded")
    assert nbflow("gc")[0] == 0
    assert len(churn.db.query("SELECT id FROM runs")) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tag", "churn/1", "-d", "dmeo"], "churn/1 has no tag 'dmeo'."),
        (["show", "churm/1"], "Did you mean 'churn'?"),
        (["show", "churn/99"], "The newest run of churn is churn/2."),
        (["show", "churn/1/trian"], "Did you mean 'train'?"),
        (["show", "churn/1/train/7"], "it has 3 tasks"),
        (["get", "churn/1/choose/bets"], "Did you mean 'best'?"),
        (["get", "churn/1/train/1/scores"], "Did you mean 'score'?"),
        (["get", "churn/1/train/scores"], "Did you mean 'score'?"),
        (["get", "churn/1/choose"], "Add its name"),
        (["get", "churn/1/choose/best", "-o", "x.parquet"], "-o x.pkl"),
        (["get", "churn/1/choose/best", "-o", "/nowhere/x.txt"], "No such file or directory"),
        (["show", "churn/2/choose/best"], "has not run"),
        (["diff", "churn/1", "churn/x"], "churn/2 has no step 'x'"),
        (["show", "a/b/c/d/e/f"], "is not a path"),
        (["runs", "other"], "no runs of a flow 'other'"),
        (["runs", "--store", "/nowhere/at/all"], "There is no store"),
    ],
)
def test_a_mistake_is_a_sentence_with_a_next_step(
    nbflow: Tool, words: list[str], said: str
) -> None:
    status, out, err = nbflow(*words)
    assert (status, out) == (2, "")
    assert said in err
    assert "Traceback" not in err
