"""Finding: one thing that `nbflow doctor` has looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at and how it is; with a fix where it is not as it should be."""

    what: str
    ok: bool
    said: str
    fix: str = ""
