"""`nbflow export`: a notebook written out as a package, or as another tool takes it."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import click

from nbflow.cli.compiled import notebook_argument, refuse_errors
from nbflow.cli.options import variant_option, verb
from nbflow.cli.say import note


@verb("export")
@notebook_argument
@click.option(
    "--to",
    "target",
    default="python",
    show_default=True,
    help="python: the package; image: a Dockerfile with its locked environment.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The folder to write to.",
)
@variant_option
def command(notebook: Path, target: str, output: Path, variants: dict[str, str]) -> None:
    """Write the Python package that a notebook compiles to.

    It is byte for byte what `nbflow run` runs, and needs no nbflow to run. With `--to image`, write
    what container images for its steps are built from.
    """
    from nbcompile import compile_notebook

    exporters = {one.name: one for one in entry_points(group="nbflow.exporters")}
    if target not in exporters:
        known = ", ".join(sorted(exporters))
        raise click.UsageError(f"There is no exporter {target!r}; there is {known}.")
    compiled = compile_notebook(notebook, variants)
    refuse_errors(compiled.diagnostics)
    said = exporters[target].load()(compiled.package, output)
    click.echo(f"{notebook} is written to {output}")
    if isinstance(said, str):
        click.echo(said)
    elif target == "python" and compiled.package is not None:
        note(f"Run it there: python -m {compiled.package.name}")
