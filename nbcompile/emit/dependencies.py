"""Dependencies: the installed distributions behind imported modules, pinned; never guessed."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata


def pinned(imported: Iterable[str]) -> tuple[list[str], list[str]]:
    """Requirements for the imported modules, and those modules that no distribution provides."""
    found: set[str] = set()
    unknown: list[str] = []
    for module in sorted(set(imported)):
        if module in sys.stdlib_module_names:
            continue
        requirements = _requirements(module)
        found.update(requirements)
        if not requirements:
            unknown.append(module)
    return sorted(found, key=str.lower), unknown


@cache
def _requirements(module: str) -> tuple[str, ...]:
    named = _distribution(module)
    if named is not None and _provides(named, module):
        return (f"{named.name}=={named.version}",)
    return tuple(
        f"{name}=={metadata.version(name)}" for name in sorted(set(_providers().get(module, ())))
    )


def _distribution(name: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


def _provides(distribution: metadata.Distribution, module: str) -> bool:
    """Whether a distribution of the module's own name holds it: reading all of them is slow."""
    record = distribution.read_text("RECORD") or ""
    return f"\n{module}/__init__.py," in f"\n{record}" or f"\n{module}.py," in f"\n{record}"


@cache
def _providers() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()
