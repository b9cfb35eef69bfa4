"""Driver: performs what the machine decides: starts tasks, publishes records, hears cancels."""

from __future__ import annotations

import heapq
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nbflow.engines.base import Engine, Work
from nbflow.runtime.cache import Cache
from nbflow.runtime.known import Known
from nbflow.runtime.listener import Listener
from nbflow.runtime.machine import (
    Action,
    AttemptEnded,
    Begun,
    CancelAsked,
    Delay,
    DelayEnded,
    End,
    Event,
    Machine,
    Part,
    Skip,
    Start,
    Stop,
)
from nbflow.runtime.pulse import Pulse
from nbflow.runtime.shape import shape
from nbflow.runtime.spec import FlowSpec, Key, key_text, read_key
from nbflow.store.records import AttemptRecord, TaskRecord

if TYPE_CHECKING:
    from nbflow.store import Store

#: seconds that the driver waits for records before it looks at the clock
_WAIT = 0.2
#: seconds after which a task that runs is recorded as running
_LONG = 1.0
#: seconds that a hard stop may take before the run ends without a word from the engine
_GIVE_UP = 5.0
#: the same after a graceful stop: longer than any engine gives a task
_PATIENCE = 20.0
#: characters of a text that counts as a metric
_TEXT = 80


class Driver:
    """One run, from its first task to its last record."""

    def __init__(
        self,
        store: Store,
        run: int,
        spec: FlowSpec,
        engine: Engine,
        cache: Cache,
        known: Known,
        listener: Listener,
    ) -> None:
        self._store = store
        self._run = run
        self._spec = spec
        self._engine = engine
        self._cache = cache
        self._known = known
        self._listener = listener
        self._machine = Machine(shape(spec))
        self._unpublished: list[TaskRecord] = []
        self._delays: list[tuple[float, str, Key, Part]] = []
        #: batches that were recorded as running, or as waiting, and for what
        self._shown: dict[int, str] = {}
        self._stops = 0
        self._give_up: float | None = None
        self._ended: End | None = None
        #: the cache keys and reasons of tasks that were started
        self._plans: dict[tuple[str, str, Part], tuple[str, str]] = {}
        #: the first failure that was not caught
        self.error: dict[str, Any] | None = None
        self.metrics: dict[str, Any] = {}

    def drive(self) -> str:
        """Run everything; returns the status of the run."""
        with Pulse(self._store, self._run) as pulse, _interrupts(pulse, self._engine):
            self._take([Begun()])
            while self._ended is None:
                try:
                    records = self._engine.wait(_WAIT)
                except KeyboardInterrupt:  # between two tasks of the inline engine
                    records = []
                self._take([*self._record(records), *self._clock(), *self._cancels(pulse)])
                self._show_running()
        return self._ended.status

    def _take(self, events: Sequence[Event]) -> None:
        """Have the machine decide, and perform it; what that leads to as well."""
        waiting = list(events)
        while waiting:
            actions = self._machine.handle(waiting)
            self._publish()
            waiting = [event for action in actions for event in self._perform(action)]

    def _record(self, records: Sequence[TaskRecord]) -> list[Event]:
        """Note what has ended, to be published when the machine has said what it means."""
        events: list[Event] = []
        for record in records:
            plan = self._plans.pop((record.step, record.key, record.part), None)
            if plan is not None:
                key, reason = plan
                if record.status == "failed":
                    self._plans[record.step, record.key, record.part] = plan
                record = _planned(record, key, reason)
            events.append(self._note(record))
        return events

    def _note(self, record: TaskRecord) -> AttemptEnded:
        self._unpublished.append(record)
        self._known.add(record)
        return AttemptEnded(
            record.step,
            read_key(record.key),
            record.part,
            record.attempt,
            record.status,  # type: ignore[arg-type]
            record.count,
        )

    def _publish(self) -> None:
        """Publish what has ended. A failed attempt that another one follows is kept as such."""
        ended, self._unpublished = self._unpublished, []
        if not ended:
            return
        final: list[TaskRecord] = []
        again: list[AttemptRecord] = []
        for record in ended:
            at = (record.step, read_key(record.key), record.part)
            if self._machine.running.get(at) == record.attempt + 1:
                again.append(_attempt(record))
                continue
            self._plans.pop((record.step, record.key, record.part), None)
            final.append(record)
            if record.part == "items" and record.status in ("failed", "cancelled"):
                # the step has no tasks that could tell
                final.append(replace(record, part="main", artifacts={}, count=None))
            self._sum_up(record)
        if again:
            self._store.add_attempts(self._run, again)
            self._listener.attempts(again)
        if final:
            self._store.publish(self._run, final)
            self._listener.tasks(final)

    def _sum_up(self, record: TaskRecord) -> None:
        if record.status == "failed" and not self._machine.steps[record.step].catch:
            self.error = self.error or record.error
        for name in record.changed:
            self._listener.message(_unseen(record.step, name))
        if record.key or record.part == "items":
            return
        for name, ref in record.artifacts.items():
            value = ref.get("inline")
            if name.startswith("_"):  # process state handed on, or private
                continue
            if isinstance(value, (bool, int, float, str)) and len(str(value)) <= _TEXT:
                self.metrics[name] = value

    # --- actions

    def _perform(self, action: Action) -> list[Event]:
        match action:
            case Start():
                return self._start(action)
            case Skip():
                reason = "what it reads was skipped"
                self._unpublished += [
                    TaskRecord(action.step, key_text(key), "skipped", action.part, reason=reason)
                    for key in action.keys
                ]
                self._publish()
            case Delay():
                due = time.monotonic() + action.seconds
                heapq.heappush(self._delays, (due, action.step, action.key, action.part))
            case Stop():
                self._listener.cancelling(action.hard)
                self._engine.stop(action.hard)
                self._give_up = time.monotonic() + (_GIVE_UP if action.hard else _PATIENCE)
            case End():
                self._ended = action
        return []

    def _start(self, start: Start) -> list[Event]:
        """Take from the cache what is there; hand the rest to the engine."""
        step = self._spec.step(start.step)
        if start.attempt == 1 and start.part == "main":
            self._listener.expected(step.name, len(start.keys))
        events: list[Event] = []
        left = start.keys
        if start.attempt == 1:
            found = self._cache.find(step, start.part, start.keys)
            events = [self._note(record) for record in found.records]
            left = found.missing
            for key, plan in zip(left, found.plans, strict=True):
                self._plans[step.name, key_text(key), start.part] = plan
        if left:
            keys = tuple(key_text(key) for key in left)
            self._engine.submit(Work(step, start.part, start.attempt, keys))
        return events

    # --- time

    def _clock(self) -> list[Event]:
        """The delays that are over."""
        events: list[Event] = []
        while self._delays and self._delays[0][0] <= time.monotonic():
            _, step, key, part = heapq.heappop(self._delays)
            events.append(DelayEnded(step, key, part))
        return events

    def _cancels(self, pulse: Pulse) -> list[Event]:
        """Requests to cancel that are new; then the engine has only so long."""
        events: list[Event] = []
        while self._stops < pulse.stops:
            self._stops += 1
            events.append(CancelAsked(hard=self._stops > 1))
        if self._give_up is not None and time.monotonic() > self._give_up:
            self._give_up = None
            events += self._record(
                [
                    TaskRecord(
                        step,
                        key_text(key),
                        "cancelled",
                        part,
                        attempt,
                        finished=time.time(),
                        reason="cancelled; the engine did not say how it ended",
                    )
                    for (step, key, part), attempt in self._machine.running.items()
                ]
            )
        return events

    def _show_running(self) -> None:
        """Record as running what has been running for a while, and what waits with a reason."""
        now = time.time()
        records: list[TaskRecord] = []
        for batch, since, waits in self._engine.under_way():
            shown = waits or ""
            if now - since < _LONG or self._shown.get(batch.number) == shown:
                continue
            if waits is None and len(batch.keys) > 1 and batch.number not in self._shown:
                continue  # short tasks: each is told when it has ended
            self._shown[batch.number] = shown
            at = (batch.step, read_key(batch.keys[0]), batch.part)
            if self._machine.running.get(at) == batch.attempt:
                item = self._known.label(batch.step, at[1]) if batch.part == "main" else None
                record = TaskRecord(
                    batch.step,
                    batch.keys[0],
                    "running" if waits is None else "pending",
                    batch.part,
                    batch.attempt,
                    started=since if waits is None else None,
                    item=item,
                    reason=waits,
                )
                records.append(record)
        if records:
            self._store.publish(self._run, records)
            self._listener.tasks(records)


def _unseen(step: str, name: str) -> str:
    """What a step did that the compiler had not seen; process state is named in words."""
    if name.isidentifier():
        return (
            f"`{step}` may have changed `{name}` in place: if it did, a later step gets the value "
            "as it was before."
        )
    return (
        f"`{step}` changed {name}, which the flow seeds, and nbflow did not see it: in the "
        "notebook its draws go on where earlier cells stopped, and later ones after it. Give "
        "what draws there a seed or generator of its own (`random_state=…`), or seed in the step."
    )


def _planned(r: TaskRecord, cache_key: str, reason: str) -> TaskRecord:
    """`replace` for the one place where its cost a task is felt."""
    return TaskRecord(
        r.step,
        r.key,
        r.status,
        r.part,
        r.attempt,
        r.started,
        r.finished,
        cache_key,
        r.artifacts,
        r.item,
        r.count,
        r.log,
        r.outputs,
        r.error,
        r.worker,
        r.cached_from,
        r.reason or reason,
        r.changed,
    )


def _attempt(record: TaskRecord) -> AttemptRecord:
    return AttemptRecord(
        record.step,
        record.key,
        record.attempt,
        record.status,
        record.part,
        record.started,
        record.finished,
        record.worker,
        record.log,
        record.outputs,
        record.error,
    )


@contextmanager
def _interrupts(pulse: Pulse, engine: Engine) -> Iterator[None]:
    """Take Ctrl-C as a request to cancel, once gracefully and then hard."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(*_: Any) -> None:
        pulse.stops += 1
        if engine.here and engine.under_way():
            raise KeyboardInterrupt

    held = signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, held)
