"""Generated notebooks print as flows, every step in a fresh process, what they print as notebooks."""

from __future__ import annotations

import contextlib
import io

from generated import notebooks
from hypothesis import HealthCheck, given, settings
from stepwise import compare


def in_one_namespace(cells: list[str]) -> str:
    """What the last cell prints when all run in one namespace, as in a kernel."""
    names: dict[str, object] = {"__name__": "__main__"}
    printed = io.StringIO()
    for cell in cells:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(cell, names)
    return printed.getvalue()


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(notebooks())
def test_flows_equal_notebooks(cells: list[str]) -> None:
    outcome = compare(cells, in_one_namespace(cells))
    assert outcome.kind in ("same", "refused"), "\n# %%\n".join(cells) + f"\n{outcome}"
