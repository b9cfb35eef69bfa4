"""`nbflow checkout`: the notebook as it was for a run."""

from __future__ import annotations

from pathlib import Path, PurePath

import click

from nbflow.cli.group import SUCCEEDED
from nbflow.cli.options import store_at, store_option, verb


@verb("checkout")
@click.argument("run")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write.")
@store_option
def command(run: str, output: Path | None, location: str | None) -> int:
    """Write the notebook as it was for a run.

    The file is NAME-NUMBER.ipynb in this folder, and never one that exists.
    """
    from nbflow.cli.paths import find
    from nbflow.errors import user_error

    found = find(run, store_at(location)).run
    content = found.store.version(found.version).notebook
    if not content:
        raise user_error(
            "NBF407",
            f"{found.path} ran an exported package: there is no notebook.",
            f"Its code: nbflow show {found.path}",
        )
    name = PurePath(found.record.notebook)
    file = output or Path(f"{name.stem}-{found.record.number}{name.suffix}")
    if file.exists():
        raise user_error("NBF101", f"{file} exists already.", "Name another file with -o.")
    file.write_bytes(content)
    click.echo(file)
    return SUCCEEDED
