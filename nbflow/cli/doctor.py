"""`nbflow doctor`: does everything that nbflow needs work here?"""

from __future__ import annotations

from dataclasses import asdict

import click

from nbflow.cli.findings import Finding, look
from nbflow.cli.group import FAILED, SUCCEEDED
from nbflow.cli.options import json_option, store_option, verb
from nbflow.cli.say import say_json


@verb("doctor")
@store_option
@json_option
def command(location: str | None, as_json: bool) -> int:
    """Check that everything nbflow needs works here.

    Looks at Python, the packages, the store, the disk, the kernel's magics, and starts a small
    Dask cluster. The exit status is 1 where something is wrong.
    """
    findings: list[Finding] = []
    for finding in look(location):
        findings.append(finding)
        if not as_json:
            sign = click.style("✓", fg="green") if finding.ok else click.style("✗", fg="red")
            click.echo(f"{sign} {finding.what:<10} {finding.said}")
            if finding.fix:
                click.echo(f"  {'':<10} {finding.fix}")
    if as_json:
        say_json({"findings": [asdict(one) for one in findings]})
    elif all(one.ok for one in findings):
        click.echo("All is well.")
    return SUCCEEDED if all(one.ok for one in findings) else FAILED
