"""Puts the built JupyterLab front end into the wheel, and builds it first where that is asked for.

`NBFLOW_FRONTEND=build pip wheel .` builds it (Node.js is needed) and fails where it cannot. Without
it, what `make frontend` has built is taken, and a wheel without any front end still installs.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NAME = "@nbflow/labextension"
BUILT = "jupyter_ext/nbflow_jupyter/labextension"


class FrontEndHook(BuildHookInterface[Any]):
    """Adds `share/jupyter/labextensions/@nbflow/labextension`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Hatch calls this before it collects the files."""
        source, built = Path(self.root, "labextension"), Path(self.root, BUILT)
        if os.environ.get("NBFLOW_FRONTEND") == "build":
            for command in (["npm", "ci", "--ignore-scripts"], ["npm", "run", "build"]):
                subprocess.run(command, cwd=source, check=True)
        if not (built / "package.json").is_file():
            self.app.display_warning("nbflow: without the JupyterLab front end (it is not built)")
        elif self.target_name == "wheel":
            share = f"share/jupyter/labextensions/{NAME}"
            build_data["shared_data"][str(built)] = share
            build_data["shared_data"][str(source / "install.json")] = f"{share}/install.json"
