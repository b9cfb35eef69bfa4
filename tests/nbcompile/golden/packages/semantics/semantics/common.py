"""What the steps share: imports, settings and definitions."""

from __future__ import annotations

import asyncio
from typing import Any

#: set by the steps before they call what is defined here
count: Any
size: Any
step_size: Any

count = 0


def bump():
    global count
    count += step_size
    return count


async def later(value):
    await asyncio.sleep(0)
    return value


class Base:
    kind = "base"
