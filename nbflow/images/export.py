"""The image exporter: a Dockerfile and locks for the environments that a flow's steps run in."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from importlib.metadata import distributions as installed_distributions
from importlib.metadata import version
from pathlib import Path

from nbcompile.emit.package import Package
from nbflow.config import load_config
from nbflow.environments.locks import Lock, distributions, resolve, with_runtime
from nbflow.environments.uv import uv_version
from nbflow.errors import user_error
from nbflow.images.render import (
    FLOW,
    MARK,
    Stage,
    commands,
    configuration,
    dockerfile,
    lock_of,
    lock_text,
    readme,
)
from nbflow.images.wheel import is_released, requirements, write_wheel

#: what of nbflow's extras a pod needs: its driver's, and those of stores that machines share
EXTRAS = ("kubernetes", "postgres", "s3")
_HERE = ".".join(platform.python_version_tuple()[:2])
_FIX = (
    "An image gets the versions that are installed here, so an index must have them: install "
    "others, or name an index that has them in [tool.uv] of pyproject.toml or UV_INDEX."
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What an image is to hold."""

    name: str
    python: str
    requirements: tuple[str, ...]
    #: versions that hold where something of the name is needed
    versions: Mapping[str, str]

    @property
    def asked(self) -> str:
        content = json.dumps([self.python, sorted(self.requirements)])
        return blake2b(content.encode(), digest_size=10).hexdigest()


def export_image(package: Package, out_dir: str | Path) -> str:
    """Write the Dockerfile, its locks and a README; returns what to do next.

    Locks that an earlier export left hold as long as nothing else is asked for. Raises a
    `UserError` where an environment cannot be locked, or a file of the user's is in the way.
    """
    folder = Path(out_dir)
    for name in ("Dockerfile", "README.md"):
        _check_own(folder / name)
    flow = str(package.manifest["name"])
    locks = [_lock(folder, one) for one in _wanted(package)]
    folder.mkdir(parents=True, exist_ok=True)
    wheel = None if is_released() else write_wheel(folder)
    code = b"" if wheel is None else (folder / wheel).read_bytes()
    stages = []
    for lock in locks:
        word = blake2b(lock.id.encode() + code, digest_size=6).hexdigest()
        stages.append(Stage(lock.name, lock.python, word))
        _write(folder / stages[-1].lock, lock_text(lock.asked, lock.text))
    _write(folder / "Dockerfile", dockerfile(flow, stages, uv_version(), wheel))
    _write(folder / "README.md", readme(flow, stages))
    lines = [*commands(flow, stages, str(out_dir)), "", *configuration(flow, stages)]
    return "\n".join(
        ["Build it (`podman build` and `buildah build` take the same words), then say where it is:"]
        + [f"  {line}".rstrip() for line in ("", *lines)]
    )


def _wanted(package: Package) -> list[_Wanted]:
    """The environments of the flow's steps; the flow's own last."""
    manifest = package.manifest
    used = {step.get("env") for step in manifest["steps"]}
    others = [
        _Wanted(one["name"], one["python"] or _HERE, _with_nbflow(tuple(one["requirements"])), {})
        for one in manifest.get("environments", ())
        if one["name"] in used
    ]
    here = {_plain(one.metadata["Name"] or ""): one.version for one in installed_distributions()}
    own = _with_nbflow(tuple(manifest["dependencies"]))
    return [*others, _Wanted(FLOW, _HERE, own, here)]


def _with_nbflow(wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The requirements, with nbflow or what nbflow needs where they do not name it."""
    config = load_config()
    # pip, so that one can add to the image as to any other
    complete = with_runtime((*wanted, "pip"), (config.store, config.objects))
    if is_released():
        return (*complete, f"nbflow[{','.join(EXTRAS)}]=={version('nbflow')}")
    given = {_name(one) for one in complete}
    return (*complete, *(one for one in requirements(EXTRAS) if _name(one) not in given))


def _lock(folder: Path, wanted: _Wanted) -> Lock:
    path = folder / Stage(wanted.name, wanted.python, "").lock
    asked = f"Python {wanted.python} and {wanted.asked}"
    if path.is_file():
        _check_own(path)
        kept = lock_of(path.read_text(encoding="utf-8"), asked)
        if kept is not None:
            lock = Lock(wanted.name, wanted.python, asked, kept)
            held = distributions(lock).items()
            if all(wanted.versions.get(name, number) == number for name, number in held):
                return lock
    what = f"The image of the environment `{wanted.name}` cannot be had"
    if wanted.name == FLOW:
        what = "The image of the flow cannot be had"
    text = resolve(
        what,
        wanted.python,
        wanted.requirements,
        constraints=[f"{name}=={number}" for name, number in sorted(wanted.versions.items())],
        fix=_FIX if wanted.versions else None,
    )
    # folders of this machine are not there when the image is built
    lines = (line for line in text.splitlines(True) if not line.startswith("--find-links /"))
    return Lock(wanted.name, wanted.python, asked, "".join(lines))


def _check_own(path: Path) -> None:
    """Raise where somebody else has written a file that an export is to write."""
    if path.is_file() and MARK.removeprefix("# ") not in path.read_text(encoding="utf-8")[:200]:
        raise user_error(
            "NBF409",
            f"{path} is there and is not of an earlier export.",
            "Write to another folder, or move it away.",
        )


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _name(requirement: str) -> str:
    return _plain(re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0])


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
