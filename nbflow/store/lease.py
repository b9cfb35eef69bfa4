"""Lease: which driver drives a run; only one at a time, and a former one writes nothing more."""

from __future__ import annotations

from typing import Any

from nbflow.errors import LeaseLostError, lease_lost
from nbflow.store.database import Database, lasting
from nbflow.store.records import HEARTBEAT

#: seconds without a sign of life after which another driver may take a run over
STALE = 2 * HEARTBEAT


class LeaseTable:
    """The part of the store that knows each run's driver: a word of its own, its token."""

    db: Database[Any]

    @lasting
    def claim(self, run: int, token: str, stale: float = STALE) -> bool:
        """Become the driver of a run that has not ended; False where another one drives it.

        Another one's claim holds as long as it gave a sign of life within ``stale`` seconds. A
        lost run goes on, and what its last driver has taken of `take_posted` and not published
        is there to be taken again.
        """
        now = self.db.clock()
        with self.db.transaction():
            claimed = self.db.execute(
                "UPDATE runs SET driver = ?, heartbeat = ?,"
                " finished = CASE WHEN status = 'lost' THEN NULL ELSE finished END,"
                " status = CASE WHEN status = 'lost' THEN 'running' ELSE status END"
                " WHERE id = ? AND deleted IS NULL AND status IN ('pending', 'running', 'lost')"
                " AND (driver IS NULL OR driver = ? OR heartbeat < ?)",
                (token, now, run, token, now - stale),
            )
            if claimed:
                self.db.execute(
                    "UPDATE tasks SET status = 'pending' WHERE run_id = ? AND status = 'lost'",
                    (run,),
                )
                self.db.execute("UPDATE posted SET taken = 0 WHERE run_id = ?", (run,))
        return claimed > 0

    @lasting
    def release(self, run: int, token: str) -> None:
        """Stop being the run's driver, so that another one need not wait for silence."""
        self.db.execute("UPDATE runs SET driver = NULL WHERE id = ? AND driver = ?", (run, token))

    @lasting
    def heartbeat(self, run: int, token: str | None = None) -> bool:
        """Note a sign of life of the driver; returns whether the run is to be cancelled.

        A run that was taken for lost, since its machine slept, is running again; but where
        another driver has taken it over, this raises `LeaseLostError`.
        """
        now = self.db.clock()
        with self.db.transaction():
            self.fence(run, token)
            self.db.execute(
                "UPDATE runs SET heartbeat = ?,"
                " finished = CASE WHEN status = 'lost' THEN NULL ELSE finished END,"
                " status = CASE WHEN status = 'lost' THEN 'running' ELSE status END"
                " WHERE id = ?",
                (now, run),
            )
            row = self.db.one("SELECT cancel FROM runs WHERE id = ?", (run,))
        return row is not None and row["cancel"] is not None

    def driver(self, run: int) -> str | None:
        """Who drives the run; None where nobody does."""
        row = self.db.one("SELECT driver FROM runs WHERE id = ?", (run,))
        return None if row is None else row["driver"]

    def fence(self, run: int, token: str | None) -> None:
        """Inside a transaction: raise `LeaseLostError` where somebody else drives the run.

        Nobody can claim the run until the transaction ends. Without a token, nothing.
        """
        if token is None:
            return
        held = self.db.one(
            f"SELECT 1 FROM runs WHERE id = ? AND driver = ?{self.db.hold}", (run, token)
        )
        if held is None:
            raise self._lost(run)

    def _lost(self, run: int) -> LeaseLostError:
        row = self.db.one("SELECT flow, number, driver FROM runs WHERE id = ?", (run,))
        if row is None:
            return lease_lost(f"run {run}", None)
        return lease_lost(f"{row['flow']}/{row['number']}", row["driver"])
