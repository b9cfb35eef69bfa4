"""Diffs of real runs: data, cells, fan-outs, any number of runs, on every surface."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import nbflow
from nbflow.cli.group import call
from nbflow.client.diff import delta
from nbflow.runtime.request import RunRequest
from nbflow.runtime.run import run_flow

NOTEBOOK = """\
# %%
# nbflow: parameters
rows: int = 100
# %%
# nbflow: step load
import pandas as pd
df = pd.DataFrame({"a": range(rows), "<b>": ["x"] * rows})
# %%
# nbflow: step train --foreach n in range(3) --keep part
score = n * rows / 100
part = df.head(rows // 2)
# %%
# nbflow: step choose
best = max(train.score)
note = "<script>alert(1)</script>"
"""


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "flow.py"
    path.write_text(NOTEBOOK)
    monkeypatch.chdir(tmp_path)
    return path


@pytest.fixture
def three(notebook: Path) -> None:
    """flow/1; flow/2 with fewer rows; flow/3 with an edited cell and a new one."""
    run_flow(RunRequest(notebook, on="inline"))
    run_flow(RunRequest(notebook, params={"rows": 60}, on="inline"))
    edited = NOTEBOOK.replace("max(train.score)", "2 * max(train.score)")
    notebook.write_text(edited + "# %%\n# nbflow: step last\nworst = min(train.score)\n")
    run_flow(RunRequest(notebook, on="inline"))


@pytest.mark.usefixtures("three")
def test_data_and_metrics() -> None:
    found = nbflow.Run("flow/1").compare("flow/2")
    assert found.runs == ("flow/1", "flow/2")
    assert found.parameters == {"rows": (100, 60)}
    assert found.metrics == {"best": (2.0, 1.2), "train/score (mean)": (1.0, 0.6)}
    assert found.data == {
        "load/df": ("DataFrame 100 x 2: a, <b>", "DataFrame 60 x 2: a, <b>"),
        "train/part": ("3 x DataFrame, 150 rows in all", "3 x DataFrame, 90 rows in all"),
    }
    assert found.statistics["load/df"] == {
        "rows": (100, 60),
        "a: mean": (49.5, 29.5),
        "a: std": (28.8661, 17.3181),
        "a: max": (99.0, 59.0),
        "a: distinct": (100, 60),
    }
    assert (found.code, found.cells) == ({}, {})
    assert set(found.durations) <= {"the run", "load", "train", "choose"}
    assert delta(*found.metrics["best"]) == "▼ -0.8 (-40.0%)"


def test_durations_that_hardly_changed_are_counted_where_there_are_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    steps = "".join(f"# %%\n# nbflow: step s{n}\nv{n} = {n}\n" for n in range(20))
    (tmp_path / "many.py").write_text(f"# %%\n# nbflow: parameters\nk: int = 0\n{steps}")
    monkeypatch.chdir(tmp_path)
    for k in range(2):
        run_flow(RunRequest(tmp_path / "many.py", on="inline", params={"k": k}, cache=False))
    store = nbflow.Run("many/1").store
    store.db.execute("UPDATE tasks SET started = 0, finished = CASE WHEN step = 's3' THEN"
                     " 5.0 * run_id ELSE 1.0 + run_id / 100.0 END")  # fmt: skip
    store.db.execute("UPDATE runs SET started = 0, finished = 30")
    found = nbflow.diff("many/1", "many/2")
    assert len(found.durations) == 20
    assert str(found).splitlines()[-3:] == [
        "durations  many/1  many/2",
        "s3         5.0 s   10.0 s  ▲ +5.0 s",
        "19 others about the same",
    ]
    assert call(["diff", "many/1", "many/2"]) == 0
    said = capfd.readouterr().out
    assert [line.split()[0] for line in said.splitlines()[-3:]] == ["durations", "s3", "19"]


@pytest.mark.usefixtures("three")
def test_code_is_told_in_cells() -> None:
    found = nbflow.diff("flow/1", "flow/3")
    assert [(one.kind, one.title()) for one in found.cells["flow/3"]] == [
        ("edited", "cell 3 · choose"),
        ("added", "cell 4 · last, added"),
    ]
    assert set(found.code) == {"choose", "last"}
    text = repr(found)
    assert "- best = max(train.score)\n+ best = 2 * max(train.score)\n" in text
    shown = found._repr_html_()
    assert "<mark> 2 *</mark>" in shown
    assert "code of choose" not in shown


@pytest.mark.usefixtures("three")
def test_any_number_of_runs(capsys: Any) -> None:
    found = nbflow.diff("flow/1", "flow/2", "flow/3")
    assert found.parameters == {"rows": (100, 60, 100)}
    assert found.metrics["best"] == (2.0, 1.2, 4.0)
    assert found.metrics["worst"] == ("(none)", "(none)", 0.0)
    assert list(found.cells) == ["flow/3"]
    assert "cells, flow/1 → flow/3" in repr(found)
    assert call(["diff", "flow/1", "flow/2", "flow/3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "flow/1 → flow/2 → flow/3"
    assert "rows        100     60      100" in lines
    assert call(["diff", "flow/1", "flow/2", "flow/3", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["parameters"] == {"rows": [100, 60, 100]}
    assert told["cells"]["flow/3"][1]["new"]["step"] == "last"


@pytest.mark.usefixtures("three")
def test_what_users_write_is_escaped(notebook: Path) -> None:
    notebook.write_text(NOTEBOOK.replace('"<script>', '"<i><script>'))
    run_flow(RunRequest(notebook, on="inline"))
    shown = nbflow.diff("flow/1", "flow/2", "flow/4")._repr_html_()
    assert "<script>" not in shown
    assert "<i>" not in shown
    assert "&lt;script&gt;" in shown


@pytest.mark.usefixtures("three")
def test_the_terminal(capsys: Any) -> None:
    assert call(["diff", "flow/1", "flow/2"]) == 0
    told = capsys.readouterr().out
    assert "best                2       1.2     ▼ -0.8 (-40.0%)\n" in told
    assert re.search(r"^  a: mean +49\.5 +29\.5 +▼ -20 \(-40\.4%\)$", told, re.M)
    assert call(["diff", "flow/1", "flow/1"]) == 0
    assert capsys.readouterr().out == "flow/1 → flow/1\nNothing changed.\n"
    with pytest.raises(TypeError, match="another run"):
        nbflow.Run("flow/1").compare()


def test_runs_that_did_not_end_well_are_told(notebook: Path) -> None:
    """Why numbers are missing: a run failed, a step was cached or never ran."""
    notebook.write_text(NOTEBOOK.replace("score = ", "score = 1 / (rows - 50) * "))
    run_flow(RunRequest(notebook, on="inline"))
    run_flow(RunRequest(notebook, on="inline"))
    run_flow(RunRequest(notebook, params={"rows": 50}, on="inline"))
    found = nbflow.diff("flow/2", "flow/3")
    assert found.states == ("succeeded", "failed")
    assert found.durations["load"][0] == "cached"
    assert repr(found).startswith("flow/2 → flow/3 (failed)\n")
    assert "flow/2 → flow/3 (failed)" in found._repr_html_()
    assert found.to_json()["states"] == ["succeeded", "failed"]
    again = nbflow.diff("flow/1", "flow/2")
    assert again.durations["load"][1] == "cached"
    assert not again
    assert nbflow.diff("flow/3", "flow/3").states == ("failed", "failed")


READING = """\
# %%
# nbflow: step load
from pathlib import Path
size = len(Path("data/a.csv").read_text()) + len(Path("b.csv").read_text())
# %%
# nbflow: step look
more = Path("new.csv").exists() and Path("new.csv").read_text()
"""


def test_files_that_the_tasks_read(notebook: Path, capsys: Any) -> None:
    notebook.write_text(READING)
    (notebook.parent / "data").mkdir()
    for name in ("data/a.csv", "b.csv"):
        Path(name).write_text("1,2")
    run_flow(RunRequest(notebook, on="inline"))
    run_flow(RunRequest(notebook, on="inline"))
    assert not nbflow.diff("flow/1", "flow/2"), "cached tasks have read what those had"
    Path("data/a.csv").write_text("3,4")
    Path("new.csv").write_text("5")
    run_flow(RunRequest(notebook, on="inline", cache=False))
    found = nbflow.diff("flow/1", "flow/3")
    assert list(found.files) == ["data/a.csv", "new.csv"]
    old, new = found.files["data/a.csv"]
    assert re.fullmatch("[0-9a-f]{8}", old)
    assert old != new
    assert found.files["new.csv"][0] == "(none)"
    assert found.to_json()["files"]["data/a.csv"] == [old, new]
    assert "files     " in repr(found)
    assert "data/a.csv" in found._repr_html_()
    assert call(["diff", "flow/1", "flow/3"]) == 0
    assert "data/a.csv" in capsys.readouterr().out
