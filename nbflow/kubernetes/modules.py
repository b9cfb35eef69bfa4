"""Modules: a module that an image lacks, said so that one knows what to add to which image."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nbflow.store.records import TaskRecord


def with_missing_module(record: TaskRecord, image: str, manifest: Mapping[str, Any]) -> TaskRecord:
    """The record of a task that failed for want of a module, with what to do about it."""
    error = record.error
    if error is None or error.get("type") != "ModuleNotFoundError":
        return record
    found = re.search(r"No module named '([^']+)'", str(error.get("message")))
    if found is None:
        return record
    wanted = requirement(found[1], manifest.get("dependencies") or ())
    environments = {one["name"]: one.get("env") for one in manifest["steps"]}
    environment = environments.get(record.step)
    if environment:
        way = (
            f"Add it: %environment {environment} {wanted}, and build the image of the environment "
            "again: `nbflow export NOTEBOOK --to image`."
        )
    else:
        way = (
            f"Add it where the image is made: RUN pip install {wanted}; or have "
            "`nbflow export NOTEBOOK --to image` write all that the notebook imports."
        )
    said = f"No module named '{found[1]}': the image {image} that `{record.step}` runs in lacks it."
    said = f"{said} {way}"
    text = str(error.get("traceback") or "").replace(str(error.get("message")), said)
    return replace(record, error={**error, "message": said, "traceback": text})


def requirement(module: str, pinned: Any) -> str:
    """What to install for a module, pinned as the flow has it where it has."""
    from importlib.metadata import packages_distributions

    top = module.partition(".")[0]
    names = [_plain(one) for one in (*packages_distributions().get(top, ()), top)]
    for one in pinned:
        if _plain(re.split(r"[=<>!~\[; ]", one, maxsplit=1)[0]) in names:
            return str(one)
    return names[0]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
