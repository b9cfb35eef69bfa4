"""What is kept of all that was ever built for the tests."""

from __future__ import annotations

import os
import time
from pathlib import Path

import kubecache
import pytest


def test_the_newest_and_what_is_in_use_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubecache, "_HOME", tmp_path)
    folder, now = kubecache.cache(), time.time()
    folder.mkdir()
    for name in ("layer-code-{}.tar", "kube-{}", "{}.half"):
        for hours in range(5):
            path = folder / name.format(hours)
            path.mkdir() if name.startswith("kube") else path.touch()
            os.utime(path, (now, now - 3600.0 * hours - 60))
    (folder / "images.lock").touch()
    kubecache.prune()
    assert sorted(path.name for path in folder.iterdir()) == [
        "0.half",
        "images.lock",
        "kube-0",
        "kube-1",
        "layer-code-0.tar",
        "layer-code-1.tar",
        "layer-code-2.tar",
    ]
