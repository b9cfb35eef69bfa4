"""Rehearse: what Binder's build would do, in a clean environment, and what its visitor would see.

`make binder` runs it. It needs Node.js, Chromium and a package index; it takes some minutes. A
copy of the tracked files is built by `binder/postBuild` in an environment that has pip and
nothing else, started by `binder/start`, and opened in a browser where the demo is run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from labserver import ROOT, TOKEN, Lab, free_port, play, wait_for


def main() -> int:
    """Build, start, look; the exit status."""
    with tempfile.TemporaryDirectory(prefix="nbflow-binder-") as folder:
        home = Path(folder)
        copy = home / "repository"
        _checkout(copy)
        began = time.monotonic()
        env = _environment(home)
        subprocess.run([str(copy / "binder/postBuild")], cwd=copy, env=env, check=True)
        print(f"built in {time.monotonic() - began:.0f} s")
        port = free_port()
        command = ["jupyter", "lab", f"--port={port}", "--port-retries=0", "--no-browser"]
        command += ["--allow-root", f"--IdentityProvider.token={TOKEN}", "--ip=127.0.0.1"]
        command += ["--LabApp.expose_app_in_browser=True"]
        with (home / "lab.log").open("wb") as log:
            process = subprocess.Popen(
                [str(copy / "binder/start"), *command],
                cwd=copy,
                env=env,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            lab = Lab(port, copy, home)
            wait_for(f"{lab.url}/api/status?token={TOKEN}", process)
            pictures = os.environ.get("NBFLOW_SCREENSHOTS", folder)
            outcomes = play("binder.mjs", lab, pictures)
        finally:
            process.terminate()
            process.wait(20)
        failed = {name: error for name, error in outcomes.items() if error is not None}
        for name, error in failed.items():
            print(f"{name}: {error}")
        print("it works" if outcomes and not failed else "it does not work")
        return 0 if outcomes and not failed else 1


def _checkout(copy: Path) -> None:
    """The tracked files as they are now; nothing that was built here."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        source, target = ROOT / name, copy / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def _environment(home: Path) -> dict[str, str]:
    """An environment of its own, first on the path as repo2docker has it."""
    venv.create(home / "env", with_pip=True)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("NBFLOW_", "JUPYTER", "PYTHON", "VIRTUAL_ENV"))
    }
    path = os.pathsep.join([str(home / "env/bin"), os.environ["PATH"]])
    return kept | {
        "PATH": path,
        "HOME": str(home / "home"),
        "npm_config_cache": str(home / "npm"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


if __name__ == "__main__":
    sys.exit(main())
