from __future__ import annotations

from semantics import common
from semantics.notebook import show


def end(captured, lines, value, count, max, label, text, Box, size):
    """Step `end`.

    Needs `captured`, `lines`, `value`, `count`, `max`, `label`, `text`, `Box` and `size`.
    """
    common.size = size

    print(captured.stdout.split(), lines.n, value, count, max, label)
    print(text, end="")
    show(Box().area())

    return {}
