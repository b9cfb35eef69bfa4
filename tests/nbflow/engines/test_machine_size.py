"""What this machine has to share out."""

from __future__ import annotations

import pytest

from nbflow.engines.machine_size import gpus


@pytest.mark.parametrize(
    ("visible", "found"),
    [
        ("", ()),
        ("-1", ()),
        ("0", ("0",)),
        ("2, 0", ("2", "0")),
        ("1,-1,0", ("1",)),
        ("GPU-8932f937,MIG-a1b2", ("GPU-8932f937", "MIG-a1b2")),
        ("NoDevFiles", ()),
    ],
)
def test_the_gpus_are_those_that_cuda_would_take(
    visible: str, found: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpus() == found
