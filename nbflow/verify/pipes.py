"""Pipes: shell commands of the verified kernel print into a pipe, as they do in a flow.

IPython gives them a terminal, for which `ls`, say, prints columns and `git` colours.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any


def use_pipes(shell: Any) -> None:
    """Let `!command` in this IPython shell print into a pipe."""

    def system(command: str) -> None:
        with subprocess.Popen(
            shell.var_expand(command, depth=1),
            shell=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            for line in process.stdout or ():
                sys.stdout.write(line)
        shell.user_ns["_exit_code"] = process.returncode

    shell.system = system
