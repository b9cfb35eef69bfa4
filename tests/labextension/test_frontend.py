"""The front end's own checks: types, lint, formatting, the tests of its models."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from labserver import ROOT

FRONT_END = ROOT / "labextension"


@pytest.mark.timeout(240)
@pytest.mark.parametrize("script", ["check", "test"])
def test_npm(script: str) -> None:
    """`npm run check` and `npm test` go through."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    if not (FRONT_END / "node_modules").is_dir():
        pytest.skip("the front end's packages are not installed: make frontend")
    done = subprocess.run(
        ["npm", "run", "--silent", script],
        cwd=FRONT_END,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_addresses() -> None:
    """The lock file says what is installed, not where it was downloaded."""
    text = (FRONT_END / "package-lock.json").read_text()
    assert '"resolved"' not in text
