"""Preview: what a viewer shows of a value, made when it is written, in bounded time."""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from typing import Any

#: characters of a repr that are kept
_TEXT = 500


def preview(
    value: Any, put_image: Callable[[bytes], dict[str, Any]] | None = None
) -> dict[str, Any] | None:
    """A small JSON object; None where there is nothing to say."""
    try:
        return {"repr": reprlib.repr(value)[:_TEXT]}
    except Exception:
        # a value whose repr fails is still a value
        return None
