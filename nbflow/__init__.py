"""nbflow: the notebook is the program. What a notebook imports to look at runs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbflow.client.diff import Diff, diff
    from nbflow.client.flow import Flow
    from nbflow.client.interactive import history
    from nbflow.client.run import Run
    from nbflow.client.table import RunTable, runs
    from nbflow.errors import UserError

__all__ = ["Diff", "Flow", "Run", "RunTable", "UserError", "diff", "history", "runs"]

#: where each public name lives: imported when first asked for, so that `import nbflow` is cheap
_HOMES = {
    "Diff": "nbflow.client.diff",
    "Flow": "nbflow.client.flow",
    "Run": "nbflow.client.run",
    "RunTable": "nbflow.client.table",
    "UserError": "nbflow.errors",
    "diff": "nbflow.client.diff",
    "history": "nbflow.client.interactive",
    "runs": "nbflow.client.table",
}


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext nbflow` calls: every installed part that lives in the kernel starts."""
    for load in _kernel_parts("load_ipython_extension"):
        load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """What `%unload_ext nbflow` calls."""
    for unload in _kernel_parts("unload_ipython_extension"):
        unload(shell)


def _kernel_parts(name: str) -> list[Any]:
    from importlib.metadata import entry_points

    modules = [import_module(one.module) for one in entry_points(group="nbflow.kernel")]
    if not modules:
        raise ImportError(
            "nbflow's magics are not installed in this environment. "
            "Install nbflow again: pip install --force-reinstall nbflow"
        )
    return [getattr(module, name) for module in modules if hasattr(module, name)]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("nbflow")
    if name not in _HOMES:
        raise AttributeError(f"module 'nbflow' has no attribute {name!r}", name=name)
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
