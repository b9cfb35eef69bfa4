"""Facts: what records say, in few numbers; nothing is loaded for them."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbflow.flags.facts import Facts, Numbers, ValueFacts, collect_facts, value_facts
from nbflow.runtime.spec import read_spec
from nbflow.store import open_store
from nbflow.store.records import TaskRecord


def manifest() -> dict[str, Any]:
    def step(name: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "function": f"f.steps.{name}:{name}", "code": name} | more

    foreach = {"function": "f.steps.train:items", "source": "n in range(3)"}
    steps = [step("load"), step("train", foreach=foreach, targets=["n"])]
    return {"name": "f", "package": "f", "steps": steps}


@pytest.fixture
def put(tmp_path: Path) -> Any:
    store = open_store(tmp_path)
    writer = store.writer("t")
    yield lambda value: writer.put(value, "value").to_json()
    writer.close()
    store.close()


def test_every_kind_of_value(put: Any) -> None:
    def of(value: Any) -> ValueFacts:
        made = value_facts(put(value))
        assert made.type
        return made

    assert of(0.5).numbers == Numbers("float", 1, 1, 0, 0.5, 0.0, 0.5, 0.5)
    assert of(np.float32(2)).numbers == Numbers("numpy.float32", 1, 1, 0, 2.0, 0.0, 2.0, 2.0)
    assert of(float("nan")).numbers == Numbers("float", 1, 1, 1)
    assert of(10**300).numbers == Numbers("int", 1, 1, 1)
    assert of(True) == ValueFacts("bool", "bool", 1, bytes=4)
    assert of(None).kind == "nothing"
    assert of("abc").size == 3
    assert of("a" * 5000).kind == "text"
    assert of([1, 2, 3]).numbers == Numbers("", 3, 3, 0, 2.0, pytest.approx(0.8164965809), 1.0, 3.0)
    assert of(["a", 1]).numbers is None
    assert of((1, 2)).size == 2
    scores = of({"auc": np.float64(0.5), "name": "x"})
    assert (scores.kind, list(scores.columns), scores.wide) == ("dict", ["auc"], 2)
    assert of(list(range(5000))).size == 5000
    assert of(object).kind == "object"
    array = of(np.ones((4, 3)))
    assert (array.kind, array.size, array.shape) == ("array", 4, (3,))
    assert array.numbers == Numbers("float64", 12, 12, 0, 1.0, 0.0, 1.0, 1.0)
    frame = of(pd.DataFrame({"a": [1.0, None], "b": ["x", "y"]}))
    assert (frame.kind, frame.size, frame.wide, list(frame.columns)) == ("frame", 2, 2, ["a", "b"])
    assert frame.columns["a"].rate == 0.5
    assert frame.columns["b"] == Numbers(frame.columns["b"].dtype, 2, 2, 0, distinct=2)
    assert of(pd.Series([1.0])).kind == "series"


def test_a_run(put: Any) -> None:
    def task(step: str, key: str = "", **more: Any) -> TaskRecord:
        settled: dict[str, Any] = {"status": "succeeded", "started": 10.0, "finished": 12.0}
        return TaskRecord(step, key, **settled | more)

    halves = [pd.DataFrame({"x": [0.0] * n, "y": ["a"] * n}) for n in (1, 3)]
    facts = collect_facts(
        read_spec(manifest()),
        [
            task("load", artifacts={"n": put(3), "_seed": put(1)}),
            task("train", "0", artifacts={"score": put(0.5), "part": put(halves[0])}),
            task(
                "train", "1", artifacts={"score": put(1.5), "part": put(halves[1])}, status="cached"
            ),
            task("train", "2", status="failed", artifacts={}),
        ],
    )
    assert list(facts.values) == ["load/n", "train/score", "train/part"]
    assert facts.values["train/score"].numbers == Numbers("float", 2, 2, 0, 1.0, 0.5, 0.5, 1.5)
    part = facts.values["train/part"]
    assert (part.tasks, part.size, part.wide) == (2, 4, 2)
    assert part.columns["x"] == Numbers("float64", 4, 4, 0, 0.0, 0.0, 0.0, 0.0)
    train = facts.steps["train"]
    assert (train.tasks, train.ran, train.failed, train.seconds) == (3, 1, 1, 2.0)
    assert Facts.from_json(json.loads(json.dumps(facts.to_json()))) == facts
    assert facts.timeless().steps["train"].seconds is None


def test_a_part_of_the_tasks_stands_for_all(put: Any) -> None:
    one = TaskRecord("train", "0", "succeeded", artifacts={"part": put(np.ones((4, 2)))})
    facts = collect_facts(
        read_spec(manifest()), [one, one, *[replace(one, artifacts={})] * 2], {"train": 2}
    )
    part = facts.values["train/part"]
    assert (facts.steps["train"].tasks, part.tasks, part.size) == (4, 4, 16)


FLOATS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20)


@given(st.lists(FLOATS, min_size=1, max_size=5))
def test_parts_are_pooled_as_if_they_were_one(parts: list[list[float]]) -> None:
    from nbflow.flags.facts import _of, _pooled

    pooled, whole = _pooled([_of(one, "") for one in parts]), _of(list(chain(*parts)), "")
    assert (pooled.count, pooled.low, pooled.high) == (whole.count, whole.low, whole.high)
    assert pooled.mean == pytest.approx(whole.mean, rel=1e-6, abs=1e-6)
    assert pooled.std == pytest.approx(whole.std, rel=1e-6, abs=1e-3)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=10,
    )
)
def test_any_plain_value_has_facts_that_json_holds(value: Any) -> None:
    from nbflow.values.codecs import encode_inline

    ref = encode_inline(value)
    if ref is not None:
        made = Facts({}, {"a/b": value_facts(ref.to_json())})
        assert Facts.from_json(json.loads(json.dumps(made.to_json(), allow_nan=False))) == made
