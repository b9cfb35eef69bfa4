"""Config: what `[tool.nbflow]` of the nearest pyproject.toml, and the environment, decide.

```toml
[tool.nbflow]
store = ".nbflow"              # where runs are kept, relative to this file, or postgresql://…
objects = "s3://bucket/folder" # where a new store keeps its values, if not in its folder
on = "dask"                    # the engine, and how it runs
max-workers = 8

[tool.nbflow.profiles.cluster] # chosen by --profile cluster or NBFLOW_PROFILE
on = "tcp://scheduler:8786"
tags = ["cluster"]

[tool.nbflow.kubernetes]       # see nbflow/kubernetes/settings.py; in a profile as well
image = "registry.example/churn:1"
```
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbflow.errors import UserError, user_error

if TYPE_CHECKING:
    from nbflow.store import Store


@dataclass(frozen=True, slots=True)
class Config:
    """Defaults for the command line and the client; what is unset stays with the built-in ones."""

    #: where the store is; None: `.nbflow` beside the notebook
    store: str | None = None
    #: where a new store keeps its values
    objects: str | None = None
    on: str | None = None
    max_workers: int | None = None
    tags: tuple[str, ...] = ()
    branch: str | None = None
    #: what is said of an engine, by its name: `[tool.nbflow.kubernetes]`
    kubernetes: Mapping[str, Any] = field(default_factory=dict)


_TYPES: dict[str, tuple[type, str]] = {
    "store": (str, "a text"),
    "objects": (str, "a text"),
    "on": (str, "a text"),
    "max-workers": (int, "a whole number"),
    "tags": (list, "a list of texts"),
    "branch": (str, "a text"),
    "kubernetes": (dict, "a table"),
}


def load_config(start: Path | None = None, profile: str | None = None) -> Config:
    """The configuration that holds in ``start``, or else in the working directory."""
    profile = profile or os.environ.get("NBFLOW_PROFILE") or None
    path = _find((start or Path.cwd()).resolve())
    table = {} if path is None else _read(path)
    where = str(path) if path else "a pyproject.toml above this folder"
    profiles = table.pop("profiles", {})
    config = _merge(Config(), table, path, where)
    if profile is not None:
        if profile not in profiles:
            known = ", ".join(profiles) or "none"
            raise user_error(
                "NBF406",
                f"There is no profile {profile!r} in {where}; the profiles there: {known}.",
                f"Add a table [tool.nbflow.profiles.{profile}], or choose another.",
            )
        config = _merge(config, profiles[profile], path, where)
    location = os.environ.get("NBFLOW_STORE")
    return replace(config, store=location) if location else config


def find_store(
    start: Path | None = None, location: str | Path | None = None, *, create: bool = False
) -> Store:
    """The store that holds in ``start``: the one named, the configured one, or `.nbflow` there."""
    from nbflow.store import open_store

    config = load_config(start)
    named = location or config.store
    return open_store(named, start, new_objects=config.objects, create=create)


def _find(folder: Path) -> Path | None:
    for one in (folder, *folder.parents):
        path = one / "pyproject.toml"
        # cheap look first: most projects do not speak of nbflow
        if path.is_file() and b"tool.nbflow" in path.read_bytes():
            return path
    return None


def _read(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _wrong(f"{path} is not valid TOML: {error}.", "Put that line right.") from error
    return dict(data.get("tool", {}).get("nbflow", {}))


def _merge(config: Config, table: Mapping[str, Any], path: Path | None, where: str) -> Config:
    changes: dict[str, Any] = {}
    for name, value in table.items():
        if name not in _TYPES:
            close = get_close_matches(name, _TYPES, 1)
            hint = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(_TYPES)}."
            raise _wrong(f"{where} sets {name!r} in [tool.nbflow], which nbflow lacks.", hint)
        kind, said = _TYPES[name]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise _wrong(f"{where} sets {name} to {value!r}.", f"It must be {said}.")
        changes[name.replace("-", "_")] = tuple(value) if isinstance(value, list) else value
        if isinstance(value, dict):
            # a profile's table changes some of it
            changes[name] = {**getattr(config, name), **value}
    for name in ("store", "objects"):
        location = changes.get(name)
        if path is not None and location is not None and "://" not in location:
            changes[name] = str(path.parent / Path(location).expanduser())
    assert {*changes} <= {one.name for one in fields(Config)}
    return replace(config, **changes)


def _wrong(message: str, fix: str) -> UserError:
    return user_error("NBF406", message, fix)
