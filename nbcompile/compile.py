"""Compilation of a notebook in one call: read, infer, emit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath

from nbcompile.diagnostics import Diagnostic, has_errors
from nbcompile.emit.package import Package, emit_package
from nbcompile.flow import Flow
from nbcompile.infer import infer_flow
from nbcompile.notebook import Notebook, read_notebook


@dataclass(frozen=True, slots=True)
class Compiled:
    """A notebook and all that was made of it; no package where a diagnostic is an error."""

    notebook: Notebook
    flow: Flow
    package: Package | None

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What is to be said of the notebook, in reading order."""
        return self.flow.diagnostics


def compile_notebook(
    path: str | PurePath, variants: dict[str, str] | None = None, format: bool = True
) -> Compiled:
    """Read, infer and emit; NotebookError where the file is no notebook."""
    return compile_cells(read_notebook(path), variants, format)


def compile_cells(
    notebook: Notebook, variants: dict[str, str] | None = None, format: bool = True
) -> Compiled:
    """The same for a notebook in hand."""
    flow = infer_flow(notebook, variants)
    folder = Path(notebook.path).parent
    wrong = has_errors(flow.diagnostics)
    package = None if wrong else emit_package(flow, format=format, folder=folder)
    return Compiled(notebook, flow, package)
