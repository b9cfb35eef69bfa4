"""The flags of real runs: made when a run ends, kept, and told by every surface."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import nbflow
from nbflow.cli.group import call
from nbflow.flags.flag import WARNING
from nbflow.flags.kept import flags_of, warnings_of
from nbflow.runtime.request import RunRequest
from nbflow.runtime.run import run_flow
from nbflow.store import Store, open_store
from nbflow.store.gc import apply_gc, plan_gc

NOTEBOOK = """\
# %%
# nbflow: parameters
rows: int = 1000
name: str = "x"
# %%
# nbflow: step load
import pandas as pd
df = pd.DataFrame({"a": range(rows), "<b>": [name] * rows})
# %%
# nbflow: step train --foreach n in range(3) --keep part
score = n * rows / 1000
part = df.head(rows // 2)
# %%
# nbflow: step choose
best = max(train.score)
"""


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "flow.py"
    path.write_text(NOTEBOOK)
    monkeypatch.chdir(tmp_path)
    return path


def run(path: Path, **params: Any) -> nbflow.Run:
    return nbflow.Run(run_flow(RunRequest(path, params=params, on="inline")), path.parent)


def kept(store: Store) -> dict[int, bool]:
    return {row["run_id"]: bool(row["flags"]) for row in store.db.query("SELECT * FROM run_facts")}


def test_runs_are_held_against_earlier_ones(notebook: Path, capsys: Any) -> None:
    first = run(notebook)
    assert (len(first.flags), first.flags.against) == (0, ())
    assert "no earlier run" in repr(first.flags)
    same = run(notebook, name="y")
    assert list(same.flags) == []
    assert "nothing out of the ordinary" in repr(same.flags)
    fewer = run(notebook, rows=10)
    assert [(one.kind, one.step, one.name, one.also) for one in fewer.flags] == [
        ("rows", "load", "df", ("train/part",)),
        ("metric", "choose", "best", ()),
    ]
    assert fewer.flags.against == ("flow/2", "flow/1")
    assert fewer.flags.since is not None
    assert fewer.flags.since.parameters == ("rows", "name")
    assert "`load/df` has 10 rows; it had 1,000. Likewise `train/part`." in repr(fewer.flags)

    # with the same parameters it is the runs with these that count
    assert run(notebook, rows=10, name="x").flags.against == ("flow/3",)

    with closing(open_store(notebook.parent)) as store:
        assert kept(store) == {1: True, 2: True, 3: True, 4: True}


def test_every_surface_tells_them(notebook: Path, capsys: Any) -> None:
    run(notebook)
    assert call(["run", str(notebook), "--on", "inline", "-p", "rows", "10"]) == 0
    told = capsys.readouterr().out
    assert "△ load/df has 10 rows; it had 1,000. Likewise train/part.\n" in told
    assert told.count("△") == 3
    assert call(["show", "flow/2"]) == 0
    shown = capsys.readouterr().out
    assert "load/df has 10 rows" in shown
    assert "Changed since flow/1: parameters rows.\n" in shown
    assert call(["show", "flow/2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["flags"][0]["kind"] == "rows"
    last = nbflow.Run("flow/2")
    assert "load/df` has 10 rows" in repr(last)
    for shown in (last._repr_html_(), last.flags._repr_html_()):
        assert "<code>load/df</code> has 10 rows" in shown
    assert call(["show", "flow/1"]) == 0
    assert "△" not in capsys.readouterr().out


def test_what_was_run_before_there_were_flags_has_them_too(notebook: Path) -> None:
    run(notebook)
    run(notebook, rows=10)
    with closing(open_store(notebook.parent)) as store:
        found = flags_of(store, store.run("flow/2"))
        assert found.flags
        store.db.execute("DELETE FROM run_facts")
        assert flags_of(store, store.run("flow/2")) == found
        assert kept(store) == {1: False, 2: True}
        # those of an earlier nbflow are worked out again
        store.db.execute(
            "UPDATE run_facts SET flags = '{\"schema\": 0}', facts = '{\"schema\": 0}'"
        )
        assert flags_of(store, store.run("flow/2")) == found


def test_a_run_that_goes_on_has_none_and_one_that_is_deleted_leaves_none(notebook: Path) -> None:
    run(notebook)
    with closing(open_store(notebook.parent)) as store:
        going = store.create_run("flow", store.run("flow/1").version)
        assert list(nbflow.Run(going, store).flags) == []
        assert kept(store) == {1: True}
        store.delete_run(1)
        store.update_run(going.id, status="failed", finished=1.0)
        apply_gc(store, plan_gc(store, grace=-10))
        assert kept(store) == {}


def test_other_branches_are_left_out(notebook: Path) -> None:
    run(notebook)
    record = run_flow(RunRequest(notebook, params={"rows": 10}, on="inline", branch="b"))
    assert nbflow.Run(record, notebook.parent).flags.against == ()


def test_lists_of_runs_mark_them(notebook: Path, capsys: Any) -> None:
    run(notebook)
    assert call(["runs"]) == 0
    assert "flags" not in (plain := capsys.readouterr().out)
    assert "▲" not in plain
    run(notebook, rows=0)
    count = sum(one.weight >= WARNING for one in nbflow.Run("flow/2").flags)
    assert call(["runs", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(one["run"], one["flags"]) for one in listed] == [("flow/2", count), ("flow/1", 0)]
    assert call(["runs"]) == 0
    head, second, first, told = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["run", "status", "flags"]
    assert second.split()[:5] == ["flow/2", "✓", "succeeded", "▲", str(count)]
    assert "▲" not in first
    assert told == "▲ far out of the ordinary: nbflow show flow/2 says what"
    table = nbflow.runs()
    assert table.flags == [count, 0]
    assert f"▲ {count}" in repr(table)
    assert f"▲ {count}" in table._repr_html_()
    assert nbflow.runs(tag="none").flags == []


def test_how_many_are_warnings(notebook: Path) -> None:
    first, second, less = run(notebook), run(notebook), run(notebook, rows=0)
    with closing(open_store(notebook.parent / ".nbflow")) as store:
        ids = [store.run(one.path).id for one in (first, second, less)]
        told = sum(one.weight >= WARNING for one in less.flags)
        assert told > 0
        assert warnings_of(store, ids) == {ids[2]: told}
        assert warnings_of(store, []) == {}
