"""Command line: `nbflow VERB …`. Each verb is a module of its own, imported when it is used."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from io import TextIOWrapper

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command `nbflow`: runs it and exits. Ctrl-C may come before all is imported."""
    if isinstance(sys.stdout, TextIOWrapper):
        # what the terminal's encoding does not have is shown escaped, as on standard error
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        from nbflow.cli.group import INTERRUPTED, call
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        sys.exit(130)
    try:
        status = call(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:  # between two of our own lines
        status = INTERRUPTED
    sys.exit(status)
