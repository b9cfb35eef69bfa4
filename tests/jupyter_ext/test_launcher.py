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
    assert refused.value.status_code == 500
    assert refused.value.message == "The run did not start. no such thing"


def test_a_process_that_never_begins_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(launcher, "PATIENCE", 0.3)
    pretend(monkeypatch, tmp_path, "exec sleep 60")
    with pytest.raises(Refusal) as refused:
        asyncio.run(launcher.launch({}, tmp_path))
    assert refused.value.status_code == 500


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
