"""A real JupyterLab with the extension, in a folder of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "jupyter_ext/nbflow_jupyter/labextension"
TOKEN = "browser-tests"

CONFIG = """\
c.ServerApp.open_browser = False
c.ServerApp.allow_root = True
c.IdentityProvider.token = {token!r}
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.expose_app_in_browser = True
c.LabServerApp.extra_labextensions_path = [{labextensions!r}]
"""


@dataclass(frozen=True, slots=True)
class Lab:
    """A running server: where it listens, and the folder it shows."""

    url: str
    folder: Path

    def page(self, path: str = "lab") -> str:
        """An address with the token."""
        return f"{self.url}/{path}?token={TOKEN}"


def prepare(home: Path) -> dict[str, str]:
    """Settings below ``home`` that have the built extension on; the environment to start with."""
    config = home / "config"
    enabled = config / "jupyter_server_config.d"
    enabled.mkdir(parents=True)
    shutil.copy(ROOT / "jupyter_ext/jupyter-config/server-config/nbflow_jupyter.json", enabled)
    front = home / "labextensions/@nbflow"
    front.mkdir(parents=True)
    (front / "labextension").symlink_to(BUILT)
    text = CONFIG.format(token=TOKEN, labextensions=str(home / "labextensions"))
    (config / "jupyter_lab_config.py").write_text(text)
    news = home / "settings/@jupyterlab/apputils-extension"
    news.mkdir(parents=True)
    (news / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    paths = [str(ROOT), str(ROOT / "jupyter_ext"), str(ROOT / "kernel_magics")]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NBFLOW_")}
    return kept | {
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PYTHONPATH": os.pathsep.join(paths),
    }


@contextlib.contextmanager
def serving(home: Path, folder: Path) -> Iterator[Lab]:
    """A JupyterLab that shows ``folder`` and keeps what is its own in ``home``."""
    port = _free_port()
    log = (home.parent / f"{home.name}.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", f"--port={port}", "--port-retries=0"],
        cwd=folder,
        env=prepare(home),
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        lab = Lab(f"http://127.0.0.1:{port}", folder)
        _wait_for(lab.page("api/status"), process)
        yield lab
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
            json.load(answer)
            return
        time.sleep(0.2)
    raise RuntimeError("JupyterLab did not start")
