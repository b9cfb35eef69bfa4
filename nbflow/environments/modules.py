"""Modules: what an environment lacks, said so that one knows which line to write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from typing import Any

from nbflow.store.records import TaskRecord

_LACKS = re.compile(r"No module named '([^']+)'")
#: what pickle says of a class that a module of another version does not have
_DIFFERS = re.compile(r"Can't get attribute '([^']+)' on <module '([^']+)'")


def with_missing_module(
    record: TaskRecord, environment: str | None, held: Mapping[str, str]
) -> TaskRecord:
    """The record of a task that failed for want of a module, with what to do about it.

    ``held`` are the versions in the environment, by distribution; called where the other
    environment is: the driver knows what the module is called on an index.
    """
    error = record.error
    if error is None or environment is None:
        return record
    message = str(error.get("message"))
    lacks, differs = _LACKS.search(message), _DIFFERS.search(message)
    if lacks is not None and error.get("type") == "ModuleNotFoundError":
        module, start = lacks[1], lacks[0]
    elif differs is not None:
        module, start = differs[2], differs[0] + ">"
    else:
        return record
    name, wanted = _distribution(module)
    there = held.get(name)
    if there is None:
        why = "lacks it"
    else:
        why = f"has {name} {there}, and the value was made with another version"
    said = (
        f"{start}: the environment `{environment}` that `{record.step}` runs in {why}. "
        f"Add it: %environment {environment} {wanted}"
    )
    text = str(error.get("traceback") or "").replace(message, said)
    return replace(record, error={**error, "message": said, "traceback": text})


def _distribution(module: str) -> tuple[str, str]:
    """The distribution that has a module here, in its normal form, and it pinned as it is here."""
    top = module.partition(".")[0]
    name: Any = next(iter(packages_distributions().get(top, ())), top)
    normal = re.sub(r"[-_.]+", "-", name).lower()
    try:
        return normal, f"{normal}=={version(name)}"
    except PackageNotFoundError:
        return normal, normal
