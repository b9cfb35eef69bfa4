"""Task: one task of a run: its values, its item, what it printed, why it failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from html import escape
from typing import TYPE_CHECKING, Any

from nbflow.branches import Branch, BranchSource
from nbflow.client.artifact import Artifact, artifact_row
from nbflow.client.html import code, dim, folded, image, page, status, table, title
from nbflow.client.text import brief, duration
from nbflow.runtime.spec import key_text
from nbflow.store.records import TaskRecord, task_path
from nbflow.values.ref import Ref

if TYPE_CHECKING:
    from nbflow.client.run import Run


#: plots that a display shows
_IMAGES = 4


@dataclass(frozen=True, slots=True)
class Output:
    """An output that the task showed, in all the forms it had."""

    data: dict[str, Any]
    metadata: dict[str, Any]

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return self.data, self.metadata

    def __repr__(self) -> str:
        return str(self.data.get("text/plain", f"<{', '.join(self.data)}>"))


class Task(Branch):
    """A task: its variables as attributes, and all that was recorded of it.

    A variable that is called like one of these is found by `task["log"]`.
    """

    def __init__(self, source: BranchSource, run: Run, record: TaskRecord) -> None:
        super().__init__(source)
        self.__dict__.update(_run=run, record=record)

    record: TaskRecord
    _run: Run

    @property
    def path(self) -> str:
        """`churn/42/train/3`."""
        return task_path(self._run.path, self._source.step, key_text(self._source.key))

    @property
    def status(self) -> str:
        """The task's status when it was looked up."""
        return self.record.status

    @property
    def duration(self) -> float | None:
        """Seconds that the last attempt took."""
        record = self.record
        if record.started is None or record.finished is None:
            return None
        return record.finished - record.started

    @property
    def artifacts(self) -> dict[str, Artifact]:
        """What is kept of the task, by name; nothing is loaded."""
        return {
            name: Artifact(
                f"{self.path}/{name}",
                Ref.from_json(data),
                self._run.store,
                partial(self.__getitem__, name),
            )
            for name, data in self.record.artifacts.items()
        }

    @property
    def log(self) -> str:
        """What the task has printed."""
        return self.printed().decode("utf-8", "replace")

    def printed(self, since: int = 0) -> bytes:
        """What the task has printed from byte ``since`` on; of a running one, so far."""
        if self.record.log is not None:
            return self._run.store.get_bytes(Ref.from_json(self.record.log))[since:]
        from nbflow.runtime.printed import running_task

        key = key_text(self._source.key)
        running = running_task(self._run.store, self._run.id, self._source.step, key)
        return b"" if running is None else running.read(since)

    @property
    def aside(self) -> list[tuple[int, int]]:
        """Ranges of what was printed that standard error and child processes printed."""
        preview = Ref.from_json(self.record.log).preview if self.record.log is not None else None
        return [(start, end) for start, end in (preview or {}).get("aside", [])]

    @property
    def outputs(self) -> list[Output]:
        """What the task has shown: tables, plots."""
        if self.record.outputs is None:
            return []
        import json

        held = json.loads(self._run.store.get_bytes(Ref.from_json(self.record.outputs)))
        return [Output(one["data"], one.get("metadata", {})) for one in held]

    @cached_property
    def inputs(self) -> Mapping[str, Any]:
        """What the task's function was called with, by name."""
        return self._run._inputs_of(self._source.step, self._source.key)

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={a.text()}" for name, a in self.artifacts.items() if a.plain)
        return f"<{self.path} {self.status}{': ' if values else ''}{brief(values, 100)}>"

    def _repr_html_(self) -> str:
        record = self.record
        more = [status(self.status), dim(duration(self.duration))]
        if record.attempt > 1:
            more.append(dim(f"attempt {record.attempt}"))
        if record.cached_from:
            more.append(dim(f"from {record.cached_from}"))
        parts = [title(self.path, *more)]
        if record.item is not None:
            parts.append(f"<div>item <code>{escape(brief(record.item, 120))}</code></div>")
        if record.error is not None:
            parts.append(code(str(record.error.get("traceback") or record.error["message"])))
        artifacts = [artifact_row(one) for one in self.artifacts.values()]
        if artifacts:
            parts.append(table(["artifact", "type", "size", "preview"], artifacts))
        log = self.log
        if log:
            parts.append(folded("log", code(log[-20_000:]), opened=len(log) < 2_000))
        pngs = [one.data["image/png"] for one in self.outputs if "image/png" in one.data]
        parts += [image(png, "shown by the task") for png in pngs[:_IMAGES]]
        return page(*parts)
