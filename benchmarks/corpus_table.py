"""Table: the verdicts on the examples of packages as a page of the docs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def write_table(rows: Sequence[dict[str, Any]]) -> None:
    """Later."""
