"""Tagged cells in a real kernel, over the wire as a front end talks to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

Execute = Callable[..., tuple[dict[str, Any], list[Any]]]


@pytest.fixture(scope="module")
def manager() -> Iterator[Any]:
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3")
    client.execute_interactive("%load_ext nbflow", timeout=60, output_hook=lambda _: None)
    manager.test_client = client
    yield manager
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(manager: Any) -> Any:
    return manager.test_client


@pytest.fixture
def execute(kernel: Any) -> Execute:
    """Runs a cell; gives the reply and the messages that it published."""

    def run(code: str, **metadata: Any) -> tuple[dict[str, Any], list[Any]]:
        while True:
            messages: list[Any] = []
            reply = kernel.execute_interactive(code, timeout=60, output_hook=messages.append)
            # just after an error a kernel may still be refusing what was sent behind the cell
            if reply["content"]["status"] != "aborted":
                return reply["content"], [m for m in messages if m["msg_type"] != "status"]

    return run


def texts(messages: list[Any]) -> str:
    """All text that a cell showed."""
    found = []
    for message in messages:
        content = message["content"]
        found.append(content.get("text") or content.get("data", {}).get("text/plain", ""))
        found.extend(content.get("traceback", []))
    return "\n".join(found)


def test_display_and_result(execute: Execute) -> None:
    reply, messages = execute("%%step a --cpu 2\n%%time\nx = 20\nx + 1")
    assert reply["status"] == "ok"
    results = [m for m in messages if m["msg_type"] == "execute_result"]
    assert results[0]["content"]["data"]["text/plain"] == "21"


def test_an_error_is_an_error_reply_at_its_line(execute: Execute) -> None:
    reply, messages = execute("%%step a\nimport asyncio\nawait asyncio.sleep(0)\n1 / 0")
    assert (reply["status"], reply["ename"]) == ("error", "ZeroDivisionError")
    assert "line 4" in texts(messages)


def test_a_wrong_tag_is_an_error_reply(execute: Execute) -> None:
    reply, _ = execute("%%step a --gpus 1\nx = 1")
    assert (reply["status"], reply["ename"]) == ("error", "TagError")
    assert "Did you mean `--gpu`?" in reply["traceback"][0]


def test_a_fan_out_updates_one_progress_display(execute: Execute) -> None:
    reply, messages = execute("%%step train --foreach n in range(3)\nm = n")
    assert reply["status"] == "ok"
    kinds = [m["msg_type"] for m in messages]
    assert kinds.count("display_data") == 1
    last = [m for m in messages if m["msg_type"] == "update_display_data"][-1]
    assert 'value="3" max="3"' in last["content"]["data"]["text/html"]
    assert execute("train.m")[1][-1]["content"]["data"]["text/plain"] == "[0, 1, 2]"


def test_timeout_of_code_that_waits_and_of_code_that_works(execute: Execute) -> None:
    for code in ("import time\ntime.sleep(30)", "import asyncio\nawait asyncio.sleep(30)"):
        reply, _ = execute(f"%%step a --timeout 100ms\n{code}")
        assert reply["ename"] == "StepTimeout"
    assert execute("1 + 1")[0]["status"] == "ok"


@pytest.mark.parametrize("tag", ["%%step long", "%%step long --foreach n in range(9) --retry 2"])
def test_a_kernel_interrupted_in_the_middle_of_a_step(
    manager: Any, execute: Execute, tag: str
) -> None:
    client = manager.test_client
    asked = client.execute(
        f"{tag}\nhalf = 1\nprint('begun', flush=True)\nimport time\ntime.sleep(60)"
    )
    while True:
        message = client.get_iopub_msg(timeout=60)
        if message["content"].get("text") == "begun\n":
            break
    manager.interrupt_kernel()
    while True:
        reply = client.get_shell_msg(timeout=60)
        if reply["parent_header"]["msg_id"] == asked:
            break
    assert (reply["content"]["status"], reply["content"]["ename"]) == ("error", "KeyboardInterrupt")
    reply, messages = execute("%nbflow state")
    assert "'long': {'state': 'failed'" in texts(messages)
    assert execute("%%step later\ndone = 1\ndone")[0]["status"] == "ok"
    assert execute("%nbflow load nothing/1")[0]["ename"] == "CommandFailed"


def test_the_debugger_is_in_the_steps_own_frame(kernel: Any, execute: Execute) -> None:
    execute("%%step a\ndef f(inner):\n    return 1 / inner\nouter = 7\nf(0)")
    said: list[Any] = []
    answers = iter(["p 'inner is', inner", "up", "p 'outer is', outer", "q"])
    reply = kernel.execute_interactive(
        "%debug",
        timeout=60,
        allow_stdin=True,
        output_hook=said.append,
        stdin_hook=lambda _: kernel.input(next(answers)),
    )
    assert reply["content"]["status"] == "ok"
    text = texts(said)
    assert "('inner is', 0)" in text
    assert "('outer is', 7)" in text


def test_completion_and_help(kernel: Any) -> None:
    matches = kernel.complete("%%step a --for", 14, reply=True, timeout=30)["content"]["matches"]
    assert matches == ["--foreach"]
    found = kernel.inspect("%%step", 6, reply=True, timeout=30)["content"]
    assert "--foreach VAR in EXPR" in found["data"]["text/plain"]


def test_the_command_line_in_the_notebook(execute: Execute) -> None:
    reply, messages = execute("%nbflow --help")
    assert reply["status"] == "ok"
    assert "Run a notebook as a flow." in texts(messages)
    reply, messages = execute("%nbflow rnu")
    assert reply["status"] == "error"
    assert "Did you mean 'run'?" in texts(messages)


def test_run_all_stops_at_a_failed_step(tmp_path: Path) -> None:
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    cells = ["%load_ext nbflow", "%%step a\nx = 1", "%%step b\n1 / 0", "%%step c\nprint('on')"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in cells])
    with pytest.raises(CellExecutionError):
        NotebookClient(notebook, timeout=60, resources={"metadata": {"path": tmp_path}}).execute()
    assert [len(cell.outputs) for cell in notebook.cells] == [0, 0, 1, 0]


def test_the_reply_has_all_that_holds_of_a_cell_said_or_not(execute: Execute) -> None:
    execute("hidden = list(range(3))")
    said = []
    for _ in range(2):
        reply, messages = execute("%%step reader\ntotal = sum(hidden)")
        (told,) = reply["payload"]
        assert told["source"] == "nbflow"
        assert [one["code"] for one in told["diagnostics"]] == ["NBF202"]
        assert told["steps"]["reader"] == {"state": "fresh", "cells": []}
        said.append("NBF202" in texts(messages))
    assert said == [True, False]
    reply, _ = execute("%%step reader\ntotal = 3")
    assert reply["payload"][0]["diagnostics"] == []


def test_each_item_has_figures_of_its_own(execute: Execute) -> None:
    pytest.importorskip("matplotlib")
    cell = (
        "%%step a --foreach n in range(3) --retry 1\nimport matplotlib.pyplot as plt\n"
        "lines = plt.plot([n, 1]) and len(plt.gca().lines)\n"
        "tried = n in globals().setdefault('seen', [2]) or seen.append(n) or 1 / 0"
    )
    reply, messages = execute(cell)
    assert reply["status"] == "ok"
    pictures = [one for one in messages if "image/png" in one["content"].get("data", {})]
    assert len(pictures) == 5, "of the attempts that failed, too"
    assert texts(execute("a.lines")[1]).strip() == "[1, 1, 1]"
