"""Detach: a run in a process of its own, or driven by a pod; it outlives the terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from signal import Signals
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

import click

from nbflow.cli.group import FAILED, SUCCEEDED, USAGE
from nbflow.cli.say import note, say_diagnostics, say_json
from nbflow.cli.shapes import not_started
from nbflow.errors import UserError

if TYPE_CHECKING:
    from nbflow.runtime.request import RunRequest


def start_detached(words: Sequence[str], *, as_json: bool) -> int:
    """Start `nbflow WORDS` without `--detach`; returns when it has its number, or has failed."""
    read, write = os.pipe()
    rest = [word for word in words if word != "--detach"]
    with TemporaryFile() as answer, TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "nbflow", *rest, "--announce", str(write)],
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=said,
            pass_fds=[write],
            start_new_session=True,
        )
        os.close(write)
        with os.fdopen(read) as pipe:
            # ends when the path is written, or with the process that never got so far
            path = pipe.read()
        if not path:
            status = process.wait()
            click.echo(_read(said) or _silent(status), nl=False, err=True)
            if as_json:
                told = _read(answer)
                say_json(json.loads(told) if told else not_started(()))
            return status if status > 0 else FAILED
    # it goes on alone: it is not ours to wait for
    process.returncode = 0
    _say(path, "running", "It goes on by itself.", "", as_json=as_json)
    return SUCCEEDED


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def drive_in_cluster(request: RunRequest, *, as_json: bool) -> int:
    """Start a run whose driver is a pod; returns when that is there, or has failed."""
    from nbflow.cli.options import elsewhere
    from nbflow.kubernetes.detached import start_in_cluster

    try:
        store, run = start_in_cluster(request, (lambda _: None) if as_json else note)
    except UserError as error:
        if not as_json:
            raise
        say_diagnostics(error.diagnostics)
        say_json(not_started(error.diagnostics))
        return USAGE
    where, driven = elsewhere(store), store.driver(run.id) is not None
    store.close()
    if run.status == "failed":
        note(f"{run.path} failed: {(run.error or {}).get('message')}")
        return FAILED
    if driven:
        how = "It is driven in the cluster: this machine may go."
    else:
        how = "Its driver waits in the cluster, and goes on by itself."
    _say(run.path, run.status, how, where, as_json=as_json)
    return SUCCEEDED


def _silent(status: int) -> str:
    """What to say of a driver that ended before there was a run, without a word."""
    how = f"was ended by {Signals(-status).name}" if status < 0 else f"ended with status {status}"
    return f"error: The run's driver {how} before it had begun, and did not say why.\n"


def _say(path: str, status: str, how: str, where: str, *, as_json: bool) -> None:
    if as_json:
        say_json({"run": path, "status": status})
        return
    click.echo(path)
    note(f"{how} Follow it: nbflow logs {path} -f{where}")
    note(f"Stop it: nbflow cancel {path}{where}")
