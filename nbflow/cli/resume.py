"""`nbflow resume`: go on from what a run has finished."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nbflow.cli.options import json_option, store_at, store_option, verb
from nbflow.cli.run import engine_fields, engine_options
from nbflow.cli.values import parameter_options, parameters


@verb("resume")
@click.argument("run")
@parameter_options
@engine_options
@store_option
@json_option
def command(
    run: str,
    given: tuple[tuple[str, str], ...],
    files: tuple[Path, ...],
    variants: dict[str, str],
    location: str | None,
    as_json: bool,
    explain: bool,
    dry_run: bool,
    **engine: Any,
) -> int:
    """Go on from what a run has finished.

    A new run takes over every result that still holds: with changed parameters (-p) or an edited
    notebook, what depends on the change is run again.
    """
    from nbflow.cli.execute import execute, foresee
    from nbflow.cli.paths import find
    from nbflow.runtime.request import RunRequest

    store = store_at(location)
    found = find(run, store).run
    engine["on"] = engine["on"] or found.record.engine or None
    fields = engine_fields(Path.cwd(), location, **engine)
    request = RunRequest(
        params=parameters(given, files),
        variants=variants,
        resume_of=found.path,
        **fields | {"store": store.url},
    )
    if dry_run:
        return foresee(request, as_json=as_json)
    return execute(request, as_json=as_json, explain=explain)
