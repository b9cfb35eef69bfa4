"""Findings: what `nbflow doctor` looks at, one function for each thing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from nbflow.finding import Finding

#: bytes of free disk below which a run is likely to end badly
_LITTLE = 1_000_000_000


def look(location: str | None) -> Iterator[Finding]:
    """Every check of this machine, one after another; one that breaks is a finding too."""
    yield from _each(
        [
            ("python", _python),
            ("packages", _packages),
            ("magics", _magics),
            ("store", lambda: _store(location)),
            ("machine", _machine),
            ("dask", _dask),
        ]
    )


def look_at_cluster(location: str | None, profile: str | None) -> Iterator[Finding]:
    """What runs on Kubernetes need, from this Python to what a pod finds there."""
    from nbflow.config import load_config
    from nbflow.kubernetes.doctor import examine

    yield from _each([("python", _python), ("packages", _packages)])
    config = load_config(profile=profile)
    yield from examine(config.kubernetes, location or config.store)


def _each(checks: list[tuple[str, Callable[[], Finding]]]) -> Iterator[Finding]:
    for what, check in checks:
        try:
            yield check()
        except Exception as error:
            yield Finding(what, False, f"{type(error).__name__}: {error}")


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info >= (3, 11)
    fix = "" if good else "nbflow needs Python 3.11 or newer."
    return Finding("python", good, f"{version} at {sys.executable}", fix)


def _packages() -> Finding:
    import re
    from importlib.metadata import PackageNotFoundError, requires, version

    needed = [one for one in requires("nbflow") or () if "extra ==" not in one]
    names = [re.split(r"[^\w.-]", one, maxsplit=1)[0] for one in needed]
    missing: list[str] = []
    found: list[str] = [f"nbflow {version('nbflow')}"]
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        said = f"missing: {', '.join(missing)}"
        return Finding("packages", False, said, f"pip install {' '.join(missing)}")
    return Finding("packages", True, ", ".join(found))


def _magics() -> Finding:
    from importlib.metadata import entry_points

    parts = list(entry_points(group="nbflow.kernel"))
    for part in parts:
        part.load()
    fix = "" if parts else "Install nbflow again: pip install --force-reinstall nbflow"
    said = "%load_ext nbflow works" if parts else "the kernel's part is not installed"
    return Finding("magics", bool(parts), said, fix)


def _store(location: str | None) -> Finding:
    from tempfile import TemporaryDirectory

    from nbflow.cli.options import store_at
    from nbflow.client.text import plural
    from nbflow.errors import UserError
    from nbflow.store import open_store

    try:
        store = store_at(location)
    except UserError as error:
        if location is not None:
            return Finding("store", False, str(error))
        with TemporaryDirectory() as folder:
            open_store(folder).close()
        return Finding("store", True, "none here yet; the first run makes one")
    with store.db.transaction():
        pass
    said = f"{store.url}, {plural(len(store.flows()), 'flow')}, can be written"
    return Finding("store", True, said)


def _machine() -> Finding:
    from nbflow.client.text import size
    from nbflow.engines.machine_size import machine_size

    has = machine_size()
    free = has["disk"]
    said = (
        f"{has['cpu']:.0f} cores, {size(has['memory'])} of memory, {has['gpu']:.0f} GPUs, "
        f"{size(free)} of disk free"
    )
    fix = "" if free > _LITTLE else "Free some space: `nbflow gc --keep-last 10` may help."
    return Finding("machine", free > _LITTLE, said, fix)


def _dask() -> Finding:
    from importlib.metadata import version

    import distributed

    cluster: Any = distributed.LocalCluster
    connect: Any = distributed.Client
    began = time.monotonic()
    with (
        cluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as made,
        connect(made) as client,
    ):
        client.submit(int, 1).result(timeout=60)
    took = time.monotonic() - began
    said = f"{version('distributed')}, a local cluster starts and runs a task in {took:.1f} s"
    return Finding("dask", True, said)
