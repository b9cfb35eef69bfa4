"""Load: the engine that `--on` names, found by entry point."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from nbflow.engines.base import Engine
from nbflow.errors import user_error

GROUP = "nbflow.engines"

#: how the address of a scheduler begins
SCHEMES = ("tcp", "tls", "ws", "wss", "ucx", "inproc")


def load_engine(on: str, settings: Mapping[str, Any] | None = None) -> Engine:
    """The engine of a name, `dask`, or of an address, `tcp://host:8786`.

    Which one it is in Kubernetes, its settings decide: pods, or Dask workers of the run's own, or
    those of a scheduler that is there.
    """
    workers = (settings or {}).get("workers")
    if on == "kubernetes" and workers is not None:
        from nbflow.engines.dask import DaskEngine
        from nbflow.kubernetes.dask import OwnCluster

        if "://" in str(workers):
            return DaskEngine(workers)
        return DaskEngine(on, OwnCluster(), own=True)
    scheme, there, _ = on.partition("://")
    if there and scheme not in SCHEMES:
        raise user_error(
            "NBF404",
            f"{on} is not the address of a Dask scheduler, which begins with tcp:// or tls://.",
            "The scheduler prints it when it starts; http:// is its dashboard."
            if scheme.startswith("http")
            else "The scheduler prints it when it starts.",
        )
    name = "dask" if there else on
    found = {one.name: one for one in entry_points(group=GROUP)}
    if name in found:
        make: Any = found[name].load()
    elif name in _OWN:
        make = _own(name)
    else:
        raise user_error(
            "NBF404", f"There is no engine called {on!r}.", _meant(on, {*found, *_OWN})
        )
    engine: Engine = make(on)
    return engine


def _meant(on: str, known: Iterable[str]) -> str:
    close = get_close_matches(on, known, 1)
    if close:
        return f"Did you mean `{close[0]}`?"
    if re.fullmatch(r"[\w.-]+:\d+", on):
        return f"Did you mean tcp://{on}, a Dask scheduler there?"
    names = ", ".join(f"`{one}`" for one in sorted(known))
    return f"Known are {names}, and addresses of Dask schedulers such as tcp://host:8786."


def _own(name: str) -> Any:
    # a checkout that is not installed has no entry points
    module, _, made = _OWN[name].partition(":")
    return getattr(import_module(module), made)


_OWN = {
    "dask": "nbflow.engines.dask:DaskEngine",
    "inline": "nbflow.engines.inline:InlineEngine",
    "kubernetes": "nbflow.engines.kubernetes:KubernetesEngine",
}
