from __future__ import annotations

import builtins

from semantics import common
from semantics.common import Base


def start():
    """Step `start`.

    Gives `step_size`, `size`, `text`, `max` and `Box`.
    """
    max = builtins.max

    step_size = 2
    common.size = 5
    text = f"\n  {common.size}\n    kept\n"

    max = max([1, 2, common.size])

    class Box(Base):
        size = common.size

        def area(self):
            return self.size * common.size

    return {"step_size": step_size, "size": common.size, "text": text, "max": max, "Box": Box}
