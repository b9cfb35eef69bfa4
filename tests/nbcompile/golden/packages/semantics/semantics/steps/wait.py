from __future__ import annotations

import asyncio
import contextlib

from semantics.common import later


async def _wait(total):
    value = await later(total)
    async with contextlib.AsyncExitStack() as stack:
        value = value + await later(1)

    return {"value": value}


def wait(total):
    """Step `wait`.

    Needs `total`. Gives `value`.
    """
    return asyncio.run(_wait(total=total))
