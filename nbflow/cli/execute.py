"""Execute: a request run to its end, with what is shown meanwhile and said in the end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nbflow.cli.group import FAILED, SUCCEEDED, USAGE
from nbflow.cli.say import say_diagnostics, say_json, say_lines

if TYPE_CHECKING:
    from nbflow.client.run import Run
    from nbflow.runtime.request import RunRequest
    from nbflow.store.records import RunRecord

#: lines about flags at the end of a run
_FLAGS = 3


def execute(
    request: RunRequest,
    *,
    as_json: bool = False,
    explain: bool = False,
    announce: int | None = None,
    report: bool = False,
) -> int:
    """Run it; returns the exit status: 0 succeeded, 1 failed or cancelled, 2 did not start.

    The run's path is written to the file descriptor ``announce`` as soon as there is one: from then
    on nobody hears what this process says.
    """
    from nbflow.cli.watch import watcher
    from nbflow.errors import UserError
    from nbflow.runtime.run import run_flow

    listener = watcher(
        silent=as_json,
        announce=None if announce is None else lambda run: _announce(announce, run, request),
    )
    try:
        record = run_flow(request, listener)
    except UserError as error:
        if not as_json:
            raise
        from nbflow.cli.shapes import not_started

        say_diagnostics(error.diagnostics)
        say_json(not_started(error.diagnostics))
        return USAGE
    finally:
        listener.close()
    run = _run(record.path, request)
    if report:
        from nbflow.report import write_report

        written = write_report(run)
        click.echo(f"Report: {written.page}", err=True)
    return tell(run, as_json=as_json, explain=explain)


def tell(run: Run, *, as_json: bool = False, explain: bool = False) -> int:
    """Say how a run has ended; returns the exit status."""
    if as_json:
        from nbflow.cli.shapes import result

        say_json(result(run, explain=explain))
    else:
        if explain:
            _say_reasons(run)
        _say_end(run)
    return SUCCEEDED if run.status == "succeeded" else FAILED


def foresee(request: RunRequest, *, as_json: bool = False) -> int:
    """Say what would run, and why, without running it."""
    from nbflow.cli.screen import plain_table, show
    from nbflow.runtime.explain import explain

    rows = explain(request)
    if as_json:
        from nbflow.cli.shapes import foreseen

        say_json({"explain": foreseen(rows)})
        return SUCCEEDED
    made = plain_table("step", "", "tasks", "why")
    for row in rows:
        name = f"{row.step} (its items)" if row.part == "items" else row.step
        made.add_row(name, row.fate, f"{len(row.keys):,}" if row.keys else "?", row.reason)
    show(made)
    return SUCCEEDED


def _announce(announce: int, run: RunRecord, request: RunRequest) -> None:
    from nbflow.runtime.live import keep_words, live_folder

    store = _run(run.path, request).store
    keep_words(live_folder(store.root, run.id))
    store.close()
    os.write(announce, run.path.encode())
    os.close(announce)


def _run(path: str, request: RunRequest) -> Run:
    from nbflow.client.run import Run
    from nbflow.store import open_store

    start = None if request.target is None else Path(request.target).expanduser().parent
    return Run(path, open_store(request.store, start, create=False))


def _say_end(run: Run) -> None:
    from rich.text import Text

    from nbflow.cli.options import elsewhere
    from nbflow.cli.screen import error_text, flag_lines, show, status_text
    from nbflow.client.text import duration, pairs

    error = run.record.error
    if error is not None and run.status == "failed":
        show("", error_text(error, run))
    show("", Text.assemble((run.path, "bold"), " ", status_text(run.status)), end=" ")
    click.echo(f"in {duration(run.duration)}")
    if run.metrics:
        say_lines(pairs(run.metrics, 100))
    flags = run.flags
    if flags:
        show(*flag_lines(flags, _FLAGS))
    where = elsewhere(run.store)
    if run.status == "succeeded":
        click.echo(f"Look at it: nbflow show {run.path}{where}")
    else:
        click.echo(f"Go on from what it finished: nbflow resume {run.path}{where}")


def _say_reasons(run: Run) -> None:
    """Why each task ran, or why it did not, tasks with one reason together."""
    from nbflow.cli.screen import plain_table, show, status_text
    from nbflow.cli.shapes import reasons

    made = plain_table("step", "tasks", "why")
    for step, groups in reasons(run).items():
        for group in groups:
            made.add_row(step, status_text(group["status"], group["tasks"]), group["reason"])
    show("", made)
