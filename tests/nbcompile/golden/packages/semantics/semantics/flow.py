"""The flow semantics: its steps, in order, and what passes between them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from semantics.steps.change import change
from semantics.steps.end import end
from semantics.steps.shell import shell_step
from semantics.steps.start import start
from semantics.steps.wait import wait


class Skipped(Exception):
    """The steps that make an input were skipped."""


def first(name: str, *sources: Any) -> Any:
    """The value of a name from the nearest step that ran and bound it."""
    for source in sources:
        if source is not None and name in source:
            return source[name]
    raise Skipped(name)


def run() -> dict[str, Any]:
    """Run every step; what each one made."""
    start_made = start()
    change_made = change(step_size=start_made["step_size"], size=start_made["size"])
    shell_made = shell_step()
    wait_made = wait(total=change_made["total"])
    end_made = None
    with suppress(Skipped):
        end_made = end(
            captured=shell_made["captured"],
            lines=shell_made["lines"],
            value=wait_made["value"],
            count=change_made["count"],
            max=start_made["max"],
            label=first("label", change_made),
            text=start_made["text"],
            Box=start_made["Box"],
            size=change_made["size"],
        )
    return {
        "start": start_made,
        "change": change_made,
        "shell": shell_made,
        "wait": wait_made,
        "end": end_made,
    }
