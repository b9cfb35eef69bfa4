"""Screen: tables and colours for people, plain text where the output is not a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nbflow.client.html import SIGNS
from nbflow.client.text import duration, pairs, when

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

    from nbflow.client.flags import RunFlags
    from nbflow.client.run import Run
    from nbflow.client.table import RunTable
    from nbflow.flags.flag import Flag

#: columns of a terminal that is not narrow
_WIDE = 110

STYLES = {
    "succeeded": "green",
    "cached": "cyan",
    "failed": "bold red",
    "lost": "bold red",
    "running": "blue",
    "pending": "dim",
    "skipped": "dim",
    "cancelled": "yellow",
}


def console(*, stderr: bool = False) -> Console:
    """Where rich text goes: plain and as wide as it needs to be when it is not a terminal."""
    from rich.console import Console

    made = Console(stderr=stderr, highlight=False, soft_wrap=False)
    if not made.is_terminal:
        made = Console(stderr=stderr, highlight=False, width=200, no_color=True)
    return made


def show(*parts: RenderableType, end: str = "\n") -> None:
    """Print these on stdout, without trailing blanks."""
    out = console()
    with out.capture() as captured:
        for part in parts:
            out.print(part)
    import click

    lines = captured.get().splitlines()
    text = "\n".join(line.rstrip() for line in lines) + end
    click.echo(text, nl=False, color=out.is_terminal)


def plain_table(*head: str) -> Table:
    """A table without lines."""
    from rich.table import Table

    made = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for name in head:
        made.add_column(name, overflow="fold")
    return made


def status_text(status: str, count: int | None = None) -> Text:
    """A status with its sign, and how many tasks have it."""
    from rich.text import Text

    number = "" if count is None else f"{count:,} "
    return Text(f"{SIGNS.get(status, '')} {number}{status}", STYLES.get(status, ""))


def counts_text(counts: dict[str, int]) -> Text:
    """The statuses of a step's tasks; without numbers where there is one task."""
    from rich.text import Text

    if not counts:
        return status_text("pending")
    many = sum(counts.values()) != 1
    return Text("  ").join(status_text(name, n if many else None) for name, n in counts.items())


def show_runs(found: RunTable) -> None:
    """The table of `nbflow runs`."""
    from rich.text import Text

    from nbflow.cli.options import elsewhere
    from nbflow.client.run import seconds
    from nbflow.client.table import flagged

    flags = found.flags
    first = next((run.path for run, count in zip(found, flags, strict=True) if count), None)
    marked = ["flags"] if first else []
    head = ("run", "status", *marked, "parameters", "metrics", "tags", "took", "started")
    made = plain_table(*head)
    width = console().width
    # on a narrow terminal without year and seconds
    moment = slice(5, 16) if width < _WIDE else slice(None)
    rows: list[tuple[str | Text, ...]] = [
        (
            record.path,
            status_text(record.status),
            *(Text(flagged(count), "yellow") for _ in marked),
            " ".join(record.tags),
            duration(seconds(record)),
            when(record.created)[moment],
        )
        for record, count in zip(found.records, flags, strict=True)
    ]
    fixed = [name for name in head if name not in ("parameters", "metrics")]
    taken = sum(max(map(len, column)) + 2 for column in zip(fixed, *rows, strict=True))
    params, metrics = _shares(
        width - taken - 2,
        max((len(pairs(record.params, 40)) for record in found.records), default=0),
        max((len(pairs(record.metrics, 50)) for record in found.records), default=0),
    )
    at = 2 + len(marked)
    for record, row in zip(found.records, rows, strict=True):
        values = (pairs(record.params, params), pairs(record.metrics, metrics))
        made.add_row(*row[:at], *values, *row[at:])
    show(made)
    if first:
        command = f"nbflow show {first}{elsewhere(found[0].store)}"
        show(
            Text.assemble(
                ("▲ ", "yellow"), (f"far out of the ordinary: {command} says what", "dim")
            )
        )


def _shares(room: int, params: int, metrics: int) -> tuple[int, int]:
    """How wide the columns of parameters and of metrics are, where not all fits in a line."""
    params = min(params, max(room - metrics, room * 2 // 5, len("parameters")))
    return params, min(metrics, max(room - max(params, len("parameters")), len("metrics")))


def steps_table(rows: Sequence[tuple[str, dict[str, int], float | None]]) -> Table:
    """The steps of a run with their counts."""
    made = plain_table("step", "tasks", "took")
    for name, counts, took in rows:
        made.add_row(name, counts_text(counts), duration(took))
    return made


def facts_table(facts: dict[str, str]) -> Table:
    """Names and what they are."""
    from rich.text import Text

    made = plain_table("", "")
    made.show_header = False
    for name, value in facts.items():
        made.add_row(Text(name, "dim"), Text(value))
    return made


def show_run(run: Run) -> None:
    """The page of `nbflow show RUN`."""
    from rich.text import Text

    from nbflow.client.show import step_rows

    record = run.record
    head = Text.assemble((run.path, "bold"), "  ", status_text(record.status))
    facts = {
        "took": duration(run.duration),
        "started": when(record.started or record.created),
        "parameters": pairs(record.params, 150),
        "metrics": pairs(record.metrics, 150),
        "tags": " ".join(record.tags),
        "branch": record.branch or "",
        "engine": record.engine,
        "version": record.version,
        "notebook": record.notebook,
        "git": (record.git or "") + (" (with changes)" if record.dirty else ""),
        "by": f"{record.user}@{record.host}" if record.user else "",
    }
    show(head, facts_table({k: v for k, v in facts.items() if v}), "", steps_table(step_rows(run)))
    if record.error is not None:
        show("", error_text(record.error, run))
    if record.status == "lost":
        from nbflow.client.lost import why_lost

        show("", Text(why_lost(run)))
    flags = run.flags
    if flags:
        show("", *flag_lines(flags))


def flag_lines(flags: RunFlags, most: int | None = None) -> list[Text]:
    """The flags, a line each, and what else has changed: in ``most`` lines where that is given."""
    from rich.text import Text

    from nbflow.client.flags import changed_since
    from nbflow.flags.flag import WARNING

    shown = flags[:] if most is None or len(flags) <= most else flags[: most - 1]
    lines = [
        Text.assemble(("▲ ", "yellow") if one.weight >= WARNING else ("△ ", "dim"), plain(one))
        for one in shown
    ]
    rest = len(flags) - len(shown)
    if rest:
        lines.append(Text(f"and {rest} more: nbflow show {flags.run}", "dim"))
    elif changed_since(flags.since) and (most is None or len(lines) < most):
        lines.append(Text(changed_since(flags.since), "dim"))
    return lines


def plain(flag: Flag) -> str:
    """A flag's sentence without marks."""
    return flag.message.replace("`", "")


def error_text(error: dict[str, Any], run: Run) -> Text:
    """A failure: where it was, what it said, and where to look."""
    from rich.text import Text

    from nbflow.cli.options import elsewhere
    from nbflow.cli.say import place

    step, key = str(error.get("step") or ""), str(error.get("task") or "")
    task = f"{step}/{key}" if key else step
    where = place(error.get("cell"), error.get("line"))
    said = str(error.get("traceback") or f"{error.get('type')}: {error.get('message')}")
    text = Text.assemble(
        (f"{task or run.path} failed", "bold red"),
        f" in {where}" if where else "",
        "\n",
        said.rstrip(),
    )
    record = run.store.task(run.id, step, key)
    if record is not None and record.log is not None:
        command = f"nbflow logs {run.path}/{task}{elsewhere(run.store)}"
        text.append(f"\n{command} shows what it printed.", "dim")
    return text
