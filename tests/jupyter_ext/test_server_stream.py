"""The live stream: one poller, any number of pages."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from nbflow_jupyter import wire
from nbflow_jupyter.openapi import schema_of_shape
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from nbflow.store import Store
from nbflow.store.records import HEARTBEAT, TaskRecord

CHANGE = Draft202012Validator(schema_of_shape(wire.Change))


async def connect(api: Any, **headers: str) -> WebSocketClientConnection:
    """A page's stream."""
    url = f"ws://127.0.0.1:{api.port}/nbflow/api/stream"
    return await websocket_connect(HTTPRequest(url, headers=headers or api.headers))


async def hear(page: WebSocketClientConnection) -> Any:
    """The next message."""
    message = await asyncio.wait_for(page.read_message(), 10)
    assert message is not None
    change = json.loads(message)
    CHANGE.validate(change)
    return change


async def until(page: WebSocketClientConnection, wanted: Callable[[Any], bool]) -> Any:
    """The next message of that kind; those before it are passed over."""
    while True:
        change = await hear(page)
        if wanted(change):
            return change


def of(path: str, kind: str) -> Callable[[Any], bool]:
    """Changes of this kind, of this run."""
    return lambda change: change["path"] == path and change["kind"] == kind


def run(coroutine: Awaitable[Any]) -> Any:
    """Run it to its end."""

    async def whole() -> Any:
        return await asyncio.wait_for(coroutine, 30)

    return asyncio.run(whole())


def test_a_run_as_it_goes(api: Any, store: Store) -> None:
    async def watch() -> None:
        pages = [await connect(api) for _ in range(3)]
        hellos = [await hear(page) for page in pages]
        assert {hello["kind"] for hello in hellos} == {"hello"}
        made = store.create_run("watched", store.run("churn/1").version)
        for page in pages:
            change = await until(page, of("watched/1", "run"))
            assert change["seq"] > hellos[0]["seq"]
            assert [state["status"] for state in change["run"]["steps"]] == ["pending"] * 3
        store.update_run(made.id, status="running", started=time.time())
        assert (await until(pages[0], of("watched/1", "run")))["run"]["status"] == "running"
        records = [TaskRecord("train", "", "succeeded", part="items", count=10)]
        records += [TaskRecord("train", str(at), "succeeded") for at in range(4)]
        store.publish(made.id, records)
        (state,) = (await until(pages[0], of("watched/1", "steps")))["steps"]
        assert (state["name"], state["done"], state["total"]) == ("train", 4, 10)
        store.update_run(made.id, status="succeeded", finished=time.time(), metrics={"a": 1})
        for page in pages:
            done = lambda c: c["path"] == "watched/1" and c["run"] and c["run"]["finished"]  # noqa: E731
            assert (await until(page, done))["run"]["metrics"] == {"a": 1}
            page.close()

    run(watch())


def test_a_lost_run_is_noticed(api: Any, store: Store) -> None:
    async def watch() -> None:
        page = await connect(api)
        made = store.create_run("silent", store.run("churn/1").version)
        store.update_run(made.id, status="running", started=time.time())
        await until(page, of("silent/1", "run"))
        silent = time.time() - 3 * HEARTBEAT
        store.db.execute("UPDATE runs SET heartbeat = ? WHERE id = ?", (silent, made.id))
        lost = lambda c: c["path"] == "silent/1" and c["run"] and c["run"]["status"] == "lost"  # noqa: E731
        await until(page, lost)
        page.close()

    run(watch())


def test_tags_and_deletions_say_reset(api: Any, store: Store) -> None:
    async def watch() -> None:
        page = await connect(api)
        made = store.create_run("reset", "0+odd")
        store.update_run(made.id, status="failed", finished=time.time())
        await until(page, of("reset/1", "run"))
        store.tag(made.id, "new")
        await until(page, lambda change: change["kind"] == "reset")
        store.delete_run(made.id)
        await until(page, lambda change: change["kind"] == "reset")
        page.close()

    run(watch())


def test_changes_for_those_who_poll(api: Any, store: Store) -> None:
    since = api.get("changes", wire.Changes)["seq"]
    made = store.create_run("polled", "0+odd")
    store.update_run(made.id, status="succeeded", finished=time.time())
    for _ in range(600):
        found = api.get("changes", wire.Changes, since=since)
        paths = [change["path"] for change in found["changes"]]
        # the first look at a store says that anything may have changed
        if made.path in paths or "reset" in {change["kind"] for change in found["changes"]}:
            break
        time.sleep(0.05)
    else:
        raise AssertionError("nothing was told")
    listed = api.get("runs", wire.RunPage, flow="polled")
    assert listed["runs"][0]["run"] == made.path
    seqs = [change["seq"] for change in found["changes"]]
    assert seqs == list(range(since + 1, since + 1 + len(seqs)))
    assert api.get("changes", wire.Changes, since=10**9)["reset"]


@pytest.mark.parametrize("headers", [{"Authorization": "token wrong"}, {"X-Nobody": "1"}])
def test_no_stream_without_a_token(api: Any, headers: dict[str, str]) -> None:
    with pytest.raises(HTTPClientError) as refused:
        run(connect(api, **headers))
    assert refused.value.code == 403


def test_no_stream_for_another_origin(api: Any) -> None:
    from test_server_refusals import logged_in

    async def ask() -> None:
        await connect(api, Cookie=logged_in(api), Origin="https://evil.example")

    with pytest.raises(HTTPClientError) as refused:
        run(ask())
    assert refused.value.code == 403
