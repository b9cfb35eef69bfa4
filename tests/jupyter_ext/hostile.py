"""Hostile: a run whose records hold what a hostile notebook could put there."""

from __future__ import annotations

import json
import os
from typing import Any

from nbflow.store import Store
from nbflow.store.records import AttemptRecord, TaskRecord


class Evil:
    """Its pickle would leave a mark when loaded."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("unpickled",)


def write_odd(store: Store) -> None:
    """A failed run with everything a hostile notebook could put into records."""
    step = {
        "name": "st<b>ep",
        "function": "odd.steps.step:step",
        "cells": [0],
        "outputs": ["evil"],
        "inputs": [],
        "parameters": [],
        "depends": [],
        "code": "x",
    }
    manifest = {"schema": 1, "name": "odd", "package": "odd", "version": "0+odd"}
    manifest |= {"parameters": [], "steps": [step]}
    store.add_version("0+odd", manifest, {"odd/steps/step.py": "def step(): ...\n"}, b"not json")
    run = store.create_run(
        "odd",
        "0+odd",
        params={"nan": float("nan"), "<img src=x onerror=alert(1)>": "</script>" * 100},
        tags=["<script>alert(1)</script>"],
        user="eve",
        engine="dask",
        notebook="/etc/passwd",
    )
    writer = store.writer("odd")
    shown = [
        {"at": 0, "end": 1, "data": {"text/html": "<script>fetch('/api/contents')</script>"}},
        {"at": 1, "end": 2, "data": {"text/plain": "plain"}},
    ]
    error = {
        "step": "st<b>ep",
        "task": "",
        "cell": 0,
        "line": 1,
        "type": "ValueError",
        "message": "<script>",
        "traceback": "Traceback",
    }
    fake = {"kind": "image", "image": writer.put_bytes(b"<svg onload=alert(1)>").to_json()}
    png = {"kind": "image", "image": writer.put_bytes(b"\x89PNG\r\n\x1a\nrest").to_json()}
    evil = writer.put(Evil(), "evil").to_json()
    artifacts = {
        "evil": evil,
        'a"\r\nX-Evil: 1\\../ö': evil,
        "fake": evil | {"preview": fake},
        "picture": evil | {"preview": png},
        "inf": writer.put(float("inf"), "inf").to_json(),
    }
    record = TaskRecord(
        "st<b>ep",
        "",
        "failed",
        attempt=2,
        started=10.0,
        finished=12.0,
        artifacts=artifacts,
        log=writer.put_bytes("aé€😀z".encode() * 1000).to_json(),
        outputs=writer.put_bytes(json.dumps(shown).encode()).to_json(),
        error=error,
    )
    first = AttemptRecord(
        "st<b>ep", "", 1, "failed", started=8.0, log=writer.put_bytes(b"first try").to_json()
    )
    writer.close()
    store.publish(run.id, [record])
    store.add_attempts(run.id, [first])
    store.update_run(run.id, status="failed", started=10.0, finished=12.0, error=error)
