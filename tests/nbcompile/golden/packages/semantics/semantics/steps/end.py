from __future__ import annotations

from semantics.notebook import show


def end(captured, lines, value, count, max, label, text, Box):
    """Step `end`.

    Needs `captured`, `lines`, `value`, `count`, `max`, `label`, `text` and `Box`.
    """
    print(captured.stdout.split(), lines.n, value, count, max, label)
    print(text, end="")
    show(Box().area())

    return {}
