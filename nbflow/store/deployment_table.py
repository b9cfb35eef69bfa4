"""DeploymentTable: the versions of flows that something outside starts, one for each branch."""

from __future__ import annotations

import json
from typing import Any

from nbflow.store.database import Database, lasting
from nbflow.store.records import DeploymentRecord


class DeploymentTable:
    """The part of the store that knows what is deployed; garbage collection leaves its versions."""

    db: Database[Any]

    @lasting
    def put_deployment(self, record: DeploymentRecord) -> None:
        """Keep a deployment, in the place of the one that the flow's branch had."""
        values = (record.version, record.created, record.user, record.target)
        self.db.execute(
            'INSERT INTO deployments (version, created, "user", target, request, place, flow,'
            " branch) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (flow, branch) DO UPDATE SET"
            " version = excluded.version, created = excluded.created,"
            ' "user" = excluded."user", target = excluded.target,'
            " request = excluded.request, place = excluded.place",
            (
                *values,
                json.dumps(record.request),
                json.dumps(record.place),
                record.flow,
                record.branch,
            ),
        )

    def deployment(self, flow: str, branch: str) -> DeploymentRecord | None:
        """The deployment of a flow's branch."""
        row = self.db.one("SELECT * FROM deployments WHERE flow = ? AND branch = ?", (flow, branch))
        return None if row is None else _record(row)

    def deployments(self) -> list[DeploymentRecord]:
        """All of them, by flow and branch."""
        rows = self.db.query("SELECT * FROM deployments ORDER BY flow, branch")
        return [_record(row) for row in rows]

    @lasting
    def drop_deployment(self, flow: str, branch: str) -> None:
        """Forget a deployment."""
        self.db.execute("DELETE FROM deployments WHERE flow = ? AND branch = ?", (flow, branch))


def _record(row: Any) -> DeploymentRecord:
    return DeploymentRecord(
        row["flow"],
        row["branch"],
        row["version"],
        row["created"],
        row["user"],
        row["target"],
        json.loads(row["request"]),
        json.loads(row["place"]),
    )
