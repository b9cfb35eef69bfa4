"""Runs in this process: values, skips, the cache and its reasons, resuming, outputs, errors."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from handmade import step, write_package

from nbflow.errors import UserError
from nbflow.runtime.explain import explain
from nbflow.runtime.request import RunRequest
from nbflow.runtime.run import run_flow
from nbflow.runtime.task import run_task
from nbflow.runtime.traceback import MESSAGE
from nbflow.store import Store, open_store
from nbflow.store.records import RunRecord
from nbflow.values.ref import Ref

LOAD = step("load", "rows = list(range(n))", parameters=("n",), outputs=("rows",))
GROW = step("grow", "value = i * 2", {}, ("value",), foreach="i in rows", items={"rows": "load"})
PICK = step("pick", "best = max(grow.value)", {"grow": "grow"}, ("best",), fanouts=("grow",))


@pytest.fixture(autouse=True, params=["folder", "postgres"])
def kept(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Every test has its records in a file, and again in PostgreSQL."""
    folder = request.param == "folder"
    where = str(tmp_path) if folder else request.getfixturevalue("database")
    monkeypatch.setenv("NBFLOW_STORE", where)
    yield
    # what a test has opened goes with its last reference
    gc.collect()


def write(folder: Path, *steps: dict[str, Any], n: int = 3, **more: Any) -> None:
    write_package(folder, list(steps), parameters={"n": n}, **more)


def go(folder: Path, **request: Any) -> RunRecord:
    return run_flow(RunRequest(folder, on="inline", **request))


def test_new_data_in_the_same_file_is_not_missed(tmp_path: Path) -> None:
    data = tmp_path / "data.txt"
    data.write_text("1")
    read = f"from pathlib import Path; text = Path({str(data)!r}).read_text()"
    load = step("load", read, outputs=("text",))
    size = step("size", "length = len(text)", {"text": "load"}, ("length",))
    write(tmp_path, load, size)
    store = open_store()
    first = go(tmp_path)
    assert list(store.task(first.id, "load").files) == [str(data)]  # type: ignore[union-attr]
    assert set(reasons(store, go(tmp_path)).values()) == {"cached"}
    data.write_text("22")
    second = go(tmp_path)
    assert reasons(store, second)["load"] == f"the file {data} changed"
    assert value(store, second, "size", "length") == 2
    assert set(reasons(store, go(tmp_path)).values()) == {"cached"}
    data.unlink()
    failed = go(tmp_path)
    assert (failed.error or {})["type"] == "FileNotFoundError"


def value(store: Store, run: RunRecord, step: str, name: str, key: str = "") -> Any:
    task = store.task(run.id, step, key)
    assert task is not None
    return store.get(task.ref(name))


def reasons(store: Store, run: RunRecord) -> dict[str, str | None]:
    return {
        f"{t.step}/{t.key}" if t.key else t.step: t.reason if t.status != "cached" else "cached"
        for t in store.tasks(run.id)
    }


def text(store: Store, ref: dict[str, Any] | None) -> str:
    return "" if ref is None else store.get_bytes(Ref.from_json(ref)).decode()


def test_a_run_and_what_it_records(tmp_path: Path) -> None:
    write(tmp_path, LOAD, GROW, PICK)
    run = go(tmp_path, tags=("first",), branch="main")
    store = open_store()
    assert (run.path, run.status, run.error, run.tags) == ("churn/1", "succeeded", None, ("first",))
    assert (run.metrics, run.params, run.branch) == ({"best": 4}, {"n": 3}, "main")
    assert "cloudpickle" in store.environment(run)["packages"]
    assert value(store, run, "grow", "value", "2") == 4


def test_the_cache_and_its_reasons(tmp_path: Path) -> None:
    write(tmp_path, LOAD, GROW, PICK)
    store = open_store()
    assert set(reasons(store, go(tmp_path)).values()) == {"no earlier result"}
    assert set(reasons(store, go(tmp_path)).values()) == {"cached"}
    assert reasons(store, go(tmp_path, params={"n": 4})) == {
        "load": "parameter n changed 3 → 4",
        "grow/0": "cached",
        "grow/1": "cached",
        "grow/2": "cached",
        "grow/3": "a new item",
        "pick": "input grow changed",
    }
    write(tmp_path, LOAD, {**GROW, "body": "value = i * 3"}, PICK)
    assert reasons(store, go(tmp_path)) == {
        "load": "cached",
        **{f"grow/{i}": "the code of grow changed" for i in range(3)},
        "pick": "input grow changed",
    }
    assert set(reasons(store, go(tmp_path, cache=False)).values()) == {"--no-cache"}
    told = reasons(store, go(tmp_path, start_from="pick"))
    assert told["pick"] == "--from pick"
    assert told["load"] == told["grow/0"] == "cached"
    with pytest.raises(UserError, match="no such step"):
        go(tmp_path, start_from="pock")


def test_explain_runs_nothing(tmp_path: Path) -> None:
    write(tmp_path, LOAD, GROW, PICK)
    store = open_store()
    go(tmp_path)
    rows = explain(RunRequest(tmp_path, params={"n": 5}))
    assert [(r.step, r.part, r.fate, r.reason) for r in rows] == [
        ("load", "main", "run", "parameter n changed 3 → 5"),
        ("grow", "main", "run", "load runs before it"),
        ("pick", "main", "run", "grow runs before it"),
    ]
    rows = explain(RunRequest(tmp_path))
    assert {r.fate for r in rows} == {"cached"}
    assert len(store.runs()) == 1


def test_resume_takes_what_succeeded(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    body = f"with open({str(marks)!r} + f'/{{i}}', 'a') as f: f.write('x')\nvalue = 12 // (i - k)"
    grow = step(
        "grow",
        body,
        {"rows": "load"},
        ("value",),
        parameters=("k",),
        foreach="i in rows",
        cache=False,
    )
    write_package(tmp_path, [LOAD, grow, PICK], parameters={"n": 3, "k": 1})
    failed = go(tmp_path)
    store = open_store()
    assert failed.status == "failed"
    assert failed.error is not None
    assert (failed.error["step"], failed.error["task"]) == ("grow", "1")
    assert (failed.error["cell"], failed.error["line"]) == (1, 2)
    assert "Cell 1, line 2, in grow" in failed.error["traceback"]
    assert store.task(failed.id, "pick") is None
    again = run_flow(RunRequest(None, on="inline", resume_of=failed.path))
    assert (again.status, again.parent) == ("failed", failed.id)
    # the step has --no-cache: only a run that resumes may take over its results
    assert [(marks / str(i)).read_text() for i in range(3)] == ["x", "xx", "x"]
    fixed = run_flow(RunRequest(None, on="inline", resume_of=again.path, params={"k": 5}))
    assert (fixed.status, fixed.params) == ("succeeded", {"n": 3, "k": 5})
    assert reasons(store, fixed)["grow/0"] == "the step says --no-cache"
    assert store.task(fixed.id, "load").status == "cached"  # type: ignore[union-attr]


def test_conditions_skip_and_another_writer_supplies(tmp_path: Path) -> None:
    new = step("new", "model = 'new'", {}, ("model",), parameters=("n",), when="n > 5")
    old = step("old", "model = 'old'", {}, ("model",), parameters=("n",), when="n <= 5")
    serve = step("serve", "used = model", {"model": ["old", "new"]}, ("used",))
    only = step("only", "also = model", {"model": "new"}, ("also",))
    fan = step("fan", "x = i", {"also": "only"}, ("x",), foreach="i in also")
    write(tmp_path, new, old, serve, only, fan)
    run = go(tmp_path)
    store = open_store()
    assert run.status == "succeeded"
    assert {t.step: t.status for t in store.tasks(run.id)} == {
        "new": "skipped",
        "old": "succeeded",
        "serve": "succeeded",
        "only": "skipped",
        "fan": "skipped",
    }
    assert value(store, run, "serve", "used") == "old"


def test_nested_fan_outs(tmp_path: Path) -> None:
    outer = step("outer", "inner_n = i + 1", {"rows": "load"}, ("inner_n",), foreach="i in rows")
    inner = step(
        "inner",
        "product = i * j",
        {"inner_n": "outer", "i": "outer"},
        ("product",),
        foreach="j in range(inner_n)",
        each="outer",
    )
    join = step(
        "join",
        "flat = [(b.parent.item, b.item, b.product) for b in inner]",
        {"inner": "inner"},
        ("flat",),
        fanouts=("inner",),
    )
    write(tmp_path, LOAD, outer, inner, join)
    run = go(tmp_path)
    store = open_store()
    assert run.status == "succeeded", run.error
    assert value(store, run, "join", "flat") == [
        (i, j, i * j) for i in range(3) for j in range(i + 1)
    ]


def test_no_items(tmp_path: Path) -> None:
    count = step("count", "n_tasks = len(grow)", {"grow": "grow"}, ("n_tasks",), fanouts=("grow",))
    write(tmp_path, LOAD, GROW, count)
    run = go(tmp_path, params={"n": 0})
    assert (run.status, run.metrics) == ("succeeded", {"n_tasks": 0})


def test_a_message_is_text_of_bounded_length(tmp_path: Path) -> None:
    red = step("red", r"raise ValueError('\x1b[31mno\x1b[0m rows\r\x00:\n' + 'x' * 100_000)")
    write(tmp_path, red)
    error = go(tmp_path).error
    assert error is not None
    assert error["message"] == "no rows:\n" + "x" * (MESSAGE - 10) + "…"
    assert "\x1b[31mno" in error["traceback"]


def test_a_message_is_without_the_name_of_its_type(tmp_path: Path) -> None:
    write(tmp_path, step("read", "import json; json.loads('?')"))
    error = go(tmp_path).error
    assert error is not None
    assert error["type"] == "JSONDecodeError"
    assert error["message"] == "Expecting value: line 1 column 1 (char 0)"


def test_an_unseen_change_in_place_is_an_error(tmp_path: Path) -> None:
    change = step(
        "change", "rows.append(1); done = 1", {"rows": "load"}, ("done",), unchanged=["rows"]
    )
    write(tmp_path, LOAD, change)
    run = go(tmp_path)
    assert run.error is not None
    assert (run.status, run.error["type"]) == ("failed", "NBF305")
    assert "`rows`" in run.error["message"]


def test_names_in_common_do_not_leak_between_tasks(tmp_path: Path) -> None:
    leak = step(
        "leak",
        "seen = hasattr(common, 'late'); common.late = i; common.kept.x = 1",
        {"rows": "load"},
        ("seen",),
        foreach="i in rows",
    )
    write(tmp_path, LOAD, leak, common="class kept: pass\n")
    run = go(tmp_path)
    store = open_store()
    assert [value(store, run, "leak", "seen", str(i)) for i in range(3)] == [False] * 3


def test_random_state_is_the_tasks_own_and_repeats(tmp_path: Path) -> None:
    draw = step(
        "draw",
        "import random; x = random.random()",
        {"rows": "load"},
        ("x",),
        foreach="i in rows",
    )
    write(tmp_path, LOAD, draw)
    store = open_store()
    runs = [go(tmp_path, seed=seed, cache=False) for seed in (1, 1, 2)]
    drawn = [[value(store, run, "draw", "x", str(i)) for i in range(3)] for run in runs]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(set(drawn[0])) == 3
    write(tmp_path, LOAD, draw, common="import random\nrandom.seed(7)\n")
    import random

    seeded = go(tmp_path)
    assert value(store, seeded, "draw", "x", "1") == random.Random(7).random()


def test_what_is_printed_and_shown(tmp_path: Path) -> None:
    body = """
    import sys
    print('one')
    class Table:
        def _repr_html_(self): return '<b>t</b>'
        def __repr__(self): return 'a table'
    notebook._emit(Table())
    print('two', file=sys.stderr)
    notebook._emit([1, 2])
    """
    write(tmp_path, step("talk", body))
    run = go(tmp_path)
    store = open_store()
    task = store.task(run.id, "talk")
    assert task is not None
    assert text(store, task.log) == "one\na table\ntwo\n[1, 2]\n"
    assert json.loads(text(store, task.outputs)) == [
        {
            "at": 4,
            "end": 12,
            "data": {"text/html": "<b>t</b>", "text/plain": "a table"},
            "metadata": {},
        }
    ]


def test_what_cannot_be_stored(tmp_path: Path) -> None:
    bad = step("bad", "gen = (i for i in [1])\nsmall = 1", {}, ("gen", "small"))
    write(tmp_path, bad, step("use", "x = list(gen)", {"gen": "bad"}, ("x",)))
    run = go(tmp_path)
    assert run.error is not None
    assert run.error["type"] == "NBF405"
    # where nobody reads it, it is left out
    write(tmp_path, {**bad, "crossing": []})
    assert go(tmp_path).status == "succeeded"


def test_what_cannot_be_made_anew(tmp_path: Path) -> None:
    odd = (
        "class Odd:\n    def __init__(self):\n        self.n = 1\n"
        "    def __setstate__(self, state):\n        raise KeyError('no such part')"
    )
    make = step("make", "odd = common.Odd()\nn = 2", {}, ("odd", "n"))
    use = step("use", "x = odd.n", {"n": "make", "odd": "make"}, ("x",))
    write(tmp_path, make, use, common=odd)
    run = go(tmp_path)
    assert run.error is not None
    assert (run.error["type"], run.error["step"]) == ("NBF405", "use")
    assert run.error["message"] == (
        "The variable `odd` was stored, but cannot be made anew from what was: KeyError: "
        "'no such part'. Put the step that makes `odd` and `use` into one, or make `odd` anew "
        "in `use`."
    )


def test_wrong_parameters(tmp_path: Path) -> None:
    write(tmp_path, LOAD)
    with pytest.raises(UserError) as caught:
        go(tmp_path, params={"m": 1, "n": "three"})
    assert [d.code for d in caught.value.diagnostics] == ["NBF401", "NBF402"]
    assert open_store().runs() == []


def test_one_task_by_itself(tmp_path: Path) -> None:
    write(tmp_path, LOAD, GROW)
    run = go(tmp_path)
    store = open_store()
    record = run_task(store, run.id, "grow", "1", attempt=2)
    assert (record.status, record.attempt, record.item) == ("succeeded", 2, 1)
    assert store.get(record.ref("value")) == 2


def test_an_edited_package_of_the_same_name_in_the_same_process(tmp_path: Path) -> None:
    write(tmp_path, step("a", "x = 1", {}, ("x",)))
    assert go(tmp_path).metrics == {"x": 1}
    write(tmp_path, step("a", "\n\nx = 1 / 0", {}, ("x",)))
    run = go(tmp_path)
    assert run.error is not None
    assert run.error["cell"] == 1


def test_a_timeout_in_this_process(tmp_path: Path) -> None:
    write(tmp_path, step("slow", "import time; time.sleep(30)", timeout=0.3))
    run = go(tmp_path)
    assert run.error is not None
    assert run.error["type"] == "TimeoutError"


def test_an_interrupt_that_nobody_sent_is_a_failure(tmp_path: Path) -> None:
    write(tmp_path, step("a", "raise KeyboardInterrupt"), step("b", "x = 1", outputs=("x",)))
    run = go(tmp_path)
    assert (run.status, run.metrics) == ("failed", {"x": 1})
    assert run.error is not None
    assert (run.error["type"], run.error["cell"], run.error["line"]) == ("KeyboardInterrupt", 1, 1)


def test_unpacked_targets(tmp_path: Path) -> None:
    pairs = step("pairs", "got = [a, b, c]", {"rows": "load"}, ("got",))
    pairs["foreach"] = {
        "source": "a, (b, c) in [(i, (i, 1)) for i in rows]",
        "inputs": pairs["inputs"],
    }
    pairs["targets"] = ["a", "b", "c"]
    write(tmp_path, LOAD, pairs)
    run = go(tmp_path)
    assert value(open_store(), run, "pairs", "got", "2") == [2, 2, 1]


def test_numbers_of_numpy_are_metrics(tmp_path: Path) -> None:
    values = {"mean": "float64(0.5)", "count": "int64(3)", "sure": "bool_(True)"}
    others = {"nothing": "float64('nan')", "day": "datetime64('2026-01-01')"}
    lines = [f"{name} = np.{code}" for name, code in {**values, **others}.items()]
    write(tmp_path, step("a", "\n".join(["import numpy as np", *lines]), {}, (*values, *others)))
    assert go(tmp_path).metrics == {"mean": 0.5, "count": 3, "sure": True}
