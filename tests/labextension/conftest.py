"""A notebook that has run, a JupyterLab that shows it, and what a browser made of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from labnotebook import HOSTILE, add_wide, write_notebook
from labserver import BUILT, CHROMIUM, ROOT, play, prepare, serving

RUNS: tuple[tuple[str, ...], ...] = (
    (),
    ("-p", "strict", "false", "--tag", "prod"),
    ("-p", "alpha", "0.2", "-p", "countries", '["FI", "SE", "NO", "DK", "DE"]', "--tag", "nightly"),
)

#: the scripts that are played elsewhere than in JupyterLab, or in another folder
APPS = {"notebook7": "notebook"}
FOLDERS = {"story": "demo"}


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
def notebooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a notebook and three runs of it, the first of them failed.

    Folders in it have a notebook of their own, and a run of it where its name is not `seven`.
    """
    reason = _missing()
    if reason is not None:
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("notebooks")
    write_notebook(folder / "churn.ipynb")
    env = prepare(tmp_path_factory.mktemp("runs"))
    team = folder / "team"
    team.mkdir()
    write_notebook(team / "churn.ipynb")
    away = folder / "hostile"
    away.mkdir()
    write_notebook(away / "hostile.ipynb", HOSTILE)
    evil = ("--tag", "<img/src=x/onerror=window.pwned=1>")
    (folder / "seven").mkdir()
    write_notebook(folder / "seven/churn.ipynb")
    wanted = [
        (team, "churn.ipynb", ("--tag", "ours")),
        (away, "hostile.ipynb", evil),
        *((folder, "churn.ipynb", options) for options in RUNS),
    ]
    for place, notebook, options in wanted:
        command = [sys.executable, "-m", "nbflow", "run", notebook, "--on", "inline", *options]
        subprocess.run(command, cwd=place, env=env, capture_output=True, timeout=100, check=False)
    add_wide(team / ".nbflow")
    # the demo, as somebody gets it who opens it for the first time
    (folder / "demo").mkdir()
    shutil.copy(ROOT / "examples/digits.ipynb", folder / "demo")
    return folder


@pytest.fixture(scope="session")
def outcomes(
    notebooks: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], dict[str, str | None]]:
    """Of a script beside this file, the error of each scenario, None where it went well.

    Each script has a server of its own; where one fails, its log goes to the pictures.
    """
    shots = os.environ.get("NBFLOW_SCREENSHOTS")
    pictures = Path(shots) if shots else tmp_path_factory.mktemp("pictures")
    found: dict[str, dict[str, str | None]] = {}

    def played(script: str) -> dict[str, str | None]:
        if script not in found:
            name = script.removesuffix(".mjs")
            home = tmp_path_factory.mktemp(name)
            folder = notebooks / FOLDERS.get(name, "")
            with serving(home / "jupyter", folder, APPS.get(name, "jupyterlab")) as lab:
                found[script] = play(script, lab, str(pictures))
            if any(found[script].values()):
                shutil.copy(home / "jupyter.log", pictures / f"{name}.log")
        return found[script]

    return played
