"""`nbflow diff`: what changed from one run to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nbflow.cli.options import json_option, store_at, store_option, verb
from nbflow.cli.say import say_json

if TYPE_CHECKING:
    from nbflow.client.diff import Diff

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@verb("diff")
@click.argument("a")
@click.argument("b")
@store_option
@json_option
def command(a: str, b: str, location: str | None, as_json: bool) -> None:
    """Compare two runs.

    Tells what changed from run A to run B: parameters, metrics, data, environment and code.
    """
    from nbflow.cli.paths import find
    from nbflow.client.diff import diff

    store = store_at(location)
    found = diff(find(a, store).run, find(b, store).run)
    if as_json:
        say_json(found.to_json())
    else:
        _show(found)


def _show(found: Diff) -> None:
    from rich.text import Text

    from nbflow.cli.screen import plain_table, show
    from nbflow.client.diff import PARTS, delta
    from nbflow.client.text import brief

    show(Text(f"{found.a} → {found.b}", "bold"))
    if not found:
        show("Nothing changed.")
    for name in PARTS:
        part = getattr(found, name)
        if not part:
            continue
        made = plain_table(name, found.a, found.b, "")
        for key, (old, new) in part.items():
            made.add_row(
                key, Text(brief(old, 60), "red"), Text(brief(new, 60), "green"), delta(old, new)
            )
        show("", made)
    for step, text in found.code.items():
        show("", Text(f"code of {step}", "bold"))
        for line in text.splitlines():
            show(Text(line, _COLOURS.get(line[:1], "")))
