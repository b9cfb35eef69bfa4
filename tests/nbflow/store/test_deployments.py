"""Deployments: one for each branch of a flow, and what garbage collection leaves for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nbflow.store import Store
from nbflow.store.gc import apply_gc, plan_gc
from nbflow.store.records import DeploymentRecord

MANIFEST: dict[str, Any] = {"schema": 1, "name": "churn", "steps": []}
MAIN = DeploymentRecord(
    "churn", "main", "0+a", 100.5, "ann", "kubernetes", {"params": {"n": 3}}, {"name": "churn-1"}
)


def test_a_branch_has_one(store: Store) -> None:
    other = replace(MAIN, branch="b", version="0+b")
    store.put_deployment(other)
    store.put_deployment(replace(MAIN, version="0+older"))
    store.put_deployment(MAIN)
    assert store.deployments() == [other, MAIN]
    assert store.deployment("churn", "main") == MAIN
    store.drop_deployment("churn", "main")
    assert store.deployments() == [other]
    assert store.deployment("churn", "main") is None
    assert other.path == "churn@b"


def test_the_code_of_what_is_deployed_stays(store: Store) -> None:
    for version in ("0+a", "0+b"):
        store.add_version(version, MANIFEST, {}, b"")
    store.put_deployment(MAIN)
    plan = plan_gc(store, grace=-10.0)
    assert plan.versions == ("0+b",)
    # deployed between the plan and what it promised
    store.put_deployment(replace(MAIN, branch="b", version="0+b"))
    assert apply_gc(store, plan).versions == ()
    assert [store.version(one).version for one in ("0+a", "0+b")] == ["0+a", "0+b"]
    store.drop_deployment("churn", "b")
    assert apply_gc(store, plan_gc(store, grace=-10.0)).versions == ("0+b",)
