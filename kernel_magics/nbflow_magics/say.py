"""Say things under a cell: diagnostics as one sentence each, readable in every front end."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from IPython.core.error import InputRejected

from nbcompile.diagnostics import Diagnostic

#: the output's extra form, for a front end that shows the cell's state and diagnostics itself
MIME = "application/vnd.nbflow.cell+json"

_COLOURS = {"error": "#c62828", "warning": "#b26a00", "info": "#3367a6"}


class TagError(InputRejected):
    """A cell that does not run because of its tags; shown as diagnostics, without a traceback."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(sentence(one) for one in diagnostics))

    def __reduce__(self) -> tuple[Any, ...]:
        return TagError, (self.diagnostics,)

    def _render_traceback_(self) -> list[str]:
        return [sentence(one) for one in self.diagnostics]


def sentence(diagnostic: Diagnostic) -> str:
    """A diagnostic as a person reads it under the cell: `error[NBF104] line 1: …`."""
    line = "" if diagnostic.line is None else f" line {diagnostic.line}"
    fix = f" {diagnostic.fix}" if diagnostic.fix else ""
    return f"{diagnostic.severity}[{diagnostic.code}]{line}: {diagnostic.message}{fix}"


def say(diagnostics: Sequence[Diagnostic], state: dict[str, Any] | None = None) -> None:
    """Show diagnostics under the running cell, with the cell's state for the front end."""
    if diagnostics:
        publish(
            "\n".join(sentence(one) for one in diagnostics),
            "".join(_line(sentence(one), one.severity) for one in diagnostics),
            {"diagnostics": [one.to_json() for one in diagnostics], **(state or {})},
        )


def without_cell(one: Diagnostic) -> Diagnostic:
    """The finding as said under its own cell, whose number the kernel does not know."""
    return Diagnostic(one.code, one.severity, one.message, None, one.line, one.column, one.fix)


def stale_steps(steps: list[str]) -> list[Diagnostic]:
    """What to say of steps that became stale."""
    if not steps:
        return []
    have = "has" if len(steps) == 1 else "have"
    names = ", ".join(f"`{step}`" for step in steps)
    message = f"{names} {have} read values that were made anew since."
    return [Diagnostic("NBF308", "info", message, fix="Run the cells again.")]


def note(text: str, state: dict[str, Any] | None = None) -> None:
    """Show a sentence that is no diagnostic."""
    publish(text, _line(text, "info"), {"note": text, **(state or {})})


def tell(shell: Any, diagnostics: Sequence[Diagnostic], state: dict[str, Any]) -> None:
    """All that holds of the running cell, said before or not, as data of the reply to a front end.

    The payload of an `execute_reply` belongs to the cell that was executed, and is shown nowhere:
    front ends leave alone what they do not know.
    """
    shell.payload_manager.write_payload(
        {
            "source": "nbflow",
            "diagnostics": [one.to_json() for one in dict.fromkeys(diagnostics)],
            **state,
        }
    )


def publish(text: str, markup: str, state: dict[str, Any]) -> None:
    """An output in plain text and HTML, and as data for a front end."""
    from IPython.display import display

    bundle: dict[str, Any] = {"text/plain": text, "text/html": markup, MIME: state}
    display(bundle, raw=True)  # type: ignore[no-untyped-call]


def _line(text: str, severity: str) -> str:
    style = f"border-left:3px solid {_COLOURS[severity]};padding:2px 8px;white-space:pre-wrap"
    return f'<div style="{style}">{html.escape(text)}</div>'
