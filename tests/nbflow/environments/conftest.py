"""A folder of wheels in which uv looks, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from wheels import offline


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder; cloudpickle, which every environment has, is there."""
    return offline(tmp_path, monkeypatch)
