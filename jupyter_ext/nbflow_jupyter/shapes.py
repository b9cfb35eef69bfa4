"""Shapes: runs, tasks, errors and artifacts as the front end has them; nothing is unpickled."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Iterable, Mapping
from typing import Any, cast

from nbflow.store.records import AttemptRecord, RunRecord, TaskRecord, task_path
from nbflow.values.codecs import decode_inline
from nbflow.values.ref import Ref
from nbflow_jupyter import wire

#: characters of a value in a list, and how many values there are in a row
_SHORT = 120
_MANY = 40
#: characters of an artifact's value in full
_LONG = 10_000
#: characters of an error's message in a list
_MESSAGE = 400

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _SHORT
_repr.maxlist = _repr.maxtuple = _repr.maxdict = _repr.maxset = 12


def run_row(
    record: RunRecord,
    notebook: str | None,
    steps: Iterable[wire.StepState] = (),
    flags: int = 0,
) -> wire.RunRow:
    """A run in a list; ``notebook`` is its file below the server's root."""
    return {
        "run": record.path,
        "id": record.id,
        "flow": record.flow,
        "number": record.number,
        "status": cast(wire.RunStatus, record.status),
        "created": record.created,
        "started": record.started,
        "finished": record.finished,
        "engine": record.engine,
        "branch": record.branch,
        "tags": list(record.tags),
        "user": record.user,
        "version": record.version,
        "notebook": notebook,
        "params": short_values(record.params),
        "metrics": short_values(record.metrics),
        "error": error_note(record.error),
        "cancelling": record.cancel is not None and record.status in ("pending", "running"),
        "flags": flags,
        "steps": list(steps),
    }


def task_row(run: str, record: TaskRecord) -> wire.TaskRow:
    """A task in a list."""
    return {
        "step": record.step,
        "key": record.key,
        "part": record.part,
        "path": task_path(run, record.step, record.key),
        "status": record.status,
        "attempt": record.attempt,
        "item": _short(record.item),
        "started": record.started,
        "finished": record.finished,
        "worker": record.worker,
        "cached_from": record.cached_from,
        "reason": record.reason,
        "values": _scalars(record.artifacts),
        "error": error_note(record.error),
    }


def attempt(record: AttemptRecord) -> wire.Attempt:
    """An attempt that failed."""
    return {
        "attempt": record.attempt,
        "part": record.part,
        "status": record.status,
        "started": record.started,
        "finished": record.finished,
        "worker": record.worker,
        "error": run_error(record.error),
    }


def artifact(path: str, name: str, ref: Ref) -> wire.ArtifactInfo:
    """A kept value by its record."""
    plain = not ref.at
    preview = ref.preview or None
    return {
        "name": name,
        "path": f"{path}/{name}",
        "type": ref.type,
        "size": ref.size,
        "codec": ref.codec,
        "oid": ref.oid,
        "text": repr(decode_inline(ref))[:_LONG] if plain else _headline(ref),
        "plain": plain,
        "preview": {k: v for k, v in preview.items() if k != "image"} if preview else None,
        "image": bool(preview and preview.get("image")),
    }


def error_note(error: Mapping[str, Any] | None) -> wire.ErrorNote | None:
    """An error in short."""
    if error is None:
        return None
    return {
        "step": str(error.get("step") or ""),
        "task": str(error.get("task") or ""),
        "cell": error.get("cell"),
        "line": error.get("line"),
        "type": str(error.get("type") or ""),
        "message": str(error.get("message") or "")[:_MESSAGE],
    }


def run_error(error: Mapping[str, Any] | None) -> wire.RunError | None:
    """An error in full."""
    note = error_note(error)
    if error is None or note is None:
        return None
    return {
        "step": note["step"],
        "task": note["task"],
        "cell": note["cell"],
        "line": note["line"],
        "type": note["type"],
        "message": str(error.get("message") or ""),
        "traceback": str(error.get("traceback") or ""),
    }


def short_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The first values by name, long ones as a short text."""
    return {name: _short(value) for name, value in list(values.items())[:_MANY]}


def inline_text(data: Mapping[str, Any]) -> str:
    """A value's record in short, whatever it is."""
    ref = Ref.from_json(dict(data))
    return _repr.repr(decode_inline(ref)) if not ref.at else _headline(ref)


def _scalars(artifacts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The small values among a task's artifacts."""
    found: dict[str, Any] = {}
    for name, data in artifacts.items():
        if not data.get("at"):
            found[name] = _short(_plain(data))
            if len(found) == _MANY:
                break
    return found


def _plain(data: Mapping[str, Any]) -> Any:
    value = decode_inline(Ref.from_json(dict(data)))
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return value.item() if type(value).__module__ == "numpy" else _repr.repr(value)


def _short(value: Any) -> Any:
    """The value where it is small, else a text of it."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value if len(value) <= _SHORT else value[: _SHORT - 1] + "…"
    try:
        if len(json.dumps(value)) <= _SHORT:
            return value
    except (TypeError, ValueError):
        pass
    return _repr.repr(value)


def _headline(ref: Ref) -> str:
    """A stored value in a few words: `DataFrame 3 x 2`."""
    preview = ref.preview or {}
    shape = preview.get("shape")
    facts = [" x ".join(map(str, shape))] if isinstance(shape, list) else []
    facts += [str(preview[name]) for name in ("dtype", "length") if preview.get(name)]
    head = " ".join([ref.type.rpartition(".")[2], *facts])
    return f"{head}: {str(preview['repr'])[:_SHORT]}" if preview.get("repr") else head
