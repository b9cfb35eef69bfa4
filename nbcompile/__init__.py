"""nbcompile: notebook → flow → package. Pure: no engine, no server, no kernel.

The way through is `read_notebook → infer_flow → emit_package`; `compile_notebook` goes all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbcompile.compile import Compiled, compile_notebook
    from nbcompile.emit.package import Package, emit_package
    from nbcompile.infer import infer_flow
    from nbcompile.notebook import Notebook, parse_notebook, read_notebook

_HOME = {
    "Compiled": "nbcompile.compile",
    "Notebook": "nbcompile.notebook",
    "Package": "nbcompile.emit.package",
    "compile_notebook": "nbcompile.compile",
    "emit_package": "nbcompile.emit.package",
    "infer_flow": "nbcompile.infer",
    "parse_notebook": "nbcompile.notebook",
    "read_notebook": "nbcompile.notebook",
}
__all__ = [
    "Compiled",
    "Notebook",
    "Package",
    "compile_notebook",
    "emit_package",
    "infer_flow",
    "parse_notebook",
    "read_notebook",
]


def __getattr__(name: str) -> Any:
    # imported on first use, so that the command line's help starts at once
    if name not in _HOME:
        raise AttributeError(f"module 'nbcompile' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
