"""`nbflow demo`: the example notebook, run, and what there is to see."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import click

from nbflow.cli.group import SUCCEEDED
from nbflow.cli.options import verb
from nbflow.cli.say import say_lines
from nbflow.errors import user_error

NOTEBOOK = "digits.ipynb"

#: rows of the fan-out's table that are shown
_BEST = 8


@verb("demo")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default="nbflow-demo")
@click.option("--on", default="dask", show_default=True, metavar="ENGINE", help="Where to run it.")
def command(folder: Path, on: str) -> int:
    """Run the example notebook and look at what came out.

    The notebook is copied to FOLDER, ./nbflow-demo if not named, where its runs are kept too.
    """
    from nbflow.cli.execute import execute
    from nbflow.runtime.request import RunRequest

    notebook = _copied(folder)
    _say(f"nbflow graph {notebook}")
    _graph(notebook)
    _say(f"nbflow run {notebook}")
    status = execute(RunRequest(target=notebook, on=on, store=folder))
    if status != SUCCEEDED:
        return status
    _results(folder)
    return SUCCEEDED


def _copied(folder: Path) -> Path:
    """The notebook in the folder; one that is there already stays: it may have been edited."""
    target = folder / NOTEBOOK
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_example(), target)
    return target


def _example() -> Path:
    import nbflow

    package = Path(nbflow.__file__).parent
    # in an installed package, and in a checkout
    for place in (package / "examples", package.parent / "examples"):
        if (place / NOTEBOOK).is_file():
            return place / NOTEBOOK
    raise user_error(
        "NBF101",
        "The example notebook is not installed.",
        "Install nbflow again: pip install --force-reinstall nbflow",
    )


def _graph(notebook: Path) -> None:
    from nbcompile.graph import render
    from nbflow.cli.compiled import infer, refuse_errors

    flow = infer(notebook)
    refuse_errors(flow.diagnostics)
    say_lines(render(flow, "text").rstrip())


def _results(folder: Path) -> None:
    from nbflow.cli.screen import plain_table, show, show_run
    from nbflow.client.flow import Flow
    from nbflow.client.text import brief

    run = Flow("digits", folder).latest
    _say(f"nbflow show {run.path}")
    show_run(run)
    # the item is told by its parts, family and setting
    rows = run["train"].table().drop(columns="item").sort_values("accuracy", ascending=False)
    _say(f'nbflow.Run("{run.path}")["train"].table()')
    made = plain_table("train", *map(str, rows.columns))
    for key, *row in rows.head(_BEST).itertuples():
        made.add_row(str(key), *map(brief, row))
    show(made)
    click.echo(f"… {len(rows) - _BEST} more")
    _next(folder, run.path)


def _next(folder: Path, run: str) -> None:
    _say("Where to look next")
    commands = {
        **_activation(),
        f"cd {folder}": "the notebook and its runs are there",
        f"nbflow logs {run}/evaluate": "what a step printed",
        f"nbflow show {run}/train/7": "one task: its item, its values",
        f"nbflow run {NOTEBOOK} -p folds 3": "another parameter: the rest is cached",
        f"nbflow diff {run} digits": "what changed",
        f"nbflow export {NOTEBOOK} -o package": "the Python package that ran",
        f"jupyter lab {NOTEBOOK}": "the sidebar lists the runs",
    }
    width = max(map(len, commands))
    for words, said in commands.items():
        click.echo(f"  {words:<{width}}   {click.style(said, dim=True)}")


def _activation() -> dict[str, str]:
    """How the command comes to be found, where a shell would not find it."""
    script = Path(sys.prefix, "bin", "activate")
    if shutil.which("nbflow") or not script.exists():
        return {}
    return {f". {os.path.relpath(script)}": "so that the shell finds nbflow"}


def _say(text: str) -> None:
    click.echo("\n" + click.style(f"── {text} ", bold=True), nl=True)
