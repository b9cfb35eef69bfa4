"""`nbflow verify`: does the flow compute what the notebook computes?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nbflow.cli.compiled import notebook_argument
from nbflow.cli.group import FAILED, SUCCEEDED
from nbflow.cli.options import json_option, verb
from nbflow.cli.say import note, say_json
from nbflow.cli.values import parameter_options, parameters

if TYPE_CHECKING:
    from nbflow.verify.check import StepCheck, Verdict


def _time(_: click.Context, __: click.Parameter, text: str | None) -> float | None:
    """Seconds of `90s` or `10m`."""
    from nbcompile.units import parse_time

    if text is None:
        return None
    try:
        return parse_time(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@verb("verify")
@notebook_argument
@parameter_options
@click.option("--on", default="dask", show_default=True, help="The engine that runs the flow.")
@click.option("--max-workers", type=int, help="Use so many workers at most.")
@click.option("--timeout", metavar="TIME", callback=_time, help="Give up after so long: 90s, 10m.")
@json_option
def command(
    notebook: Path,
    given: tuple[tuple[str, str], ...],
    files: tuple[Path, ...],
    on: str,
    max_workers: int | None,
    timeout: float | None,
    as_json: bool,
) -> int:
    """Check that the flow computes what the notebook computes.

    Runs the notebook in one kernel and as a flow, and compares all that its steps leave and print.
    It takes as long as both; where they differ, two more kernels tell what varies by itself.
    The exit status is 1 where something differs.
    """
    from nbflow.verify.check import verify_notebook

    verdict = verify_notebook(
        notebook,
        on,
        max_workers,
        params=parameters(given, files),
        timeout=timeout,
        tell=_silent if as_json else _tell,
    )
    if as_json:
        say_json(verdict.to_json())
    else:
        click.echo(report(verdict))
    return SUCCEEDED if verdict.same else FAILED


def _tell(text: str) -> None:
    note(f"{text} …")


def _silent(_: str) -> None:
    """With --json, nothing but the verdict is said."""


def report(verdict: Verdict) -> str:
    """The verdict as lines: the first step that differs, and why."""
    lines = [_line(one) for one in verdict.steps]
    if verdict.stopped is not None:
        return "\n".join([*lines, verdict.stopped])
    first = verdict.first
    if first is None:
        varies = next((one for one in verdict.steps if one.unsteady), None)
        if varies is None:
            return "\n".join([*lines, "The flow computes what the notebook computes."])
        lines.append(
            "The flow computes what the notebook computes, but for what differs from kernel to "
            "kernel as well."
        )
        lines.append(
            f"That begins in `{varies.step}` (cell {varies.cell}): with a seed for what is drawn "
            "there, and without the time, it can be compared."
        )
        return "\n".join(lines)
    lines.append(f"The first step that differs is `{first.step}` (cell {first.cell}):")
    lines += [f"    {one}" for one in first.differences]
    if first.cause:
        lines.append(f"Likely because: {first.cause}")
    else:
        lines.append(
            "Why is not known. Look at what these cells use beside the values of other steps: "
            "files, the clock, the process that they run in."
        )
    return "\n".join(lines)


def _line(one: StepCheck) -> str:
    from nbflow.client.text import plural

    sign = "✗" if one.differences else "✓"
    parts = [f"{sign} {one.step}: {plural(len(one.same), 'value')} the same"]
    if one.differences:
        parts.append(plural(len(one.differences), "difference"))
    if one.unsteady:
        parts.append(f"not the same in two kernels: {', '.join(one.unsteady)}")
    if one.doubtful:
        parts.append(f"may have changed in place: {', '.join(one.doubtful)}")
    if one.unread:
        parts.append(f"not compared: {', '.join(one.unread)}")
    return ", ".join(parts)
