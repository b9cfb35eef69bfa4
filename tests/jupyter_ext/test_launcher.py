"""The start of runs whose process does not come that far, and of compilations that never end."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

pytest.importorskip("jupyter_server")

from nbflow_jupyter import compiler, launcher
from nbflow_jupyter.refusal import Refusal


def pretend(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    """Let a shell script stand for Python."""
    fake = folder / "python"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr("sys.executable", str(fake))


def test_a_process_that_dies_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pretend(monkeypatch, tmp_path, "echo no such thing >&2; exit 3")
    with pytest.raises(Refusal) as refused:
        asyncio.run(launcher.launch({"params": {"x": "y" * 500_000}}, tmp_path))
    assert refused.value.status_code == 503
    assert refused.value.message == "The run did not start; its process ended: no such thing"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 3", "The run did not start; its process ended with status 3."),
        ("echo hello; exit 0", "The run did not start; its process ended: hello"),
        ("kill -9 $$", "The run did not start; its process ended with status -9."),
    ],
)
def test_a_process_that_says_nothing_of_its_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, said: str
) -> None:
    pretend(monkeypatch, tmp_path, script)
    with pytest.raises(Refusal) as refused:
        asyncio.run(launcher.launch({}, tmp_path))
    assert (refused.value.status_code, refused.value.message) == (503, said)


def test_a_process_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "no python"))
    with pytest.raises(Refusal) as refused:
        asyncio.run(launcher.launch({}, tmp_path))
    assert refused.value.status_code == 503
    assert (
        refused.value.message
        == "The run did not start: no process for it (No such file or directory)."
    )


def test_a_store_that_cannot_be_used_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = '{"message": "The store is locked.", "diagnostics": [], "store": true}'
    pretend(monkeypatch, tmp_path, f"echo '{said}'")
    with pytest.raises(Refusal) as refused:
        asyncio.run(launcher.launch({}, tmp_path))
    assert (refused.value.status_code, refused.value.message) == (503, "The store is locked.")


def test_a_process_that_never_begins_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(launcher, "PATIENCE", 0.3)
    pretend(monkeypatch, tmp_path, "exec sleep 60")
    with pytest.raises(Refusal) as refused:
        asyncio.run(launcher.launch({}, tmp_path))
    assert refused.value.status_code == 503
    assert refused.value.message == "The run did not begin within 0.3 seconds."


def test_a_compilation_that_never_ends_is_given_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(compiler, "_PATIENCE", 0.3)
    pretend(monkeypatch, tmp_path, "exec sleep 60")

    async def ask() -> None:
        one = compiler.Compiler()
        try:
            await one.compile({"cells": []}, str(tmp_path))
        finally:
            await one.stop()

    with pytest.raises(Refusal) as refused:
        asyncio.run(ask())
    assert refused.value.status_code == 504


def test_a_compiler_that_fails_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pretend(monkeypatch, tmp_path, 'read line; echo \'{"error": "KeyError: x"}\'; read line')

    async def ask() -> None:
        one = compiler.Compiler()
        try:
            await one.compile({"cells": []}, str(tmp_path))
        finally:
            await one.stop()

    with pytest.raises(Refusal) as refused:
        asyncio.run(ask())
    assert (refused.value.status_code, "KeyError" in refused.value.message) == (500, True)
