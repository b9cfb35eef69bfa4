"""Run process: one run, from a request on standard input; it goes on when the server has ended.

It says one line: the path of the run as soon as it has one, or why it did not start.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbflow.errors import StoreError, UserError
from nbflow.runtime.listener import Listener

if TYPE_CHECKING:
    from nbflow.runtime.request import RunRequest
    from nbflow.runtime.spec import FlowSpec
    from nbflow.store.records import RunRecord


def main() -> int:
    """Read the request, run it; the exit status is that of `nbflow run`."""
    asked = json.load(sys.stdin)
    announcer = _Announcer(os.dup(1))
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    from nbflow.runtime.run import run_flow

    try:
        record = run_flow(_request(asked), announcer)
    except UserError as error:
        announcer.say(
            {
                "message": str(error),
                "diagnostics": [one.to_json() for one in error.diagnostics],
                "store": isinstance(error, StoreError),
            }
        )
        return 2
    return 0 if record.status == "succeeded" else 1


class _Announcer(Listener):
    """Says a line, once, and then leaves the server's pipe alone."""

    def __init__(self, pipe: int) -> None:
        self._pipe: int | None = pipe

    def started(self, run: RunRecord, spec: FlowSpec) -> None:
        self.say({"run": run.path})

    def say(self, what: dict[str, Any]) -> None:
        if self._pipe is None:
            return
        pipe, self._pipe = self._pipe, None
        with os.fdopen(pipe, "w") as file:
            file.write(json.dumps(what) + "\n")
        os.dup2(1, 2)


def _request(asked: dict[str, Any]) -> RunRequest:
    from nbflow.cli.run import engine_fields
    from nbflow.runtime.request import RunRequest

    target = asked.get("target")
    fields = engine_fields(
        Path(target).parent if target else Path.cwd(),
        asked.get("store"),
        on=asked.get("engine"),
        max_workers=asked.get("max_workers"),
        tags=tuple(asked.get("tags") or ()),
        branch=asked.get("branch"),
        profile=None,
        seed=None,
        no_cache=asked.get("cache") is False,
    )
    return RunRequest(
        target=target,
        params=asked.get("params") or {},
        variants=asked.get("variants") or {},
        start_from=asked.get("start_from"),
        resume_of=asked.get("resume_of"),
        **fields,
    )


if __name__ == "__main__":
    sys.exit(main())
