"""The tasks of a tagged cell as it runs: items, branches, conditions, retries, caught failures.

The cell's statements stand in `for task in tasks.run(…): with task: …` (see `wrap`). The loop's
turn decides what runs next, the `with` what an error means.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from nbcompile.flow import Options
from nbflow.branches import Branches, TaskError
from nbflow_magics.branching import BranchNames, FanOut
from nbflow_magics.limits import StepTimeout, Timer, can_interrupt
from nbflow_magics.progress import Progress

_UNSET = object()


@dataclass(slots=True)
class Tasks:
    """Runs one tagged cell; ends with a value, a `FanOut`, or skipped."""

    step: str
    options: Options
    names: MutableMapping[str, Any]
    #: names that the body binds, the item's among them: each task starts without the others' values
    binds: tuple[str, ...]
    awaits: bool = False
    cell: str | None = None
    #: branches that the body runs in: those of `--each STEP`, or the step's own from another cell
    within: FanOut | None = None
    #: the other fan-outs: a branch sees of a nested one what lies within itself
    around: Mapping[str, FanOut] = field(default_factory=dict)
    #: whether these branches are the step's own, made by another of its cells
    continues: bool = False
    live: bool = False
    show: Callable[[Any], None] = print
    say: Callable[[str], None] = print

    value: Any = None
    fanout: FanOut | None = None
    skipped: bool = False
    failed: bool = False
    attempts: int = 0
    durations: list[float] = field(default_factory=list)

    def run(
        self, when: Callable[[], Any] | None, items: Callable[[], Iterable[Any]] | None
    ) -> Iterator[AbstractContextManager[Any]]:
        """One context for each attempt of each task, in order."""
        if self.within is None and items is None:
            if when is None or when():
                yield from self._alone()
            else:
                self.skipped = True
            return
        planned = list(self._plan(when, items))
        if self.skipped:
            return
        self.fanout = FanOut(self.step, self.cell, self._line(items is not None))
        progress = Progress(self.step, len(planned), self.live)
        try:
            for branch, item in planned:
                if branch.error is None:
                    yield from self._attempts(branch, item)
                self.fanout.branches.append(branch)
                progress.advance(branch.error is not None)
        finally:
            progress.finish()

    def _plan(
        self, when: Callable[[], Any] | None, items: Callable[[], Iterable[Any]] | None
    ) -> Iterator[tuple[BranchNames, Any]]:
        """Each task's branch and item, the expressions evaluated in the branch they belong to."""
        if self.within is None:
            assert items is not None
            if when is not None and not when():
                self.skipped = True
                return
            for number, item in enumerate(items()):
                yield BranchNames((number,), item, {}), item
            return
        for outer in self.within:
            if outer.error is not None:
                if self.continues:  # it failed in a cell above and stays a failed branch
                    yield outer, outer.item
                continue
            seen = self.seen_from(outer, self.within.line)
            with _Overlay(self.names, (*seen, *self.binds)) as overlay:
                overlay.bind(seen)
                wanted = when is None or when()
                inner = list(items()) if wanted and items is not None else None
            if not wanted:
                continue
            if inner is None:
                yield self._same_branch(outer), outer.item
                continue
            for number, item in enumerate(inner):
                parent = outer.source(self.within.step)
                yield BranchNames((*outer.key, number), item, dict(outer.inside), parent), item

    def _line(self, splits: bool) -> tuple[str, ...]:
        outer = self.within.line if self.within is not None else ()
        return (*outer, self.step) if splits else outer

    def seen_from(self, branch: BranchNames, line: tuple[str, ...]) -> dict[str, Any]:
        """What names mean in a branch: its variables, and its part of nested fan-outs."""
        seen = dict(branch.inside)
        for name, fanout in self.around.items():
            depth = fanout.shared_depth(line)
            if depth and name not in seen and issubclass(type(self.names.get(name)), Branches):
                seen[name] = fanout.sequence(branch.key[:depth])
        return seen

    def _same_branch(self, outer: BranchNames) -> BranchNames:
        if self.continues:
            return outer
        return BranchNames(outer.key, outer.item, outer.inside, outer.parent)

    def _alone(self) -> Iterator[Attempt]:
        for attempt in self._attempts(None, None):
            yield attempt
            self.failed = attempt.error is not None

    def _attempts(self, branch: BranchNames | None, item: Any) -> Iterator[Attempt]:
        for number in range(1, self.options.retry + 2):
            last = number > self.options.retry
            attempt = Attempt(self, branch, item, number, last)
            yield attempt
            if attempt.error is None or last:
                return
            time.sleep(self.options.retry_delay)


class Attempt:
    """One attempt of one task: the context that the cell's statements run in."""

    def __init__(
        self, tasks: Tasks, branch: BranchNames | None, item: Any, number: int, last: bool
    ) -> None:
        self.tasks = tasks
        self.branch = branch
        self.item = item
        self.number = number
        self.last = last
        self.error: BaseException | None = None
        self.value: Any = None
        line = tasks.fanout.line if tasks.fanout is not None else ()
        self._seen = tasks.seen_from(branch, line) if branch is not None else {}
        self._overlay = _Overlay(tasks.names, (*self._seen, *tasks.binds))
        self._timer: Timer | None = None
        self._started = 0.0

    def __enter__(self) -> Any:
        tasks = self.tasks
        self._overlay.__enter__()
        self._overlay.bind(self._seen)
        self._started = time.perf_counter()
        if tasks.options.timeout is not None:
            what = f"{tasks.step}: this task took longer than {tasks.options.timeout:g} s"
            self._timer = Timer(tasks.options.timeout, what, tasks.awaits)
            if not self._timer.start() and not can_interrupt():
                tasks.say("--timeout cannot end a cell here; a run ends its tasks in time.")
        return self.item

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if self._timer is not None:
            self._timer.stop()
        tasks = self.tasks
        tasks.attempts += 1
        tasks.durations.append(time.perf_counter() - self._started)
        try:
            return self._ended(error, trace)
        finally:
            if self.branch is not None or not self.last:
                _show_figures()

    def _ended(self, error: BaseException | None, trace: TracebackType | None) -> bool:
        """Keep what the attempt has made, or say why it failed; whether the cell goes on."""
        tasks = self.tasks
        if error is None:
            self._succeed()
            return True
        if self._timer is not None and (told := self._timer.translate(error)) is not error:
            error = told
        if not isinstance(error, Exception):
            return False  # an interrupt: nothing catches it
        self.error = error
        if not self.last:
            self._overlay.undo()
            delay = tasks.options.retry_delay
            tasks.say(
                f"{self._what()}: attempt {self.number} of {tasks.options.retry + 1} failed with "
                f"{_brief(error)}; trying again{f' in {delay:g} s' if delay else ''}."
            )
            return True
        if tasks.options.catch:
            self._catch(error, trace)
            return True
        if isinstance(error, StepTimeout) and error is not sys.exc_info()[1]:
            raise error.with_traceback(trace) from None
        return False

    def _succeed(self) -> None:
        if self.branch is None:
            self.tasks.value = self.value
            return
        if self.value is not None:
            self.tasks.show(self.value)
        kept = {name: self.tasks.names.get(name, _UNSET) for name in self.tasks.binds}
        self.branch.bind(
            {
                name: value
                for name, value in kept.items()
                if value is not _UNSET and name not in self.tasks.options.drop
            }
        )
        self._overlay.undo()

    def _catch(self, error: Exception, trace: TracebackType | None) -> None:
        self._overlay.undo()
        lines = traceback.format_exception(type(error), error, trace)
        print("".join(lines), end="", file=sys.stderr)
        told = TaskError(type(error).__name__, str(error), self.tasks.step, self._key())
        if self.branch is not None:
            self.branch.error = told
        self.tasks.say(f"{self._what()} failed with {_brief(error)}; --catch goes on.")

    def _key(self) -> str:
        return "" if self.branch is None else ".".join(map(str, self.branch.key))

    def _what(self) -> str:
        return f"{self.tasks.step}[{self._key()}]" if self.branch is not None else self.tasks.step


class _Overlay:
    """Names bound for a while: what they meant before comes back."""

    def __init__(self, names: MutableMapping[str, Any], bound: Iterable[str]) -> None:
        self._names = names
        self._bound = tuple(dict.fromkeys(bound))
        self._before: dict[str, Any] = {}

    def __enter__(self) -> _Overlay:
        self._before = {name: self._names.get(name, _UNSET) for name in self._bound}
        return self

    def __exit__(self, *_: object) -> None:
        self.undo()

    def bind(self, values: dict[str, Any]) -> None:
        self._names.update(values)

    def undo(self) -> None:
        for name, value in self._before.items():
            if value is _UNSET:
                self._names.pop(name, None)
            else:
                self._names[name] = value


def _show_figures() -> None:
    """Show what the task has drawn, and close it: the next one begins with no figure, as in a run.

    IPython does so for the last task, when the cell ends.
    """
    inline = sys.modules.get("matplotlib_inline.backend_inline")
    if inline is not None:
        inline.flush_figures()


def _brief(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
