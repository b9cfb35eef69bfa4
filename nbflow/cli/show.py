"""`nbflow show`: a run, a step, a task or an artifact, with previews and without loading values."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from nbflow.cli.options import json_option, store_at, store_option, verb
from nbflow.cli.say import say_json

if TYPE_CHECKING:
    from nbflow.cli.paths import Found
    from nbflow.client.artifact import Artifact
    from nbflow.client.step import StepView
    from nbflow.client.task import Task

#: tasks of a fan-out that are listed
_LISTED = 30


@verb("show")
@click.argument("path")
@click.option("--code", is_flag=True, help="Show the step's compiled code.")
@store_option
@json_option
def command(path: str, code: bool, location: str | None, as_json: bool) -> None:
    """Show a run, a step, a task or an artifact.

    PATH is FLOW/RUN, FLOW/RUN/STEP, FLOW/RUN/STEP/TASK or one of these with /NAME; FLOW alone is
    its newest run.
    """
    from nbflow.cli.paths import find
    from nbflow.cli.shapes import found_json

    found = find(path, store_at(location))
    if code:
        click.echo(_code(found))
    elif as_json:
        say_json(found_json(found))
    else:
        _show(found)


def _show(found: Found) -> None:
    from nbflow.cli.screen import show, show_run

    if found.artifact is not None:
        _show_artifact(found.artifact)
    elif found.of_all is not None and found.step is not None:
        for task in found.step:
            if found.of_all in task.artifacts:
                show(f"{task.path}/{found.of_all}  {task.artifacts[found.of_all].text()}")
    elif found.task is not None:
        _show_task(found.task)
    elif found.step is not None:
        _show_step(found.step)
    else:
        show_run(found.run)


def _show_step(step: StepView) -> None:
    from rich.text import Text

    from nbflow.cli.screen import counts_text, plain_table, show, status_text
    from nbflow.client.text import brief, duration

    values = list(dict.fromkeys(n for task in step for n in _plain(task)))[:8]
    made = plain_table("task", "status", "item", *values, "took")
    for task in step[:_LISTED]:
        plain = _plain(task)  # type: ignore[arg-type]
        made.add_row(
            str(task.path.rpartition("/")[2]),
            status_text(task.status),
            brief(task.record.item),
            *(plain.get(name, "") for name in values),
            duration(task.duration),
        )
    show(Text.assemble((step.path, "bold"), "  ", counts_text(step.counts)), made)
    if len(step) > _LISTED:
        show(f"and {len(step) - _LISTED:,} more: --json lists all")


def _show_task(task: Task) -> None:
    from rich.text import Text

    from nbflow.cli.screen import error_text, facts_table, plain_table, show, status_text
    from nbflow.client.text import brief, duration, size, when

    record = task.record
    facts = {
        "item": "" if record.item is None else brief(record.item, 120),
        "took": duration(task.duration),
        "started": when(record.started) if record.started else "",
        "attempt": str(record.attempt) if record.attempt > 1 else "",
        "taken from": record.cached_from or "",
        "why": record.reason or "",
        "read": ", ".join(map(os.path.relpath, record.files)),
        "worker": record.worker or "",
    }
    show(
        Text.assemble((task.path, "bold"), "  ", status_text(task.status)),
        facts_table({name: value for name, value in facts.items() if value}),
    )
    if task.artifacts:
        made = plain_table("artifact", "type", "size", "preview")
        for one in task.artifacts.values():
            made.add_row(one.name, one.type, size(one.size), Text(brief(one.text(), 80)))
        show("", made)
    if record.error is not None:
        show("", error_text(record.error, task._run))
    elif record.log is not None:
        show("", Text(f"nbflow logs {task.path} shows what it printed.", "dim"))


def _show_artifact(artifact: Artifact) -> None:
    from rich.text import Text

    from nbflow.cli.screen import show
    from nbflow.client.text import size

    facts = f"  {artifact.type}  {size(artifact.size)}"
    show(Text.assemble((artifact.path, "bold"), facts), Text(artifact.details()))


def _code(found: Found) -> str:
    if found.step is not None:
        return found.step.code.rstrip()
    package = f"{found.run.spec.package}/flow.py"
    return found.run.files.get(package, "").rstrip()


def _plain(task: Task) -> dict[str, str]:
    return {name: one.text() for name, one in task.artifacts.items() if one.plain}
