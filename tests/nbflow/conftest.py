"""Fixtures: a store with two runs of a small flow, written as an engine would have written it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nbflow.store import Store, open_store
from nbflow.store.records import TaskRecord

COMMON = "class Model:\n    def __init__(self, depth):\n        self.depth = depth\n"


def step(name: str, **more: Any) -> dict[str, Any]:
    """A step's entry in the manifest."""
    return {
        "name": name,
        "function": f"churn.steps.{name}:{name}",
        "cells": [1],
        "outputs": [],
        "inputs": [],
        "parameters": [],
        "depends": [],
        "code": "x",
    } | more


def manifest(version: str) -> dict[str, Any]:
    """load → train for each country → choose, → never."""
    reads = [{"name": "countries", "sources": ["load"], "kind": "value"}]
    foreach = {
        "function": "churn.steps.train:train_items",
        "source": "country in countries",
        "inputs": reads,
        "parameters": [],
    }
    return {
        "schema": 1,
        "name": "churn",
        "package": "churn",
        "version": version,
        "parameters": [{"name": "alpha", "annotation": "float", "default": 0.1}],
        "steps": [
            step("load", outputs=["countries", "rows"], crossing=["countries"]),
            step(
                "train",
                outputs=["score"],
                targets=["country"],
                target="country",
                foreach=foreach,
                depends=["load"],
            ),
            step("choose", outputs=["best", "status", "rows"], depends=["train"]),
        ],
    }


def write_run(store: Store, alpha: float, *, fails: bool = False) -> str:
    """A run with three countries; the last fails where asked for."""
    version = f"0+{'f' if fails else 'a'}"
    files = {
        "churn/__init__.py": "",
        "churn/common.py": COMMON,
        "churn/steps/load.py": "def load(): ...\n",
        "churn/steps/train.py": f"def train(country): return {alpha}\n",
        "churn/steps/choose.py": "def choose(train): ...\n",
        "churn/flow.json": "{}",
    }
    store.add_version(version, manifest(version), files, b"{}")
    packages = {"packages": {"pandas": "3.0.0" if fails else "2.2.0"}, "python": "3.11"}
    run = store.create_run(
        "churn", version, params={"alpha": alpha}, tags=["demo"], environment=packages
    )
    writer = store.writer("t")
    countries = ["FI", "US", "<script>"]

    def put(**values: Any) -> dict[str, Any]:
        return {name: writer.put(value, name).to_json() for name, value in values.items()}

    def record(name: str, key: str = "", **more: Any) -> TaskRecord:
        settled: dict[str, Any] = {"status": "succeeded", "started": 10.0, "finished": 12.0}
        return TaskRecord(name, key, **settled | more)

    error = {
        "step": "train",
        "task": "2",
        "cell": 3,
        "line": 2,
        "type": "ValueError",
        "message": "no rows",
        "traceback": "Traceback …\nValueError: no rows",
    }
    items = {"items": writer.put_items(countries, "items").to_json()}
    records = [
        record(
            "load",
            artifacts=put(countries=countries, rows=list(range(5000))),
            log=writer.put_bytes(b"loading\n100 %\xff\n").to_json(),
        ),
        record("train", part="items", artifacts=items, count=3),
    ]
    for at, country in enumerate(countries):
        if fails and at == 2:
            printed = writer.put_bytes(b"looking\n").to_json()
            records.append(
                record("train", "2", item=country, status="failed", error=error, log=printed)
            )
        else:
            values = put(score=at * alpha)
            records.append(record("train", str(at), item=country, artifacts=values))
    if not fails:
        shown = b'[{"at": 0, "end": 3, "data": {"text/plain": "x", "text/html": "<b>x</b>"}}]'
        records.append(
            record(
                "choose",
                artifacts=put(best="FI", status="own"),
                outputs=writer.put_bytes(shown).to_json(),
            )
        )
    writer.close()
    store.publish(run.id, records)
    store.update_run(
        run.id,
        status="failed" if fails else "succeeded",
        started=10.0,
        finished=14.0,
        metrics={} if fails else {"best": "FI"},
        error=error if fails else None,
    )
    return run.path


@pytest.fixture
def churn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The store of the working directory, with churn/1 and the failed churn/2."""
    monkeypatch.chdir(tmp_path)
    opened = open_store(None, tmp_path)
    write_run(opened, 0.1)
    write_run(opened, 0.5, fails=True)
    yield opened
    opened.close()
