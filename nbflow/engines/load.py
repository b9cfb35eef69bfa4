"""Load: the engine that `--on` names, found by entry point."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from nbflow.engines.base import Engine
from nbflow.errors import user_error

GROUP = "nbflow.engines"


def load_engine(on: str, settings: Mapping[str, Any] | None = None) -> Engine:
    """The engine of a name, `dask`, or of an address, `tcp://host:8786`.

    Which one it is in Kubernetes, its settings decide: pods, or Dask workers.
    """
    if on == "kubernetes" and (settings or {}).get("workers") is not None:
        from nbflow.engines.dask import DaskEngine
        from nbflow.kubernetes.dask import OwnCluster

        return DaskEngine(on, OwnCluster(), own=True)
    name = "dask" if "://" in on else on
    found = {one.name: one for one in entry_points(group=GROUP)}
    if name in found:
        make: Any = found[name].load()
    elif name in _OWN:
        make = _own(name)
    else:
        known = ", ".join(f"`{one}`" for one in sorted({*found, *_OWN}))
        raise user_error(
            "NBF404",
            f"There is no engine called {on!r}.",
            f"Known are {known}, and addresses of Dask schedulers such as tcp://host:8786.",
        )
    engine: Engine = make(on)
    return engine


def _own(name: str) -> Any:
    # a checkout that is not installed has no entry points
    module, _, made = _OWN[name].partition(":")
    return getattr(import_module(module), made)


_OWN = {
    "dask": "nbflow.engines.dask:DaskEngine",
    "inline": "nbflow.engines.inline:InlineEngine",
    "kubernetes": "nbflow.engines.kubernetes:KubernetesEngine",
}
