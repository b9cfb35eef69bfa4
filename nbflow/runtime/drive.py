"""Drive: be the one driver of a run, from its claim to its last record."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from nbflow.errors import LeaseLostError, UserError, user_error
from nbflow.flags.kept import note_flags
from nbflow.runtime.driver import Driver
from nbflow.runtime.environment import host
from nbflow.runtime.known import Known
from nbflow.runtime.live import live_folder
from nbflow.runtime.traceback import task_error
from nbflow.store.database import OUTAGE
from nbflow.store.lease import STALE
from nbflow.store.records import FINAL, RunRecord

if TYPE_CHECKING:
    from nbflow.engines.base import Engine
    from nbflow.runtime.listener import Listener
    from nbflow.runtime.past import Past
    from nbflow.runtime.pulse import Pulse
    from nbflow.runtime.run import Plan
    from nbflow.store import Store

#: seconds between two looks at whether the driver that holds the run has died
_LOOK = 0.5


class HandedOn(BaseException):
    """This process is asked to end, though the run is not over: another driver may go on."""


def driver_token() -> str:
    """A word for a driver that no other one has, and that tells people where it is."""
    return f"{host()}-{os.getpid()}-{secrets.token_hex(3)}"


def claim_run(store: Store, run: RunRecord, token: str, listener: Listener | None = None) -> None:
    """Claim a run that has not ended, as soon as its last driver is known to have died.

    A `UserError` where it has ended, or somebody else drives it.
    """
    until = time.monotonic() + STALE + 2.0
    heard = run.heartbeat
    while not store.claim(run.id, token):
        now = store.run(run.id)
        if now.status in FINAL and now.status != "lost":
            raise user_error(
                "NBF408",
                f"The run {run.path} is over: it {_ENDED.get(now.status, now.status)}.",
                f"`nbflow resume {run.path}` makes a new run of what is left to do.",
            )
        if now.heartbeat != heard or time.monotonic() > until:
            raise user_error(
                "NBF408",
                f"The run {run.path} is driven by {store.driver(run.id) or 'somebody else'}, "
                "which has just given a sign of life.",
                f"Follow it: `nbflow logs {run.path} -f`; end it: `nbflow cancel {run.path}`.",
            )
        if listener is not None:
            listener.message(
                f"{run.path} was driven by {store.driver(run.id)}: waiting up to {STALE:g} s for a "
                "sign of life."
            )
            listener = None
        time.sleep(_LOOK)


_ENDED = {"succeeded": "has succeeded", "failed": "has failed", "cancelled": "was cancelled"}


@contextmanager
def handing_on(pulse: Pulse) -> Iterator[None]:
    """Take SIGTERM as the end of this process, not of the run: see `HandedOn`."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held = signal.signal(signal.SIGTERM, lambda *_: pulse.give_up(HandedOn()))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, held)


def drive_plan(
    plan: Plan,
    run: RunRecord,
    engine: Engine,
    listener: Listener,
    pulse: Pulse,
    past: Past | None = None,
) -> RunRecord:
    """Drive a run that was claimed and whose engine is open; returns it as it ended.

    ``past`` is what an earlier driver has recorded of it.
    """
    store, token = plan.store, pulse.token
    store.db.patience = OUTAGE
    known = Known(plan.spec, store, plan.params)
    cache = plan.cache(known, plan.root() or run.id)
    driver = Driver(store, run.id, plan.spec, engine, cache, known, listener, token, past)
    begun = False
    try:
        engine.begin(run.id)
        if past is not None and hasattr(engine, "adopt"):
            driver.adopt(engine.adopt(run.id))
        store.update_run(run.id, driver=token, status="running", started=run.started or time.time())
        listener.started(store.run(run.id), plan.spec)
        begun = True
        status = driver.drive(pulse)
    except (LeaseLostError, HandedOn):
        raise
    except BaseException as error:
        if past is not None and not begun:
            raise  # another driver may be luckier
        kind = error.diagnostics[0].code if isinstance(error, UserError) else type(error).__name__
        cancelled = isinstance(error, KeyboardInterrupt)
        told = driver.error if cancelled else driver.error or task_error("", "", kind, str(error))
        status = "cancelled" if cancelled else "failed"
        with suppress(Exception):  # the store itself may be what failed
            end_run(store, run.id, token, status=status, error=told)
            listener.finished(store.run(run.id))
        raise
    end_run(store, run.id, token, status=status, error=driver.error, metrics=driver.metrics)
    ended = store.run(run.id)
    note_flags(store, ended, plan.spec)
    listener.finished(ended)
    return ended


def end_run(store: Store, run: int, token: str, **fields: Any) -> None:
    """Note how a run has ended, and clear away what only a run that goes on needs."""
    store.update_run(run, driver=token, finished=time.time(), **fields)
    store.clear_posted(run)
    store.clear_live(run)
    shutil.rmtree(live_folder(store.root, run), ignore_errors=True)
