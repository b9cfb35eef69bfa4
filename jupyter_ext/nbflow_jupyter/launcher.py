"""Launcher: starts runs as processes that outlive the server."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from tornado.log import app_log

from nbflow_jupyter.refusal import Refusal, refusal

#: seconds for which a run may take to begin
PATIENCE = 180.0
#: characters of what a process said last that did not start the run
_SAID = 400


async def launch(request: dict[str, Any], folder: Path) -> str:
    """Start the run that the request describes, in ``folder``; returns its path."""
    return await asyncio.to_thread(_launch, request, folder)


def _launch(request: dict[str, Any], folder: Path) -> str:
    with TemporaryFile() as said:
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "nbflow_jupyter.run_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                cwd=folder,
                start_new_session=True,
            )
        except OSError as error:
            why = error.strerror or str(error)
            raise Refusal(503, f"The run did not start: no process for it ({why}).") from error
        assert process.stdin is not None
        assert process.stdout is not None
        impatience = threading.Timer(PATIENCE, process.kill)
        begun = time.monotonic()
        impatience.start()
        try:
            _tell(process.stdin, request)
            # ends with the line, or with the process that never got so far
            line = process.stdout.readline()
        finally:
            impatience.cancel()
            process.stdout.close()
        answer = _answer(line)
        if answer is None:
            process.kill()
            status = process.wait()
            if time.monotonic() - begun >= PATIENCE:
                raise Refusal(503, f"The run did not begin within {PATIENCE:g} seconds.")
            said.seek(0)
            text = said.read().decode(errors="replace").strip() or line.decode(errors="replace")
            app_log.error("nbflow: a run did not start (status %s)\n%s", status, text)
            last = text.strip().splitlines()[-1:]
            end = f": {last[0][-_SAID:]}" if last else f" with status {status}."
            raise Refusal(503, f"The run did not start; its process ended{end}")
    # waited for aside, so that none is left as a zombie; the thread ends with the server
    threading.Thread(target=process.wait, daemon=True, name="nbflow-run").start()
    if "run" not in answer:
        raise refusal(answer["message"], answer["diagnostics"], answer["store"])
    return str(answer["run"])


def _answer(line: bytes) -> dict[str, Any] | None:
    """What the process said; None where that is nothing, or nothing of ours."""
    try:
        answer = json.loads(line)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _tell(pipe: IO[bytes], request: dict[str, Any]) -> None:
    try:
        with pipe:
            pipe.write(json.dumps(request).encode())
    except BrokenPipeError:
        pass  # it has died already; its silence tells
