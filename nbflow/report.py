"""Report: a run's notebook executed by papermill in replay, kept with the run as .ipynb and HTML.

Steps load their results from the run; the analysis between them is run anew. A cell that fails
leaves the report up to there.
"""

from __future__ import annotations

import shlex
import warnings
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from nbflow.errors import user_error
from nbflow.kernels import private_connection
from nbflow.store.gc import REPORTS

if TYPE_CHECKING:
    from nbflow.client.run import Run


@dataclass(frozen=True, slots=True)
class Report:
    """The files of a report, and where it stopped if it did."""

    notebook: Path
    page: Path
    error: str | None = None
    #: the notebook's cell, from 0, that failed; None where its replay did not begin
    cell: int | None = None


def write_report(run: Run, folder: Path | None = None) -> Report:
    """Write the report of a run, by default into its store."""
    try:
        import nbconvert  # noqa: F401
        import papermill  # type: ignore[import-untyped,import-not-found,unused-ignore]
        from traitlets.config import Config
    except ImportError:
        raise user_error(
            "NBF403",
            "A report needs papermill and nbconvert, which are not installed here.",
            "pip install papermill nbconvert ipykernel",
        ) from None
    target = folder or run.store.root / REPORTS
    target.mkdir(parents=True, exist_ok=True)
    name = run.path.replace("/", "-")
    notebook = target / f"{name}.ipynb"
    home = PurePath(run.record.notebook).parent
    error, cell = None, None
    with warnings.catch_warnings(), private_connection() as connection:
        warnings.simplefilter("ignore")  # of libraries, about this Python
        try:
            papermill.execute_notebook(
                _replaying(run),
                str(notebook),
                kernel_name="python3",
                cwd=str(home) if Path(home).is_dir() else None,
                progress_bar=False,
                # not that it is interrupted, which is how it is told to end
                extra_arguments=["--log-level=CRITICAL"],
                config=Config(KernelManager=connection),
            )
        except papermill.PapermillExecutionError as failure:
            # of nbflow's own sentences the name of their class says nothing
            ours = failure.ename == "TagError"
            error = failure.evalue if ours else f"{failure.ename}: {failure.evalue}"
            cell = failure.cell_index - 1 if failure.cell_index else None  # one was put before
    page = target / f"{name}.html"
    page.write_text(_html(notebook), encoding="utf-8")
    return Report(notebook, page, error, cell)


def _replaying(run: Run) -> Any:
    """The run's notebook with a first cell that has its steps load what the run computed."""
    import nbformat

    notebook = _notebook(run)
    head = (
        "import os\n"
        "os.environ['NBFLOW_HISTORY'] = '0'\n"
        "%load_ext nbflow\n"
        f"%nbflow replay {run.path} --store {shlex.quote(_address(run))}"
    )
    v4: Any = nbformat.v4
    first = v4.new_code_cell(head, metadata={"tags": ["injected-nbflow"]})
    notebook.cells.insert(0, first)
    return notebook


def _address(run: Run) -> str:
    """What opens the run's store from any folder."""
    url = run.store.url
    return url if "://" in url else str(Path(url).resolve())


def _notebook(run: Run) -> Any:
    import nbformat

    from nbcompile import parse_notebook
    from nbcompile.spelling import with_comment_tags

    path = PurePath(run.record.notebook)
    content = run.store.version(run.version).notebook.decode("utf-8")
    if not content:
        raise user_error(
            "NBF407", f"{run.path} ran an exported package: there is no notebook to report on."
        )
    v4: Any = nbformat.v4
    notebook = v4.new_notebook()
    for cell in parse_notebook(content, path.stem, path.suffix).cells:
        made = getattr(v4, f"new_{cell.kind}_cell")
        source = with_comment_tags(cell) if cell.kind == "code" else cell.source
        notebook.cells.append(made(source, metadata={"tags": list(cell.tags)}))
    return notebook


def _html(notebook: Path) -> str:
    from nbconvert import HTMLExporter

    exporter: Any = HTMLExporter()  # type: ignore[no-untyped-call,unused-ignore]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text: str = exporter.from_filename(str(notebook))[0]
    return text
