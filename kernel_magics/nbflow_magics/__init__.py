"""The IPython extension: `%load_ext nbflow` makes steps of a notebook's tagged cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Start nbflow in this shell; loading it again starts it anew."""
    from nbflow_magics.session import Session

    unload_ipython_extension(shell)
    Session(shell).start()


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take everything out of the shell again."""
    from nbflow_magics.session import current

    session = current(shell)
    if session is not None:
        session.stop()
