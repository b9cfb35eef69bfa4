"""Task: run one task of a run, wherever that is: code and inputs come from the store.

What `nbflow step` does, and what every engine ends in. The outcome is a record; whoever drives the
run publishes it, so that a failed or a lost attempt leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from nbflow.errors import UserError
from nbflow.runtime.capture import Capture
from nbflow.runtime.generators import title
from nbflow.runtime.inputs import Absent, Inputs
from nbflow.runtime.live import LiveFile, live_folder, task_name
from nbflow.runtime.machine import Part
from nbflow.runtime.outputs import Outputs
from nbflow.runtime.package import LoadedPackage
from nbflow.runtime.reads import Reads, names_in
from nbflow.runtime.spec import CallSpec, Key, StepSpec, key_text, read_key, read_spec
from nbflow.runtime.traceback import SourceMap, error_json, warnings_by_cell
from nbflow.runtime.unchanged import check_unchanged
from nbflow.store.records import TaskRecord

if TYPE_CHECKING:
    from nbflow.store import Store


@dataclass(slots=True)
class _Outcome:
    """What a task's code came to, before it is a record."""

    status: str = "succeeded"
    artifacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    count: int | None = None
    error: dict[str, Any] | None = None
    reason: str | None = None
    changed: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)


class TaskRunner:
    """Runs tasks of one run, one after another, in this process."""

    def __init__(self, store: Store, run: int, *, whole: bool, name: str | None = None) -> None:
        self.store = store
        self.run_record = store.run(run)
        version = store.version(self.run_record.version)
        self.spec = read_spec(version.manifest)
        self.worker = name or f"{socket.gethostname()}-{os.getpid()}"
        self.capture = Capture(LiveFile(live_folder(store.root, run), self.worker), whole=whole)
        folder = store.code_dir(version.version)
        self.source = SourceMap(self.spec, folder)
        self.inputs = Inputs(store, self.run_record, self.spec)
        self.writer = store.writer(f"run{run}-{self.worker}")
        self._reads = Reads([store.root])
        self._whole = whole
        self._folder = folder
        self._package: LoadedPackage | None = None
        self._home = _home(self.run_record.notebook)
        self._performing = False
        self._interrupted = False

    def run(self, step: str, key: Key, attempt: int, part: Part = "main") -> TaskRecord:
        """Run one attempt of a task. Its values can be read after `flush`."""
        one, text, started = self.spec.step(step), key_text(key), time.time()
        outcome = _Outcome()
        self.capture.begin(task_name(step, part, text, attempt), started)
        try:
            self._performing = True
            if self._interrupted:
                raise KeyboardInterrupt
            self._perform(one, key, text, part, outcome)
            self._performing = False
        except Absent as absent:
            outcome.status = "skipped"
            outcome.reason = f"`{absent.source}`, which makes `{absent.name}`, was skipped"
        except KeyboardInterrupt as error:
            self._performing = False
            # an error after all, where nobody has cancelled the run: the driver knows
            outcome.error = error_json(error, step, text, self.source)
            outcome.status, outcome.reason = "cancelled", "cancelled while it ran"
        except BaseException as error:
            self._performing = False
            outcome.status = "failed"
            outcome.error = error_json(error, step, text, self.source)
        self._performing = False
        log, outputs, aside = self.capture.end()
        writer = self.writer
        return TaskRecord(
            step=step,
            key=text,
            status=outcome.status,  # type: ignore[arg-type]
            part=part,
            attempt=attempt,
            started=started,
            finished=time.time(),
            artifacts=outcome.artifacts if outcome.error is None else {},
            item=self._label(one, key) if part == "main" and one.line else None,
            count=outcome.count,
            log=self._log(log, aside),
            outputs=writer.put_bytes(json.dumps(outputs).encode()).to_json() if outputs else None,
            error=outcome.error,
            worker=self.worker,
            reason=outcome.reason,
            changed=outcome.changed,
            files=outcome.files,
        )

    def interrupt(self) -> None:
        """From a signal handler: end the task at hand as cancelled, and every one that follows.

        What is nbflow's own work before and after a task's code is not interrupted.
        """
        self._interrupted = True
        if self._performing:
            raise KeyboardInterrupt

    def _log(self, log: bytes, aside: list[list[int]]) -> dict[str, Any] | None:
        """The log stored; its preview tells the ranges that the step did not print itself."""
        if not log:
            return None
        ref = self.writer.put_bytes(log, "text")
        return (replace(ref, preview={"aside": aside}) if aside else ref).to_json()

    def flush(self) -> None:
        """Have everything that was stored on disk; no task is under way."""
        self.capture.live.end()
        self.writer.flush()

    def unstored(self, record: TaskRecord, error: Exception) -> TaskRecord:
        """The record of a task whose values could not be stored after all."""
        if record.status != "succeeded":
            return replace(record, log=None, outputs=None)
        told = error_json(error, record.step, record.key, self.source)
        return replace(
            record, status="failed", artifacts={}, count=None, log=None, outputs=None, error=told
        )

    def close(self) -> None:
        """Flush, remove the live file, and leave the process as it was."""
        self.writer.close()
        if self._package is not None:
            self._package.close()
        self.capture.live.close()

    @property
    def package(self) -> LoadedPackage:
        """The package, imported when the first task needs it: what that prints is the task's."""
        if self._package is None:
            self._package = LoadedPackage(self.spec, self._folder)
        return self._package

    def _perform(self, step: StepSpec, key: Key, text: str, part: Part, outcome: _Outcome) -> None:
        """Run the task in the process as every task finds it: folder, names, random state."""
        held = os.getcwd()
        if held != self._home:
            os.chdir(self._home)
        package = self.package
        as_found = contextlib.nullcontext() if self._whole else _as_found(held)
        with as_found, package.as_main(), warnings_by_cell(self.source):
            package.load(step)
            package.hook(self.capture)
            package.reset()
            package.generators.seed(self.run_record.seed or 0, step.name, text)
            self._evaluate(step, key, part, outcome)

    def _evaluate(self, step: StepSpec, key: Key, part: Part, outcome: _Outcome) -> None:
        if step.when is not None and (part == "items" or not step.splits):
            values, _ = self.inputs.values(step, step.when, key)
            if not self._call(step.when, values):
                outcome.status, outcome.reason = "skipped", "its condition is false"
                return
        if part == "items":
            assert step.items is not None
            values, _ = self.inputs.values(step, step.items, key)
            names = names_in(self.package.function(step.items.function), values)
            with self._reads.naming(names):
                made = self._call(step.items, values)
                items = self.writer.put_items(made, f"{step.name}'s items")
            outcome.files = self._reads.files
            self.writer.flush()
            outcome.artifacts = {"items": items.to_json()}
            outcome.count = len(self.store.items(items))
            return
        values, refs = self.inputs.values(step, step.call, key)
        if step.splits:
            values.update(self.inputs.item(step, key))
        self.package.generators.seed_late()
        with self._reads.naming(names_in(self.package.function(step.call.function), values)):
            result = self._call(step.call, values)
        outcome.files = self._reads.files
        if "_figure" not in result:
            # as at the end of a cell: what is stored of a figure has been drawn, and is closed
            self.capture.show_figures()
        outcome.changed = check_unchanged(step, values, refs, self.store)
        outcome.changed += self._drawn(step)
        outcome.artifacts = Outputs(step, self.writer).store(result)

    def _drawn(self, step: StepSpec) -> tuple[str, ...]:
        """The seeded generators that the step has used without the compiler having seen it."""
        generators = self.package.generators
        seeded = self.spec.drawn | generators.seeded.keys()
        return tuple(title(k) for k in sorted((generators.moved() & seeded) - step.draws))

    def _call(self, call: CallSpec, values: dict[str, Any]) -> Any:
        process = os.getpid()
        try:
            return self.package.function(call.function)(**values)
        finally:
            if os.getpid() != process:
                _end_child(sys.exception())

    def _label(self, step: StepSpec, key: Key) -> Any:
        """The item of the task's branch, in short."""
        try:
            return self.inputs.items(self.spec.step(step.line[-1]), key[:-1]).label(key[-1])
        except (UserError, IndexError):
            return None


def _end_child(error: BaseException | None) -> NoReturn:
    """End a process that the step's code has forked and let go on: its parent is the task."""
    status = 0 if error is None else 1
    if isinstance(error, SystemExit):
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    elif error is not None:
        traceback.print_exception(error)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(status)


@contextlib.contextmanager
def _as_found(folder: str) -> Iterator[None]:
    """Give a process that goes on afterwards its folder, variables and search path back."""
    variables, path = dict(os.environ), list(sys.path)
    try:
        yield
    finally:
        os.chdir(folder)
        if os.environ != variables:
            os.environ.clear()
            os.environ.update(variables)
        sys.path[:] = path


def run_task(
    store: Store, run: int, step: str, key: str = "", attempt: int = 1, part: Part = "main"
) -> TaskRecord:
    """Run one attempt of a task in this process; the record says how it ended."""
    runner = TaskRunner(store, run, whole=False)
    try:
        return runner.run(step, read_key(key), attempt, part)
    finally:
        runner.close()


def _home(notebook: str) -> str:
    """The folder that relative paths of the notebook start from."""
    folder = Path(notebook).expanduser().parent if notebook else Path()
    return str(folder) if folder.is_dir() else os.getcwd()
