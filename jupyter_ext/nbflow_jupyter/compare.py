"""Compare: any number of runs side by side; the first one is the baseline."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from nbflow.environments.locks import flat
from nbflow.store import Store
from nbflow.store.records import RunRecord
from nbflow.values.ref import Ref
from nbflow_jupyter import shapes, wire
from nbflow_jupyter.versions import flow_version, module_path

#: modules that belong to no single step
_SHARED = ("common.py", "params.py")


def compare(store: Store, runs: Sequence[RunRecord], rows: Sequence[wire.RunRow]) -> wire.Compare:
    """Everything that runs can differ in."""
    data = [_data(store, run) for run in runs]
    return {
        "runs": list(rows),
        "params": _table([run.params for run in runs]),
        "metrics": _table([run.metrics for run in runs]),
        "environment": _table([flat(store.environment(run)) for run in runs]),
        "data": _table(
            [{name: _shown(ref) for name, ref in one.items()} for one in data],
            [{name: ref.identity for name, ref in one.items()} for one in data],
        ),
        "code": _code(store, runs),
    }


def _table(
    columns: Sequence[Mapping[str, Any]], identities: Sequence[Mapping[str, Any]] | None = None
) -> list[wire.CompareRow]:
    """A row for each name that any of the runs has, in order of first sight."""
    by = identities or columns
    found: list[wire.CompareRow] = []
    for name in dict.fromkeys(name for column in columns for name in column):
        present = [name in column for column in columns]
        texts = {json.dumps(one[name], sort_keys=True) if name in one else None for one in by}
        found.append(
            {
                "name": name,
                "values": [column.get(name) for column in columns],
                "present": present,
                "differs": len(texts) > 1,
            }
        )
    return found


def _data(store: Store, run: RunRecord) -> dict[str, Ref]:
    """What the steps that do not fan out have kept, but for small values, which are metrics."""
    found: dict[str, Ref] = {}
    for step in flow_version(store, run.version).spec.steps:
        record = None if step.line else store.task(run.id, step.name)
        for name, data in (record.artifacts if record else {}).items():
            if data.get("at"):
                found[f"{step.name}/{name}"] = Ref.from_json(data)
    return found


def _shown(ref: Ref) -> dict[str, Any]:
    info = shapes.artifact("", "", ref)
    return {name: info[name] for name in ("type", "size", "text", "preview")}


def _code(store: Store, runs: Sequence[RunRecord]) -> list[wire.CodeDiff]:
    """Unified diffs of the modules that are not the same in all runs."""
    held: dict[str, dict[str, str]] = {}
    for run in runs:
        if run.version not in held:
            held[run.version] = _sources(store, run.version)
    first = held[runs[0].version]
    found: list[wire.CodeDiff] = []
    for name in dict.fromkeys(name for one in held.values() for name in one):
        diffs = {
            version: "".join(
                difflib.unified_diff(
                    first.get(name, "").splitlines(keepends=True),
                    texts.get(name, "").splitlines(keepends=True),
                    runs[0].version,
                    version,
                )
            )
            for version, texts in held.items()
        }
        if any(diffs.values()):
            found.append({"name": name, "diffs": [diffs[run.version] for run in runs]})
    return found


def _sources(store: Store, version: str) -> dict[str, str]:
    """The text of each step's module by the step's name, and the shared modules by theirs."""
    record = store.version(version)
    texts = {
        step["name"]: record.files.get(module_path(step), "") for step in record.manifest["steps"]
    }
    package = record.manifest["package"]
    shared = {name: record.files.get(f"{package}/{name}") for name in _SHARED}
    return {**texts, **{name: text for name, text in shared.items() if text is not None}}
