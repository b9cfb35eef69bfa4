"""A notebook that has run, a JupyterLab that shows it, and what a browser made of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from labnotebook import HOSTILE, write_notebook
from labserver import BUILT, CHROMIUM, ROOT, Lab, play, prepare, serving

RUNS: tuple[tuple[str, ...], ...] = (
    (),
    ("-p", "strict", "false", "--tag", "prod"),
    ("-p", "alpha", "0.2", "-p", "countries", '["FI", "SE", "NO", "DK", "DE"]', "--tag", "nightly"),
)


def _missing() -> str | None:
    if shutil.which("node") is None:
        return "node is not installed"
    if not Path(CHROMIUM).exists():
        return f"there is no browser at {CHROMIUM} (set CHROMIUM)"
    if not (ROOT / "labextension/node_modules/playwright-core").is_dir():
        return "playwright-core is not installed: npm ci in labextension"
    if not (BUILT / "package.json").is_file():
        return "the front end is not built: npm run build in labextension"
    return None


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory):
    """A JupyterLab on a folder with a notebook and three runs of it, the first of them failed.

    A folder in it has a notebook and a run of its own.
    """
    reason = _missing()
    if reason is not None:
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("notebooks")
    write_notebook(folder / "churn.ipynb")
    home = tmp_path_factory.mktemp("jupyter")
    env = prepare(home / "runs")
    team = folder / "team"
    team.mkdir()
    write_notebook(team / "churn.ipynb")
    away = folder / "hostile"
    away.mkdir()
    write_notebook(away / "hostile.ipynb", HOSTILE)
    evil = ("--tag", "<img/src=x/onerror=window.pwned=1>")
    wanted = [
        (team, "churn.ipynb", ("--tag", "ours")),
        (away, "hostile.ipynb", evil),
        *((folder, "churn.ipynb", options) for options in RUNS),
    ]
    for place, notebook, options in wanted:
        command = [sys.executable, "-m", "nbflow", "run", notebook, "--on", "inline", *options]
        subprocess.run(command, cwd=place, env=env, capture_output=True, timeout=100, check=False)
    # the demo, as somebody gets it who opens it for the first time
    shutil.copy(ROOT / "examples/digits.ipynb", folder)
    with serving(home / "lab", folder) as running:
        yield running


@pytest.fixture(scope="session")
def outcomes(
    lab: Lab, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], dict[str, str | None]]:
    """Of a script beside this file, the error of each scenario, None where it went well."""
    pictures = os.environ.get("NBFLOW_SCREENSHOTS") or tmp_path_factory.mktemp("pictures")
    found: dict[str, dict[str, str | None]] = {}

    def played(name: str) -> dict[str, str | None]:
        if name not in found:
            found[name] = play(name, lab, str(pictures))
        return found[name]

    return played
