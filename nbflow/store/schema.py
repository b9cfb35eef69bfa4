"""Schema: the migrations that make and upgrade the store's tables."""

from __future__ import annotations

from typing import Any

from nbflow.errors import store_error
from nbflow.store.database import Database

#: each is the list of statements that takes the schema one number further; never edit, only append
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        "CREATE TABLE flows (name TEXT PRIMARY KEY, last_number INTEGER NOT NULL)",
        """CREATE TABLE versions (
            version TEXT PRIMARY KEY,
            flow TEXT NOT NULL,
            created DOUBLE PRECISION NOT NULL,
            manifest TEXT NOT NULL,
            files TEXT NOT NULL,
            notebook BLOB NOT NULL)""",
        "CREATE TABLE environments (id TEXT PRIMARY KEY, content TEXT NOT NULL)",
        """CREATE TABLE runs (
            id INTEGER PRIMARY KEY,
            flow TEXT NOT NULL,
            number INTEGER NOT NULL,
            version TEXT NOT NULL,
            status TEXT NOT NULL,
            params TEXT NOT NULL,
            options TEXT NOT NULL,
            tags TEXT NOT NULL,
            branch TEXT,
            "user" TEXT NOT NULL,
            host TEXT NOT NULL,
            git TEXT,
            dirty INTEGER NOT NULL,
            engine TEXT NOT NULL,
            environment TEXT NOT NULL,
            notebook TEXT NOT NULL,
            seed BIGINT,
            parent INTEGER,
            created DOUBLE PRECISION NOT NULL,
            started DOUBLE PRECISION,
            finished DOUBLE PRECISION,
            heartbeat DOUBLE PRECISION,
            cancel DOUBLE PRECISION,
            metrics TEXT,
            error TEXT,
            deleted DOUBLE PRECISION,
            UNIQUE (flow, number))""",
        "CREATE INDEX runs_flow ON runs (flow, id)",
        "CREATE INDEX runs_status ON runs (status, id)",
        "CREATE INDEX runs_branch ON runs (branch, id) WHERE branch IS NOT NULL",
        "CREATE INDEX runs_deleted ON runs (deleted) WHERE deleted IS NOT NULL",
        """CREATE TABLE run_tags (
            tag TEXT NOT NULL, run_id INTEGER NOT NULL, PRIMARY KEY (tag, run_id))""",
        "CREATE INDEX run_tags_run ON run_tags (run_id)",
        """CREATE TABLE tasks (
            run_id INTEGER NOT NULL,
            step TEXT NOT NULL,
            part TEXT NOT NULL,
            ord TEXT NOT NULL,
            "key" TEXT NOT NULL,
            status TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            started DOUBLE PRECISION,
            finished DOUBLE PRECISION,
            cache_key TEXT,
            artifacts TEXT NOT NULL,
            item TEXT,
            "count" INTEGER,
            log TEXT,
            outputs TEXT,
            error TEXT,
            worker TEXT,
            cached_from TEXT,
            reason TEXT,
            changed TEXT,
            PRIMARY KEY (run_id, step, part, ord))""",
        "CREATE INDEX tasks_cache ON tasks (cache_key, run_id) WHERE cache_key IS NOT NULL",
        """CREATE TABLE attempts (
            run_id INTEGER NOT NULL,
            step TEXT NOT NULL,
            part TEXT NOT NULL,
            ord TEXT NOT NULL,
            "key" TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            status TEXT NOT NULL,
            started DOUBLE PRECISION,
            finished DOUBLE PRECISION,
            worker TEXT,
            log TEXT,
            outputs TEXT,
            error TEXT,
            PRIMARY KEY (run_id, step, part, ord, attempt))""",
    ),
    (
        # whoever drives the run; see lease.py
        "ALTER TABLE runs ADD COLUMN driver TEXT",
        """CREATE TABLE orders (
            run_id INTEGER NOT NULL,
            name TEXT NOT NULL,
            content TEXT NOT NULL,
            PRIMARY KEY (run_id, name))""",
        """CREATE TABLE posted (
            id INTEGER PRIMARY KEY,
            run_id INTEGER NOT NULL,
            step TEXT NOT NULL,
            part TEXT NOT NULL,
            "key" TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            token TEXT NOT NULL,
            record TEXT NOT NULL,
            taken INTEGER NOT NULL,
            UNIQUE (run_id, step, part, "key", attempt, token))""",
        """CREATE TABLE live_tasks (
            run_id INTEGER NOT NULL,
            step TEXT NOT NULL,
            part TEXT NOT NULL,
            "key" TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            worker TEXT NOT NULL,
            started DOUBLE PRECISION NOT NULL,
            seen DOUBLE PRECISION NOT NULL,
            PRIMARY KEY (run_id, step, part, "key", attempt))""",
        """CREATE TABLE live_output (
            run_id INTEGER NOT NULL,
            step TEXT NOT NULL,
            part TEXT NOT NULL,
            "key" TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            place BIGINT NOT NULL,
            data BLOB NOT NULL,
            PRIMARY KEY (run_id, step, part, "key", attempt, place))""",
    ),
    (
        # a run in few numbers, and how it differs from earlier ones; see flags/kept.py
        """CREATE TABLE run_facts (
            run_id INTEGER PRIMARY KEY,
            facts TEXT,
            flags TEXT)""",
    ),
    (
        # when the run's tags were last changed
        "ALTER TABLE runs ADD COLUMN tagged DOUBLE PRECISION",
        "CREATE INDEX runs_tagged ON runs (tagged) WHERE tagged IS NOT NULL",
    ),
    (
        # versions that something outside starts; see deployment_table.py
        """CREATE TABLE deployments (
            flow TEXT NOT NULL,
            branch TEXT NOT NULL,
            version TEXT NOT NULL,
            created DOUBLE PRECISION NOT NULL,
            "user" TEXT NOT NULL,
            target TEXT NOT NULL,
            request TEXT NOT NULL,
            place TEXT NOT NULL,
            PRIMARY KEY (flow, branch))""",
    ),
    (
        # cells that a person ran one by one in a kernel; see interactive.py
        """CREATE TABLE interactive_runs (
            id INTEGER PRIMARY KEY,
            kernel TEXT NOT NULL UNIQUE,
            notebook TEXT NOT NULL,
            "user" TEXT NOT NULL,
            host TEXT NOT NULL,
            started DOUBLE PRECISION NOT NULL)""",
        """CREATE TABLE interactive_tasks (
            id INTEGER PRIMARY KEY,
            run_id INTEGER NOT NULL,
            step TEXT NOT NULL,
            cell TEXT,
            status TEXT NOT NULL,
            started DOUBLE PRECISION NOT NULL,
            finished DOUBLE PRECISION NOT NULL,
            code TEXT NOT NULL,
            made TEXT NOT NULL,
            shown TEXT NOT NULL)""",
        "CREATE INDEX interactive_tasks_run ON interactive_tasks (run_id, id)",
    ),
    (
        # files that a task read, with digests: JSON, null where there were none
        "ALTER TABLE tasks ADD COLUMN files TEXT",
    ),
)


def migrate(database: Database[Any], objects: str | None = None) -> None:
    """Bring the tables up to date; refuse a store that a newer nbflow has made.

    A store that is new notes that its values are at ``objects``.
    """
    if _current(database) == len(MIGRATIONS):
        return
    with database.transaction(alone=True):
        # asked again: another process may have been faster
        current = _current(database)
        if current > len(MIGRATIONS):
            raise store_error(
                f"The store {database.name} was made by a newer version of nbflow "
                f"(schema {current}, this one knows {len(MIGRATIONS)}).",
                "Upgrade nbflow, or name another store.",
            )
        if not current:
            database.execute("CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY)")
        for number, statements in enumerate(MIGRATIONS[current:], start=current + 1):
            for statement in statements:
                database.execute(statement)
            database.execute("INSERT INTO migrations (number) VALUES (?)", (number,))
        if not current and objects is not None:
            database.execute("INSERT INTO settings (name, value) VALUES ('objects', ?)", (objects,))


def _current(database: Database[Any]) -> int:
    if not database.has_table("migrations"):
        return 0
    row = database.one("SELECT MAX(number) FROM migrations")
    return 0 if row is None or row[0] is None else int(row[0])
