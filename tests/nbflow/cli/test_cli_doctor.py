"""`nbflow doctor`: what it looks at, and that a broken thing is a finding."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbflow.cli import findings
from nbflow.cli.group import call


def test_all_is_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    # the engine's own tests start clusters
    monkeypatch.setattr(findings, "_dask", lambda: findings.Finding("dask", True, "starts"))
    assert call(["doctor"]) == 0
    assert capsys.readouterr().out.endswith("All is well.\n")
    assert not list(tmp_path.iterdir())


def test_what_breaks_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> findings.Finding:
        raise OSError("no ports left")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(findings, "_dask", broken)
    assert call(["doctor", "--json"]) == 1
    last = json.loads(capsys.readouterr().out)["findings"][-1]
    assert (last["ok"], last["said"]) == (False, "OSError: no ports left")


def test_a_store_that_is_none(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    found = findings._store(str(tmp_path / "nowhere"))
    assert not found.ok
    assert "There is no store" in found.said
