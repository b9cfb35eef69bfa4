"""`nbflow tag`: tags of a run."""

from __future__ import annotations

import click

from nbflow.cli.options import NAME, store_at, store_option, verb


@verb("tag")
@click.argument("run")
@click.argument("tags", type=NAME, nargs=-1)
@click.option("-d", "--remove", multiple=True, metavar="TAG", help="Take this tag away.")
@store_option
def command(run: str, tags: tuple[str, ...], remove: tuple[str, ...], location: str | None) -> None:
    """Add tags to a run, or take them away.

    Without TAGS it prints those that the run has.
    """
    from nbflow.cli.paths import find
    from nbflow.errors import user_error

    found = find(run, store_at(location)).run
    for one in remove:
        if one not in found.tags:
            held = ", ".join(found.tags) or "none"
            raise user_error("NBF407", f"{found.path} has no tag {one!r}.", f"Its tags: {held}.")
    if tags:
        found.tag(*tags)
    if remove:
        found.untag(*remove)
    click.echo(f"{found.path}: {' '.join(found.tags) or 'no tags'}")
