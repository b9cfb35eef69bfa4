"""`nbflow doctor`: does everything that nbflow needs work here?"""

from __future__ import annotations

from dataclasses import asdict

import click

from nbflow.cli.findings import look, look_at_cluster
from nbflow.cli.group import FAILED, SUCCEEDED
from nbflow.cli.options import json_option, store_option, verb
from nbflow.cli.say import say_json
from nbflow.finding import Finding


@verb("doctor")
@click.option(
    "--on", "engine", type=click.Choice(["dask", "kubernetes"]), default="dask", show_default=True
)
@click.option("--profile", help="A profile of [tool.nbflow] in pyproject.toml.")
@click.option("--probe", is_flag=True, hidden=True)
@store_option
@json_option
def command(
    engine: str, profile: str | None, probe: bool, location: str | None, as_json: bool
) -> int:
    """Check that everything nbflow needs works here.

    Looks at Python, the packages, the store, the disk, the kernel's magics, and starts a small
    Dask cluster. With `--on kubernetes` it looks at what runs there need: the cluster and your
    rights in it, nodes, GPUs and quotas, and by a pod of each image that this can be pulled and
    that the store can be reached from it. The exit status is 1 where something is wrong.
    """
    if probe:
        from nbflow.kubernetes.probe import report

        click.echo(report(location))
        return SUCCEEDED
    findings: list[Finding] = []
    looked = look(location) if engine == "dask" else look_at_cluster(location, profile)
    for finding in looked:
        findings.append(finding)
        if not as_json:
            sign = _sign(finding)
            click.echo(f"{sign} {finding.what:<10} {finding.said}")
            if finding.fix:
                click.echo(f"  {'':<10} {finding.fix}")
    if as_json:
        say_json({"findings": [asdict(one) for one in findings]})
    elif all(one.ok for one in findings):
        click.echo("All is well.")
    return SUCCEEDED if all(one.ok for one in findings) else FAILED


def _sign(finding: Finding) -> str:
    if not finding.ok:
        return click.style("✗", fg="red")
    # all is well, but for those who want more
    return click.style("△", fg="yellow") if finding.fix else click.style("✓", fg="green")
