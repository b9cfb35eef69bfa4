"""Launcher: starts runs as processes that outlive the server."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from nbflow_jupyter.refusal import Refusal

#: seconds for which a run may take to begin
PATIENCE = 180.0
#: characters of what a process said that did not start
_SAID = 2000


async def launch(request: dict[str, Any], folder: Path) -> str:
    """Start the run that the request describes, in ``folder``; returns its path."""
    return await asyncio.to_thread(_launch, request, folder)


def _launch(request: dict[str, Any], folder: Path) -> str:
    with TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "nbflow_jupyter.run_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            cwd=folder,
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        impatience = threading.Timer(PATIENCE, process.kill)
        impatience.start()
        try:
            _tell(process.stdin, request)
            # ends with the line, or with the process that never got so far
            line = process.stdout.readline()
        finally:
            impatience.cancel()
            process.stdout.close()
        if not line:
            process.wait()
            said.seek(0)
            text = said.read().decode(errors="replace")[-_SAID:].strip()
            raise Refusal(500, f"The run did not start. {text}".strip())
    # waited for aside, so that none is left as a zombie; the thread ends with the server
    threading.Thread(target=process.wait, daemon=True, name="nbflow-run").start()
    answer: dict[str, Any] = json.loads(line)
    if "run" not in answer:
        raise Refusal(400, answer["message"], answer["diagnostics"])
    return str(answer["run"])


def _tell(pipe: IO[bytes], request: dict[str, Any]) -> None:
    try:
        with pipe:
            pipe.write(json.dumps(request).encode())
    except BrokenPipeError:
        pass  # it has died already; its silence tells
