"""`nbflow diff`: what changed from one run to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nbflow.cli.options import json_option, store_at, store_option, verb
from nbflow.cli.say import say_json

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from nbflow.client.celldiff import Line
    from nbflow.client.diff import Diff

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}
_STRONG = {"+": "black on green", "-": "black on red"}


@verb("diff")
@click.argument("a")
@click.argument("b")
@click.argument("more", nargs=-1)
@store_option
@json_option
def command(a: str, b: str, more: tuple[str, ...], location: str | None, as_json: bool) -> None:
    """Compare runs.

    Tells what changed from run A to run B, and to MORE runs: parameters, metrics, files that the
    tasks read, data, environment, durations and the cells of the notebook.
    """
    from nbflow.cli.paths import find
    from nbflow.client.diff import diff

    store = store_at(location)
    found = diff(*(find(one, store).run for one in (a, b, *more)))
    if as_json:
        say_json(found.to_json())
    else:
        _show(found)


def _show(found: Diff) -> None:
    from rich.text import Text

    from nbflow.cli.screen import show
    from nbflow.client.diff import PARTS
    from nbflow.client.diffshow import heads

    show(Text(found.title, "bold"))
    if not found:
        show("Nothing changed.")
        return
    for part in PARTS:
        if getattr(found, part):
            show("", *_table(found, part))
    for head, changes in heads(found):
        show("", Text(head, "dim"))
        for change in changes:
            show("", Text(change.title(), "bold"), *map(_line, change.lines))
    if not found.cells:
        for step, text in found.code.items():
            lines = [Text(line, _COLOURS.get(line[:1], "")) for line in text.splitlines()]
            show("", Text(f"code of {step}", "bold"), *lines)


def _table(found: Diff, part: str) -> list[Table | Text]:
    from rich.text import Text

    from nbflow.cli.screen import plain_table
    from nbflow.client.diffshow import shown_delta, shown_value, told_rows

    two = len(found.runs) == 2
    rows, left = told_rows(found, part)
    made = plain_table(part, *found.runs, *([""] if two else []))
    for name, change, inner in rows:
        cells = [Text(f"  {name}", "dim") if inner else Text(name)]
        for at, one in enumerate(change):
            same = part == "durations" or (at > 0 and one == change[0])
            style = "dim" if same else "green" if at else "red"
            cells.append(Text(shown_value(part, one), style))
        made.add_row(*cells, *([shown_delta(part, change)] if two else []))
    return [made, *([Text(left, "dim")] if left else [])]


def _line(line: Line) -> Text:
    from rich.text import Text

    colour = _COLOURS.get(line.sign, "dim")
    text = Text(f"{line.sign} ", colour)
    for part, changed in line.parts:
        text.append(part, _STRONG.get(line.sign, colour) if changed else colour)
    return text
