"""A real JupyterLab with the extension, in a folder of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbflow

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "jupyter_ext/nbflow_jupyter/labextension"
TOKEN = "browser-tests"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")

CONFIG = """\
c.ServerApp.open_browser = False
c.ServerApp.allow_root = True
c.IdentityProvider.token = {token!r}
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.expose_app_in_browser = True
c.JupyterNotebookApp.expose_app_in_browser = True
c.LabServerApp.extra_labextensions_path = [{labextensions!r}]
"""


@dataclass
class Lab:
    """A server: where it listens, the folder it shows, and the process that it is."""

    port: int
    folder: Path
    home: Path
    app: str = "jupyterlab"
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, or start it anew at the same address."""
        env = prepare(self.home)
        command = [sys.executable, "-m", self.app, f"--port={self.port}", "--port-retries=0"]
        with self.home.with_suffix(".log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=env,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_for(f"{self.url}/api/status?token={TOKEN}", self.process)

    def run_ended(self) -> None:
        """Wait until the newest run of the folder has ended."""
        nbflow.runs(store=self.folder / ".nbflow")[0].wait(120)

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        process, self.process = self.process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def prepare(home: Path) -> dict[str, str]:
    """Settings below ``home`` that have the built extension on; the environment to start with."""
    config = home / "config"
    enabled = config / "jupyter_server_config.d"
    enabled.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "jupyter_ext/jupyter-config/server-config/nbflow_jupyter.json", enabled)
    front = home / "labextensions/@nbflow"
    front.mkdir(parents=True, exist_ok=True)
    if not (front / "labextension").is_symlink():
        (front / "labextension").symlink_to(BUILT)
    text = CONFIG.format(token=TOKEN, labextensions=str(home / "labextensions"))
    for app in ("lab", "notebook"):
        (config / f"jupyter_{app}_config.py").write_text(text)
    news = home / "settings/@jupyterlab/apputils-extension"
    news.mkdir(parents=True, exist_ok=True)
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
def serving(home: Path, folder: Path, app: str = "jupyterlab") -> Iterator[Lab]:
    """A server that shows ``folder`` and keeps what is its own in ``home``."""
    lab = Lab(free_port(), folder, home, app)
    try:
        lab.start()
        yield lab
    finally:
        lab.stop()


def play(script: str, lab: Lab, pictures: str, seconds: float = 500) -> dict[str, str | None]:
    """The error of each scenario of a script, None where it went well.

    A line of a script that is a command is obeyed: `stop` and `start`, the server; the answer is
    an empty line.
    """
    found: dict[str, str | None] = {}
    with subprocess.Popen(
        ["node", str(Path(__file__).with_name(script)), lab.url, TOKEN, pictures],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"CHROMIUM": CHROMIUM},
    ) as process:
        watchdog = threading.Timer(seconds, process.kill)
        watchdog.start()
        assert process.stdin is not None
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="")
            told = json.loads(line)
            if "do" in told:
                getattr(lab, told["do"])()
                process.stdin.write("\n")
                process.stdin.flush()
            else:
                found[told["name"]] = told["error"]
        watchdog.cancel()
    print(f"pictures are in {pictures}")
    return found


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    """Until a server answers; an error where it ends before."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
            json.load(answer)
            return
        time.sleep(0.2)
    raise RuntimeError("JupyterLab did not start")
