"""The parameters of the flow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Params:
    """What a run can be given, with its defaults."""

    alpha: float = 0.1  # how strong the penalty is
    countries: list[str] = field(default_factory=lambda: ["FI", "US"])
    limit: int | None = None  # rows to read; all where None
    mode: Literal["fast", "exact"] = "fast"
