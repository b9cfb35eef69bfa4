"""Diagnostics: what a user's notebook does wrong, said as data with a stable code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "info"]

#: Every code, with the one-line title that the reference page shows.
CODES: dict[str, str] = {
    # 1xx: the notebook and its tags
    "NBF101": "the notebook cannot be read",
    "NBF102": "the notebook has no steps",
    "NBF103": "a tag that nbflow does not know",
    "NBF104": "an option that nbflow does not know",
    "NBF105": "an option's value is wrong",
    "NBF106": "options of one step conflict",
    "NBF107": "a step's name is not usable",
    "NBF108": "a cell's Python does not parse",
    "NBF109": "a parameter is not usable",
    "NBF110": "IPython syntax that only works in an interactive shell",
    "NBF111": "an environment that the notebook does not describe",
    # 2xx: the dataflow
    "NBF201": "a name from nowhere",
    "NBF202": "a value that only an untagged cell makes",
    "NBF203": "a fan-out's variable is read outside its branch",
    "NBF204": "a step that does not exist",
    "NBF205": "steps depend on each other in a circle",
    "NBF206": "a name was deleted",
    "NBF207": "access to names that cannot be followed",
    "NBF208": "a value that cannot cross steps",
    "NBF209": "an untagged cell changes a step's variable",
    "NBF210": "a definition that cannot travel",
    "NBF211": "a name that functions share is bound in a way that cannot be rewritten",
    # 3xx: what may differ
    "NBF301": "global random state",
    "NBF302": "the current figure",
    "NBF303": "process state",
    "NBF304": "a file written by one step and read by another",
    "NBF305": "a step that changed an input in place unseen",
    "NBF306": "a name that may be unbound",
    "NBF307": "a value that only this kernel has",
    "NBF308": "a step that read values made anew since",
    # 4xx: runs
    "NBF401": "an unknown parameter",
    "NBF402": "a parameter of the wrong type",
    "NBF403": "the engine cannot honour a request",
    "NBF404": "the engine cannot be reached",
    "NBF405": "a value that cannot be stored",
    "NBF406": "the store cannot be used",
    "NBF407": "a path that names nothing",
    "NBF408": "a run that cannot be driven",
    "NBF409": "an environment that cannot be made",
    "NBF410": "a deployment that cannot be made",
}


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: what is wrong, where, and the way out.

    ``cell`` counts the notebook's cells from 0, ``line`` the cell's lines from 1; both are None
    where the finding concerns the notebook as a whole.
    """

    code: str
    severity: Severity
    message: str
    cell: int | None = None
    line: int | None = None
    column: int | None = None
    fix: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The shape that the command line, the kernel and JupyterLab share."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "cell": self.cell,
            "line": self.line,
            "column": self.column,
            "fix": self.fix,
        }


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of them stops the flow from running."""
    return any(d.severity == "error" for d in diagnostics)


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sorted as a reader meets them: by cell, line, column, then code."""
    return tuple(
        sorted(
            dict.fromkeys(diagnostics),
            key=lambda d: (
                -1 if d.cell is None else d.cell,
                d.line or 0,
                d.column or 0,
                d.code,
                d.message,
            ),
        )
    )
