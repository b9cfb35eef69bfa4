from __future__ import annotations

from math import sqrt

from semantics import common
from semantics.common import bump, count


def change(step_size, size):
    """Step `change`.

    Needs `step_size` and `size`. Gives `count`, `size`, `total`, `half` and `label`.
    """
    common.step_size = step_size

    bump()
    size = size + 1
    total = bump()
    if (half := size // 2) > 2:
        label = f"half {half}"
    print(sqrt(size + 3), "__main__")

    result = {"count": common.count, "size": size, "total": total, "half": half}
    if "label" in locals():
        result["label"] = label
    return result
