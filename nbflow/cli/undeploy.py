"""`nbflow undeploy`: take a deployed flow out of its cluster."""

from __future__ import annotations

import click

from nbflow.cli.options import store_at, store_option, verb


@verb("undeploy")
@click.argument("deployment")
@click.option("--branch", help="The branch, where the flow has several.")
@store_option
def command(deployment: str, branch: str | None, location: str | None) -> None:
    """Take a deployed flow out of its cluster.

    No run of it is started any more; those that are going on go on, and all runs are kept.
    DEPLOYMENT is FLOW@BRANCH, or FLOW where it has one only.
    """
    from nbflow.kubernetes.deploy import undeploy
    from nbflow.runtime.start import find_deployment

    store = store_at(location)
    record = find_deployment(store, *flow_and_branch(deployment, branch))
    there = undeploy(store, record)
    gone = "" if there else " The cluster had it no more."
    click.echo(f"{record.path} is not deployed any more.{gone}")


def flow_and_branch(text: str, branch: str | None) -> tuple[str, str | None]:
    """`churn@main` taken apart; an option may name the branch as well."""
    flow, at, named = text.partition("@")
    if at and branch not in (None, named):
        raise click.UsageError(f"{text} names another branch than `--branch {branch}`.")
    return flow, named if at else branch
