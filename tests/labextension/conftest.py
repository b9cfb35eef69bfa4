"""A notebook that has run, a JupyterLab that shows it, and what a browser made of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from labnotebook import write_notebook
from labserver import BUILT, ROOT, TOKEN, Lab, prepare, serving

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")

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
    for place, options in [(team, ("--tag", "ours")), *((folder, options) for options in RUNS)]:
        command = [sys.executable, "-m", "nbflow", "run", "churn.ipynb", "--on", "inline", *options]
        subprocess.run(command, cwd=place, env=env, capture_output=True, timeout=100, check=False)
    with serving(home / "lab", folder) as running:
        yield running


@pytest.fixture(scope="session")
def outcomes(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    """The error of each scenario, None where it went well."""
    pictures = os.environ.get("NBFLOW_SCREENSHOTS") or tmp_path_factory.mktemp("pictures")
    script = Path(__file__).with_name("browser.mjs")
    done = subprocess.run(
        ["node", str(script), lab.url, TOKEN, str(pictures)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
        env=os.environ | {"CHROMIUM": CHROMIUM},
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    print(done.stdout, done.stderr, f"pictures are in {pictures}", sep="\n")
    assert done.returncode == 0, done.stderr
    return {line["name"]: line["error"] for line in lines}
