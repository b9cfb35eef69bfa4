"""`nbflow deploy`: have a cluster run a notebook by a schedule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nbflow.cli.options import NAME, json_option, store_option, variant_option, verb
from nbflow.cli.run import engine_fields
from nbflow.cli.say import note, say_json
from nbflow.cli.values import parameter_options, parameters


@verb("deploy")
@click.argument("notebook", type=click.Path(path_type=Path))
@click.option(
    "--to", "target", type=click.Choice(["kubernetes"]), default="kubernetes", show_default=True
)
@click.option("--schedule", metavar="CRON", help="When it runs; else what %flow says.")
@click.option("--timezone", metavar="ZONE", help="Of the schedule: Europe/Helsinki, say.")
@parameter_options
@click.option("--branch", type=NAME, help="The line that it is deployed on.  [default: main]")
@click.option("--tag", "tags", type=NAME, multiple=True, help="Tag its runs.")
@variant_option
@click.option("--max-workers", type=click.IntRange(min=1), help="Tasks at once, at most.")
@click.option("--workers", metavar="N|MIN:MAX", help="Run tasks on so many Dask workers.")
@click.option("--profile", help="A profile of [tool.nbflow] in pyproject.toml.")
@click.option("--seed", type=int, help="Seed of the random generators of every task.")
@click.option("--cache", is_flag=True, help="Let a run take what an earlier one has computed.")
@click.option("--dry-run", is_flag=True, help="Only print what would be given to the cluster.")
@store_option
@json_option
def command(
    notebook: Path,
    target: str,
    schedule: str | None,
    timezone: str | None,
    given: tuple[tuple[str, str], ...],
    files: tuple[Path, ...],
    variants: dict[str, str],
    cache: bool,
    dry_run: bool,
    location: str | None,
    as_json: bool,
    **engine: Any,
) -> None:
    """Have a cluster run a notebook by a schedule.

    What is deployed is the notebook as it stands now; deploy again to change it. Each branch of a
    flow is a deployment of its own, so that two of them run side by side. The laptop may be closed:
    a pod drives each run, and `nbflow runs`, `logs` and `cancel` follow by the shared store. Every
    run computes everything anew, since data outside may have changed, unless `--cache` is given.
    """
    from nbflow.kubernetes.deploy import deploy
    from nbflow.runtime.request import RunRequest

    values = parameters(given, files)
    request = RunRequest(
        target=notebook,
        params=values,
        variants=variants,
        **engine_fields(notebook.parent, location, on=target, no_cache=not cache, **engine),
    )
    record, manifest = deploy(request, schedule, timezone, rehearse=dry_run)
    place = record.place
    if dry_run:
        import yaml

        click.echo(yaml.safe_dump(manifest, sort_keys=False), nl=False)
    elif as_json:
        from nbflow.cli.deployments import deployment_json

        say_json(deployment_json(record))
    else:
        click.echo(f"{record.path} is deployed: version {record.version}, {when(place)}.")
        note(f"The cluster has it as the CronJob {place['name']} in {place['namespace']}.")
        note(f"Its runs: nbflow runs {record.flow} --branch {record.branch}")
        note(f"Run it now: nbflow start {record.path}   End it: nbflow undeploy {record.path}")


def when(place: dict[str, Any]) -> str:
    """The schedule of a deployment, in words."""
    zone = f" {place['zone']}" if place["zone"] else ""
    return f"{place['schedule']}{zone}"
