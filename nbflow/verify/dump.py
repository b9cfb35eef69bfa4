"""Dump: a step's variables as they are in a kernel, written to a file for the comparison."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle  # type: ignore[import-untyped,unused-ignore]

from nbflow.values.references import find, process_wide


def dump(namespace: Mapping[str, Any], names: Iterable[str], path: str) -> None:
    """Write the variables; each on its own, as one that cannot be pickled must not hide others.

    Those that share parts are put together first: the comparison looks at values only.
    """
    held: dict[str, bytes | None] = {}
    for name in names:
        if name in namespace and not issubclass(type(namespace[name]), ModuleType):
            held[name] = _pickled(namespace[name], name)
    Path(path).write_bytes(pickle.dumps(held))


def load(path: str | Path) -> dict[str, Any]:
    """The variables that could be written, by name; `UNREADABLE` for the others."""
    held = pickle.loads(Path(path).read_bytes())
    return {name: _value(data) for name, data in held.items()}


class _Unreadable:
    def __repr__(self) -> str:
        return "a value that cannot be pickled"


#: stands for a value that the kernel has and that no file can hold
UNREADABLE = _Unreadable()


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc,unused-ignore]
    """Functions of the notebook go by value; the generators that a process has once do not."""

    def reducer_override(self, obj: Any) -> Any:
        """Called by pickle for everything but the plainest types."""
        found = process_wide(obj)
        return super().reducer_override(obj) if found is None else (find, found)


def _pickled(value: Any, name: str) -> bytes | None:
    from nbflow.branches import Branches
    from nbflow.values.codecs import encode

    if type(value) is Branches:
        value = {"branches": [dict(one._source.values) for one in value]}
    try:
        encode(value, name)  # a run must be able to store it too
        file = io.BytesIO()
        _Pickler(file).dump(value)
    except Exception:
        return None
    return file.getvalue()


def _value(data: bytes | None) -> Any:
    if data is None:
        return UNREADABLE
    try:
        return pickle.loads(data)
    except Exception:
        return UNREADABLE
