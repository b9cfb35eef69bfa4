"""Detach: a run in a process of its own, which outlives the terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from tempfile import TemporaryFile

import click

from nbflow.cli.group import SUCCEEDED
from nbflow.cli.say import say_json


def start_detached(words: Sequence[str], *, as_json: bool) -> int:
    """Start `nbflow WORDS` without `--detach`; returns when it has its number, or has failed."""
    read, write = os.pipe()
    rest = [word for word in words if word not in ("--detach", "--json")]
    with TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "nbflow", *rest, "--announce", str(write)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
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
            said.seek(0)
            click.echo(said.read().decode(errors="replace"), nl=False, err=True)
            return status
    # it goes on alone: it is not ours to wait for
    process.returncode = 0
    if as_json:
        say_json({"run": path, "status": "running"})
    else:
        click.echo(path)
        click.echo(f"It goes on by itself. Follow it: nbflow logs {path} -f", err=True)
        click.echo(f"Stop it: nbflow cancel {path}", err=True)
    return SUCCEEDED
