"""`nbflow run`: run a notebook, or an exported package, as a flow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nbflow.cli.options import NAME, json_option, store_option, variant_option, verb
from nbflow.cli.values import parameter_options, parameters


def _workers(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    from nbflow.kubernetes.settings import parse_workers

    if value is not None:
        try:
            parse_workers(value)
        except ValueError as error:
            raise click.BadParameter(f"{value!r} is not {error}.") from error
    return value


def engine_options(function: Any) -> Any:
    """The options of the verbs that start a run, beside its parameters."""
    options = [
        click.option(
            "--on", metavar="ENGINE", help="dask, inline, kubernetes, or a scheduler's address."
        ),
        click.option("--max-workers", type=click.IntRange(min=1), help="Tasks at once, at most."),
        click.option(
            "--workers",
            metavar="N|MIN:MAX|ADDRESS",
            callback=_workers,
            help="With --on kubernetes: run tasks on so many Dask workers, not in a pod each.",
        ),
        click.option("--tag", "tags", type=NAME, multiple=True, help="Tag the run."),
        variant_option,
        click.option("--branch", type=NAME, help="The deployment branch that the run belongs to."),
        click.option("--profile", help="A profile of [tool.nbflow] in pyproject.toml."),
        click.option("--seed", type=int, help="Seed of the random generators of every task."),
        click.option("--no-cache", is_flag=True, help="Run everything, whatever was run before."),
        click.option("--explain", is_flag=True, help="Say why each task ran, or why not."),
        click.option("--dry-run", is_flag=True, help="Only say what would run, and why."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


@verb("run")
@click.argument("notebook", type=click.Path(path_type=Path))
@parameter_options
@engine_options
@click.option("--from", "start", metavar="STEP", help="Run this step and all after it anew.")
@click.option("--detach", is_flag=True, help="Start the run and leave it running.")
@click.option("--report", is_flag=True, help="Write the run's report when it has ended.")
@click.option("--announce", type=int, hidden=True)
@store_option
@json_option
def command(
    notebook: Path,
    given: tuple[tuple[str, str], ...],
    files: tuple[Path, ...],
    variants: dict[str, str],
    start: str | None,
    detach: bool,
    report: bool,
    announce: int | None,
    location: str | None,
    as_json: bool,
    explain: bool,
    dry_run: bool,
    **engine: Any,
) -> int:
    """Run a notebook as a flow.

    NOTEBOOK is an .ipynb or a percent-format .py file, or the folder of an exported package. The
    exit status is 0 when the run succeeded, 1 when it failed, 2 when it could not start.
    """
    values = parameters(given, files)
    from nbflow.cli.execute import execute, foresee
    from nbflow.runtime.request import RunRequest

    fields = engine_fields(notebook.parent, location, **engine)
    if detach and not dry_run and fields["on"] != "kubernetes":
        from nbflow.cli.detach import start_detached

        return start_detached(click.get_current_context().obj, as_json=as_json)
    request = RunRequest(
        target=notebook,
        params=values,
        variants=variants,
        start_from=start,
        **fields,
    )
    if dry_run:
        return foresee(request, as_json=as_json)
    if detach:
        from nbflow.cli.detach import drive_in_cluster

        return drive_in_cluster(request, as_json=as_json)
    return execute(request, as_json=as_json, explain=explain, announce=announce, report=report)


def engine_fields(
    folder: Path,
    location: str | None,
    *,
    on: str | None,
    max_workers: int | None,
    workers: str | None = None,
    tags: tuple[str, ...],
    branch: str | None,
    profile: str | None,
    seed: int | None,
    no_cache: bool,
) -> dict[str, Any]:
    """The fields of a request that the options and, where they are silent, the profile decide."""
    from nbflow.config import load_config

    config = load_config(folder, profile)
    engine = on or config.on or "dask"
    settings = config.kubernetes if engine == "kubernetes" else {}
    if workers is not None and engine != "kubernetes":
        raise click.UsageError("--workers needs --on kubernetes; elsewhere there is --max-workers.")
    return {
        "on": engine,
        "settings": settings if workers is None else {**settings, "workers": workers},
        "max_workers": max_workers or config.max_workers,
        "tags": (*config.tags, *tags),
        "branch": branch or config.branch,
        "seed": seed,
        "cache": not no_cache,
        "store": location or config.store,
        "objects": config.objects,
    }
