"""Printed: what a step printed in the kernel, against what its tasks did."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from nbflow.verify.same import Difference

if TYPE_CHECKING:
    from nbflow.client.task import Task
    from nbflow.verify.kernel import KernelStep

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")
_TIMING = re.compile(
    r"^(CPU times: .*|Wall time: .*|Compiler *: .*|.* per loop \(mean ± .*)\n?", re.MULTILINE
)
#: what stands for something that is shown in another form
_STANDS_IN = re.compile(
    r"<Figure size [^>]*>|<IPython\.core\.display\.\w+ object>|<(text|application|image)/[\w.+-]+>"
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def comparable(text: str) -> list[str]:
    """Printed text as lines that two processes can agree on.

    Without addresses, colours and timings, and without what stands for a picture or a page.
    """
    text = _STANDS_IN.sub("", _TIMING.sub("", _COLOUR.sub("", text)))
    return [line.rstrip() for line in _ADDRESS.sub("0x…", text).splitlines() if line.strip()]


def printed_differs(held: KernelStep, step: Sequence[Task]) -> Difference | None:
    """What the step itself printed is compared; what its child processes did may count too."""
    kernel = comparable(held.printed)
    lines = comparable("".join(_own(task) for task in step))
    own = _lines_differ(kernel, lines)
    if own is None or (held.widgets and _in_order(kernel, lines)):
        return None
    if not any(task.aside for task in step):
        return own
    everything = comparable("".join(task.log for task in step))
    if held.noisy:  # the flow's log has standard error as well
        return None if _in_order(kernel, everything) else own
    return own if _lines_differ(kernel, everything) else None


def _own(task: Task) -> str:
    """What a task printed without what standard error and child processes did."""
    data = task.printed()
    for start, end in reversed(task.aside):
        data = data[:start] + data[end:]
    return data.decode("utf-8", "replace")


def _lines_differ(kernel: Sequence[str], flow: Sequence[str]) -> Difference | None:
    for x, y in zip_longest(kernel, flow):
        if x != y:
            told = ("the end" if one is None else repr(one) for one in (x, y))
            return Difference("printed output", *told)
    return None


def _in_order(lines: Iterable[str], among: Iterable[str]) -> bool:
    """Whether all the lines are there, in this order, whatever stands between them."""
    rest = iter(among)
    return all(line in rest for line in lines)
