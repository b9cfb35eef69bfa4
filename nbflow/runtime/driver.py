"""Driver: performs what the machine decides: starts tasks, publishes records, hears cancels."""

from __future__ import annotations

import heapq
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nbflow.engines.base import Engine, Work
from nbflow.runtime.attempts import ended, failed_attempt, interrupted, planned, unseen
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
from nbflow.runtime.past import Past
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
        token: str,
        past: Past | None = None,
    ) -> None:
        self._store = store
        self._run = run
        self._spec = spec
        self._engine = engine
        self._cache = cache
        self._known = known
        self._listener = listener
        #: by which the store knows that the run is this driver's to write
        self._token = token
        self._past = past or Past()
        #: attempts that an earlier driver has started, and that the engine goes on with
        self._adopted: set[tuple[str, Part, str, int]] = set()
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

    def adopt(self, attempts: Iterable[tuple[str, Part, str, int]]) -> None:
        """Before `drive`: these are under way already (`Adopting.adopt`)."""
        self._adopted.update(attempts)

    def drive(self, pulse: Pulse) -> str:
        """Run everything; returns the status of the run.

        Raises `LeaseLostError` as soon as another driver has taken the run over.
        """
        with _interrupts(pulse, self._engine):
            self._take([Begun()])
            self._take(self._cancels(pulse))
            while self._ended is None:
                records = self._engine.wait(_WAIT)
                if pulse.lost is not None:
                    raise pulse.lost
                self._take([*self._record(records, pulse), *self._clock(), *self._cancels(pulse)])
                self._show_running()
        return self._ended.status

    def _take(self, events: Sequence[Event]) -> None:
        """Have the machine decide, and perform it; what that leads to as well."""
        waiting = list(events)
        while waiting:
            actions = self._machine.handle(waiting)
            self._publish()
            waiting = [event for action in actions for event in self._perform(action)]

    def _record(self, records: Sequence[TaskRecord], pulse: Pulse) -> list[Event]:
        """Note what has ended, to be published when the machine has said what it means."""
        events: list[Event] = []
        for record in records:
            at = (record.step, read_key(record.key), record.part)
            if self._machine.running.get(at) != record.attempt:
                continue  # told twice, or too late: each attempt counts once
            if record.status == "cancelled":
                record = replace(record, error=None) if pulse.stops else interrupted(record)
            plan = self._plans.pop((record.step, record.key, record.part), None)
            if plan is not None:
                key, reason = plan
                if record.status == "failed":
                    self._plans[record.step, record.key, record.part] = plan
                record = planned(record, key, reason)
            events.append(self._note(record))
        return events

    def _note(self, record: TaskRecord) -> AttemptEnded:
        self._unpublished.append(record)
        self._known.add(record)
        return ended(record)

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
                again.append(failed_attempt(record))
                continue
            self._plans.pop((record.step, record.key, record.part), None)
            final.append(record)
            if record.part == "items" and record.status in ("failed", "cancelled"):
                # the step has no tasks that could tell
                final.append(replace(record, part="main", artifacts={}, count=None))
            self._sum_up(record)
        if again:
            self._store.add_attempts(self._run, again, self._token)
            self._listener.attempts(again)
        if final:
            self._store.publish(self._run, final, self._token)
            self._listener.tasks(final)

    def _sum_up(self, record: TaskRecord) -> None:
        if record.status == "failed" and not self._machine.steps[record.step].catch:
            self.error = self.error or record.error
        for name in record.changed:
            self._listener.message(unseen(record.step, name))
        if record.key or record.part == "items":
            return
        for name, ref in record.artifacts.items():
            value = ref.get("inline")
            if name.startswith("_"):  # process state handed on, or private
                continue
            if isinstance(value, dict) and value.get("$") == "numpy":
                value = value["v"]  # what `df.x.mean()` gives is a number too
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
                    if self._past.ended(action.step, action.part, key_text(key), 1) is None
                ]
                self._publish()
            case Delay(step, key, part):
                attempt = self._machine.running[step, key, part]
                if self._known_of(step, part, key_text(key), attempt):
                    return [DelayEnded(step, key, part)]
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
        left: list[Key] = []
        adopted: list[Key] = []
        for key in start.keys:
            told = self._past.ended(step.name, start.part, key_text(key), start.attempt)
            if told is not None:
                events.append(self._remember(told))
            elif (step.name, start.part, key_text(key), start.attempt) in self._adopted:
                adopted.append(key)
            else:
                left.append(key)
        if start.attempt == 1 and left:
            found = self._cache.find(step, start.part, left)
            events += [self._note(record) for record in found.records]
            left = list(found.missing)
            self._plan(start, found.missing, found.plans)
        unplanned = [
            key
            for key in (*adopted, *left)
            if (step.name, key_text(key), start.part) not in self._plans
        ]
        if unplanned:
            self._plan(start, unplanned, self._cache.plans(step, start.part, unplanned))
        if left:
            keys = tuple(key_text(key) for key in left)
            self._engine.submit(Work(step, start.part, start.attempt, keys))
        return events

    def _plan(self, start: Start, keys: Sequence[Key], plans: Sequence[tuple[str, str]]) -> None:
        for key, plan in zip(keys, plans, strict=True):
            self._plans[start.step, key_text(key), start.part] = plan

    # --- what an earlier driver has done

    def _remember(self, record: TaskRecord) -> AttemptEnded:
        """Take in an attempt that is published already."""
        if self._past.settled(record):
            self._known.add(record)
            self._sum_up(record)
            self._listener.tasks([record])
        return ended(record)

    def _known_of(self, step: str, part: Part, key: str, attempt: int) -> bool:
        """Whether an earlier driver has come as far as this attempt."""
        if (step, part, key, attempt) in self._adopted:
            return True
        return self._past.ended(step, part, key, attempt) is not None

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
                ],
                pulse,
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
            self._store.publish(self._run, records, self._token)
            self._listener.tasks(records)


@contextmanager
def _interrupts(pulse: Pulse, engine: Engine) -> Iterator[None]:
    """Take Ctrl-C as a request to cancel, once gracefully and then hard."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(*_: Any) -> None:
        pulse.stops += 1
        engine.interrupt()

    held = signal.signal(signal.SIGINT, ask)
    pulse.heeded = True
    try:
        yield
    finally:
        # who is done driving need not be told to stop
        pulse.heeded = False
        signal.signal(signal.SIGINT, held)
