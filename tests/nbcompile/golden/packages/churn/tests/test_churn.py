"""The steps of churn can be imported, and its graph is whole."""

from __future__ import annotations

import importlib
import json
import shlex
from pathlib import Path

import churn

MANIFEST = json.loads((Path(churn.__file__).parent / "flow.json").read_text())


def test_every_step_can_be_imported() -> None:
    for step in MANIFEST["steps"]:
        module, _, function = step["function"].partition(":")
        assert callable(getattr(importlib.import_module(module), function))


def test_steps_come_after_what_they_depend_on() -> None:
    done: set[str] = set()
    for step in MANIFEST["steps"]:
        assert done.issuperset(step["depends"])
        done.add(step["name"])
