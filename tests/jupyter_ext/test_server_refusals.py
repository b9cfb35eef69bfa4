"""Refusals: who may not ask, what may not be named, and what may not be shown."""

from __future__ import annotations

import os
import re
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from nbflow_jupyter import wire
from nbflow_jupyter.routes import ROUTES
from serving import NOTEBOOK, TOKEN, start_server, stop_server

from nbflow.store import Store

STEP = {"step": "st<b>ep"}

#: every address with every method
ASKED = [
    (one.method.upper(), route.path.replace("{flow}", "churn").replace("{number}", "1"))
    for route in ROUTES
    for one in route.operations
]


@pytest.mark.parametrize(("method", "path"), ASKED)
def test_nobody_without_a_token(api: Any, method: str, path: str) -> None:
    answer = api.ask(method, path, None if method == "GET" else {}, {})
    assert answer.status == 403, answer.body
    answer = api.ask(method, path, None, {"Authorization": "token wrong"})
    assert answer.status == 403
    assert b"churn/1" not in answer.body


def test_an_authorizer_is_asked(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "churn.py").write_text(NOTEBOOK, encoding="utf-8")
    api = start_server(root, tmp_path, "--ServerApp.authorizer_class=read_only.ReadOnly")
    try:
        for method, path in ASKED:
            reads = method == "GET" or path == "compile"
            body = None if method == "GET" else {"notebook": "churn.py"} if path == "runs" else {}
            answer = api.ask(method, path, body)
            # a read that is allowed finds no run, or lacks an argument
            assert (answer.status != 403) == reads, (method, path, answer.body)
        assert not (root / ".nbflow").exists()
    finally:
        stop_server(api)


def test_a_post_needs_the_xsrf_token_of_the_page(api: Any) -> None:
    cookies = logged_in(api)
    xsrf = re.search(r"_xsrf=([^;]+)", cookies)
    assert xsrf is not None
    as_page = {"Cookie": cookies}
    assert api.ask("GET", "runs", None, as_page | {"Sec-Fetch-Site": "same-origin"}).status == 200
    for headers in ({}, {"X-XSRFToken": "wrong"}):
        for method, path in ASKED:
            if method != "GET":
                answer = api.ask(method, path, {}, as_page | headers)
                assert answer.status == 403, (path, answer.body)
                assert "_xsrf" in answer.json["message"] or "XSRF" in answer.json["message"]
    good = as_page | {"X-XSRFToken": xsrf[1]}
    assert api.ask("POST", "runs/odd/1/tags", {"add": ["by-page"]}, good).status == 200


def logged_in(api: Any) -> str:
    """The cookies of a browser that has been on the login page, and then logged in."""
    jar: SimpleCookie = SimpleCookie()
    for path in ("/login", f"/login?token={TOKEN}"):
        connection = HTTPConnection("127.0.0.1", api.port, timeout=30)
        connection.request("GET", path, headers={"Cookie": sent(jar)} if jar else {})
        response = connection.getresponse()
        response.read()
        for value in response.headers.get_all("Set-Cookie") or ():
            jar.load(value)
        connection.close()
    return sent(jar)


def sent(jar: SimpleCookie) -> str:
    """The cookies as a browser sends them."""
    return "; ".join(f"{name}={morsel.coded_value}" for name, morsel in jar.items())


def test_another_origin_is_refused(api: Any) -> None:
    elsewhere = api.headers | {"Origin": "https://evil.example", "Host": f"127.0.0.1:{api.port}"}
    cookies = {k: v for k, v in elsewhere.items() if k != "Authorization"}
    cookies["Cookie"] = logged_in(api)
    assert api.ask("GET", "runs", None, cookies).status in (403, 404)


@pytest.mark.parametrize(
    "path",
    [
        "../outside.py",
        "/../outside.py",
        "a/../../outside.py",
        "link/outside.py",
        "..\\outside.py",
        ".hidden/notebook.py",
        "churn.py\0.ipynb",
        "/etc/passwd",
        ".nbflow/nbflow.db",
        "",
    ],
)
def test_notebooks_outside_the_root(api: Any, path: str) -> None:
    outside = api.root.parent / "outside.py"
    outside.write_text("# %%\n# %%step a\nsecret = 1\n")
    link = api.root / "link"
    if not link.exists():
        link.symlink_to(outside.parent)
    for answer in (
        api.ask("POST", "runs", {"notebook": path, "engine": "inline"}),
        api.ask("GET", "parameters", notebook=path),
        api.ask("GET", "notebook", path=path),
        api.ask("GET", "stores", notebook=path or "/"),
    ):
        assert answer.status in (400, 404), answer.body
        assert b"secret" not in answer.body
    if path:
        answer = api.ask("POST", "compile", {"path": path, "cells": []})
        assert answer.status == 400 or path in ("/etc/passwd",)


@pytest.mark.parametrize("name", ["..", "../..", "/etc", "link", "a/../..", ".nbflow", "\0"])
def test_stores_outside_the_root(api: Any, name: str) -> None:
    link = api.root / "link"
    if not link.exists():
        link.symlink_to(api.root.parent)
    assert api.ask("GET", "runs", store=name).status in (400, 404)


@pytest.mark.parametrize(
    "path",
    [
        "runs/..%2F..%2Fetc/1",
        "runs/churn%2F1/1",
        "runs/%00/1",
        "runs/churn/1%20OR%201=1",
        "runs/churn/-1",
        "runs/churn/99999999999999999999",
        "runs/churn'--/1",
        "runs/churn/1/nothing",
        "runs/churn/1/task?step=..%2F..&key=1",
        "runs/churn/1/task?step=train&key=x'%3B--",
        "runs/churn/1/task?step=train&key=9.9.9",
        "runs/churn/1/artifact?step=train&key=0&name=..%2F..%2Fnbflow.db",
        "runs/churn/1/artifact?step=load&name=nope",
    ],
)
def test_names_of_nothing(api: Any, path: str) -> None:
    answer = api.ask("GET", path)
    assert answer.status == 404, answer.body
    assert b"Traceback" not in answer.body


@pytest.mark.parametrize(
    "path",
    [
        "runs?limit=1000000",
        "runs?limit=0",
        "runs?limit=-1",
        "runs?limit=x",
        "runs?limit=1e9",
        "runs?limit=%D9%A1",
        "runs?cursor=x",
        "runs?status=odd",
        "runs?search=" + "x" * 5000,
        "runs/churn/1/tasks?limit=501",
        "runs/churn/1/tasks?sort=password",
        "runs/churn/1/tasks?order=sideways",
        "runs/churn/1/tasks?status=odd",
        "runs/churn/1/tasks?cursor=!!",
        "runs/churn/1/tasks?cursor=W10=",
        "runs/churn/1/tasks?cursor=W3t9LCAiYSIsICJiIl0=",
        "runs/churn/1/log?step=load&limit=99999999",
        "runs/churn/1/log?step=load&start=-5",
        "runs/churn/1/log?step=load&part=other",
        "compare",
        "compare?" + "&".join(["run=churn/1"] * 101),
        "changes?since=x",
    ],
)
def test_requests_out_of_bounds(api: Any, path: str) -> None:
    answer = api.ask("GET", path)
    assert answer.status == 400, answer.body
    assert answer.json["message"]


def test_bodies_out_of_bounds(api: Any) -> None:
    headers = api.headers
    connection = HTTPConnection("127.0.0.1", api.port, timeout=30)
    connection.request("POST", "/nbflow/api/compile", b"{" * 100_000, headers)
    response = connection.getresponse()
    assert response.status == 400
    response.read()
    connection.request("POST", "/nbflow/api/compile", b" " * (17 << 20), headers)
    response = connection.getresponse()
    assert response.status == 413
    response.read()
    connection.close()
    many = [{"source": ""}] * 5001
    assert api.ask("POST", "compile", {"cells": many}).status == 413
    for body in ({"cells": 1}, {"cells": [{"source": 1}]}, {"cells": [{}], "x": 1}, [], "x", None):
        assert api.ask("POST", "compile", body).status == (200 if body is None else 400), body
    for tags in (["x" * 101], [""], ["a"] * 51, ["a\nb"], [1]):
        assert api.ask("POST", "runs/churn/1/tags", {"add": tags}).status == 400, tags


def test_hostile_html_is_shut_in(api: Any) -> None:
    answer = api.ask("GET", "runs/odd/1/output.html", index=0, **STEP)
    policy = answer.headers["Content-Security-Policy"]
    assert answer.status == 200
    assert policy.startswith("sandbox allow-scripts; default-src 'none';")
    assert "allow-same-origin" not in policy
    assert "connect-src" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    with_token = {"index": 0, "token": TOKEN, **STEP}
    assert api.ask("GET", "runs/odd/1/output.html", None, {}, **with_token).status == 400
    for index in (1, 2):
        assert api.ask("GET", "runs/odd/1/output.html", index=index, **STEP).status == 404


def test_hostile_names_stay_text(api: Any) -> None:
    name = 'a"\r\nX-Evil: 1\\../ö'
    answer = api.ask("GET", "runs/odd/1/artifact", name=name, **STEP)
    assert answer.status == 200
    assert "X-Evil" not in answer.headers
    disposition = answer.headers["Content-Disposition"]
    assert re.fullmatch(r'attachment; filename="[A-Za-z0-9._-]+"', disposition)
    for path in ("runs", "runs/odd/1", "runs/odd/1/task", "runs/odd/1/code"):
        answer = api.ask("GET", path, **(STEP if path.endswith("task") else {}))
        assert answer.headers["Content-Type"] == "application/json"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_numbers_that_json_lacks(api: Any) -> None:
    row = api.get("runs/odd/1", wire.RunDetail)["row"]
    assert row["params"]["nan"] == "NaN"
    assert len(row["params"]["<img src=x onerror=alert(1)>"]) <= 120
    assert row["notebook"] is None
    task = api.get("runs/odd/1/task", wire.TaskDetail, **STEP)
    assert task["row"]["values"] == {"inf": "Infinity"}


def test_a_damaged_value_is_told(api: Any, store: Store) -> None:
    from nbflow.store.records import TaskRecord
    from nbflow.values.ref import Ref

    run = store.create_run("damaged", "0+odd")
    writer = store.writer("damaged")
    ref = writer.put(b"x" * 3_000_000, "blob").to_json()
    writer.close()
    store.publish(run.id, [TaskRecord("st<b>ep", "", "succeeded", artifacts={"blob": ref})])
    oid = Ref.from_json(ref).oid
    file = store.root / "objects" / oid[:2] / oid
    os.chmod(file, 0o644)
    with file.open("r+b") as opened:
        opened.write(b"y" * 100_000)
    answer = api.ask("GET", "runs/damaged/1/artifact", name="blob", **STEP)
    assert answer.status == 503
    assert "damaged" in answer.json["message"]
