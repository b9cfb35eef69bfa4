"""Data diffs: a stored value as the few numbers that two runs can differ in."""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from nbflow.client.text import plural
from nbflow.flags.facts import Numbers, ValueFacts
from nbflow.runtime.reads import MANY, MOST

if TYPE_CHECKING:
    from nbflow.client.run import Run

#: digits of a digest that are shown
_DIGITS = 8


def files_read(run: Run) -> dict[str, tuple[str, str]]:
    """The files that a run's tasks have read: by name, what is shown and what tells contents apart.

    Names start from the notebook's folder, as its cells have them, so that runs in two copies of a
    project agree.
    """
    notebook = run.record.notebook
    home = os.path.realpath(PurePath(notebook).parent) if notebook else ""
    found: dict[str, tuple[str, str]] = {}
    for path, digest in run.store.files_read(run.id).items():
        if path == MANY:
            found[f"more than {MOST:,} files"] = ("not noted", "")
            continue
        below = bool(home) and path.startswith(f"{home}{os.sep}")
        name = os.path.relpath(path, home) if below else path
        found[name] = (digest[:_DIGITS] or "not known", digest)
    return found


def statistics(value: ValueFacts) -> dict[str, Any]:
    """The numbers of a value by name: `rows`, `mean`, and for a column `age: mean`."""
    if value.kind in ("number", "bool", "text", "nothing"):
        return {}
    found: dict[str, Any] = {}
    if value.size is not None:
        found["rows" if value.kind in ("frame", "series", "array") else "length"] = value.size
    if value.kind == "frame":
        found["columns"] = value.wide
    if value.shape:
        found["shape"] = list(value.shape)
    if value.numbers is not None:
        found |= _numbers(value.numbers)
    for column, numbers in value.columns.items():
        found |= {f"{column}: {name}": one for name, one in _numbers(numbers).items()}
    return found


def summed_up(value: ValueFacts) -> str:
    """A variable over the tasks of a fan-out, in short."""
    short = value.type.rpartition(".")[2]
    told = f"{value.tasks:,} x {short}"
    if value.size is None:
        return told
    words = {"frame": "row", "series": "row", "array": "row", "text": "character"}
    return f"{told}, {plural(value.size, words.get(value.kind, 'item'))} in all"


def _numbers(one: Numbers) -> dict[str, Any]:
    told: dict[str, Any] = {"type": one.dtype} if one.dtype else {}
    told["missing"] = f"{one.rate:.2%}" if one.missing else "0%"
    if one.mean is not None:
        told |= {"mean": one.mean, "std": one.std, "min": one.low, "max": one.high}
    if one.distinct is not None:
        told["distinct"] = one.distinct
    return {name: _rounded(value) for name, value in told.items() if value is not None}


def _rounded(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value
