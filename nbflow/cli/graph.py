"""`nbflow graph`: the steps of a notebook, as text, Mermaid, SVG or JSON."""

from __future__ import annotations

from pathlib import Path

import click

from nbflow.cli.compiled import infer, notebook_argument, refuse_errors
from nbflow.cli.options import variant_option, verb
from nbflow.cli.say import say_lines

FORMATS = ("text", "mermaid", "svg", "json")


@verb("graph")
@notebook_argument
@click.option("--format", "kind", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file.")
@variant_option
def command(
    notebook: Path, kind: str, as_json: bool, output: Path | None, variants: dict[str, str]
) -> None:
    """Show the steps of a notebook and what flows between them."""
    from nbcompile.graph import render

    flow = infer(notebook, variants)
    refuse_errors(flow.diagnostics)
    kind = "json" if as_json else kind
    text = render(flow, kind).rstrip()
    if output is None and kind == "text":
        say_lines(text)
    elif output is None:
        click.echo(text)
    else:
        output.write_text(f"{text}\n", encoding="utf-8")
        click.echo(f"Written to {output}", err=True)
