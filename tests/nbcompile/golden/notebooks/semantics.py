# %% [markdown]
# What a cell means stays the same though its code stands in a function.

# %%
from __future__ import annotations

from math import *

# %%
import asyncio
import contextlib

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


# %%
# nbflow: step start
step_size = 2
size = 5
text = f"""
  {size}
    kept
"""
max = max([1, 2, size])


class Box(Base):
    size = size

    def area(self):
        return self.size * size


# %%
# %%step change
bump()
size = size + 1
total = bump()
if (half := size // 2) > 2:
    label = f"half {half}"
print(sqrt(size + 3), __name__)

# %%
# %%step shell --after change
# %%capture captured
word = "there"
print("captured")
# !echo hello {word}
lines = !printf 'a\nb\n'
del word

# %%
# %%step wait
value = await later(total)
async with contextlib.AsyncExitStack() as stack:
    value = value + await later(1)

# %%
# %%step end
print(captured.stdout.split(), lines.n, value, count, max, label)
print(text, end="")
Box().area()
