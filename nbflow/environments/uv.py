"""Uv: the tool that resolves and installs, called; what it refuses is said in its own words."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from nbflow.errors import UserError, user_error

#: what uv says where an index or a file cannot be had, rather than does not exist
_AWAY = ("error sending request", "dns error", "network was disabled", "Could not connect")
#: what uv says where there is no such Python, nor one to download
_PYTHON = ("No interpreter found", "python-build-standalone", "inspect Python interpreter")


def call_uv(
    arguments: Sequence[str],
    what: str,
    given: str = "",
    folder: Path | None = None,
    fix: str | None = None,
) -> str:
    """Run uv on a text and return what it prints.

    ``what`` begins the sentence of a `UserError`, and ``fix`` is the way out of what uv refuses.
    """
    try:
        done = subprocess.run(
            [find_uv(), *arguments, "--color", "never", "--no-progress"],
            input=given,
            capture_output=True,
            text=True,
            cwd=folder,
        )
    except OSError as error:
        raise user_error("NBF409", f"{what}: uv does not start: {error}.", _INSTALL) from error
    if done.returncode:
        raise _refused(what, done.stderr, fix)
    return done.stdout


def find_uv() -> str:
    """Where uv is: beside this Python, else on the search path."""
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if found is None:
        raise user_error("NBF409", "Environments of steps need uv, which is not here.", _INSTALL)
    return found


@cache
def usual_index() -> str:
    """The package index that uv takes where nobody names one, as it says itself."""
    words = ["pip", "compile", "-", "--emit-index-url", "--no-header", "--quiet"]
    unset = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    done = subprocess.run(
        [find_uv(), *words, "--no-config", "--offline", "--python", sys.executable],
        input="",
        capture_output=True,
        text=True,
        env=unset,
    )
    return done.stdout.strip().removeprefix("--index-url ")


def uv_version() -> str:
    """Which version of uv that is: `0.13.8`."""
    return call_uv(["--version"], "The version of uv is not known").split()[1]


_INSTALL = "Install it: pip install 'nbflow[env]'."


def _refused(what: str, said: str, fix: str | None) -> UserError:
    reason = reason_of(said)
    if any(sign in said for sign in _PYTHON):
        return user_error(
            "NBF409",
            f"{what}: its Python is not here. {reason}",
            "Install that Python, or take another: %environment NAME --python VERSION.",
        )
    if any(sign in said for sign in _AWAY):
        return user_error(
            "NBF409",
            f"{what}: the package index cannot be reached. {reason}",
            "Connect to the network, or name an index that can be reached, in UV_DEFAULT_INDEX; "
            "an environment that was once built here needs none.",
        )
    usual = "Change the line `%environment`: a distribution that it names has the version it says."
    return user_error("NBF409", f"{what}: {reason}", fix or usual)


def reason_of(said: str) -> str:
    """What uv prints on stderr as one line, without its drawing and its hints."""
    text = re.split(r"\n\s*hint:", said)[0]
    lines = (
        re.sub(r"^[\s\u00d7\u2500-\u257f\u25b6]+", "", line).strip() for line in text.splitlines()
    )
    words = " ".join(line.removeprefix("error: ") for line in lines if line)
    words = words.replace(" cause: ", ": ")
    words = words.removeprefix("No solution found when resolving dependencies: ")
    words = re.sub(r" And because (.{400}).*", r" And because \1…", words)
    return words if words.endswith((".", "…")) else f"{words}."
