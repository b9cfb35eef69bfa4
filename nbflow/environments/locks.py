"""Locks: the environments of a flow, each brought down to exact distributions with their hashes."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from nbcompile.environments import requirement_name
from nbflow.environments.cache import cache_folder, put_text
from nbflow.environments.uv import call_uv, usual_index

#: what a task needs beside nbflow itself where the store is at such an address
_DRIVERS = {
    "postgresql": ("psycopg[binary]",),
    "s3": ("fsspec", "s3fs"),
    "gs": ("fsspec", "gcsfs"),
    "az": ("fsspec", "adlfs"),
    "abfs": ("fsspec", "adlfs"),
}


@dataclass(frozen=True, slots=True)
class Lock:
    """An environment as it is built: the same text gives the same distributions anywhere."""

    name: str
    #: `3.12`
    python: str
    #: hash of what was asked for: an equal one has no need to be resolved again
    asked: str
    #: a requirements file with hashes, and the indexes where they are found
    text: str

    @property
    def id(self) -> str:
        """What identifies the environment's content, in names of folders and in cache keys."""
        # where things come from makes no difference: their hashes are there
        lines = (line for line in self.text.splitlines() if line and not line.startswith("--"))
        content = "\n".join((self.python, *lines))
        return blake2b(content.encode(), digest_size=10).hexdigest()


def lock_environments(
    manifest: Mapping[str, Any],
    addresses: Sequence[str | None],
    earlier: Iterable[Lock] = (),
    folder: Path | None = None,
) -> dict[str, Lock]:
    """The locks of the environments that steps of a flow name, by name.

    ``earlier`` are those of the flow's last run: as long as nothing else is asked for they hold.
    ``addresses`` are those of the store and of its values; ``folder`` is the notebook's, whose
    configuration uv follows. Raises a `UserError` with uv's reason.
    """
    known = {one.asked: one for one in earlier}
    used = {step.get("env") for step in manifest["steps"]}
    locks: dict[str, Lock] = {}
    for one in manifest.get("environments", ()):
        if one["name"] in used:
            python = one["python"] or ".".join(platform.python_version_tuple()[:2])
            requirements = with_runtime(one["requirements"], addresses)
            locks[one["name"]] = _lock(one["name"], python, requirements, known, folder)
    return locks


def with_runtime(requirements: Sequence[str], addresses: Sequence[str | None]) -> list[str]:
    """The requirements with those of nbflow's own that a task has, where the user names none."""
    schemes = {urlsplit(one).scheme for one in addresses if one is not None}
    own = [f"cloudpickle=={version('cloudpickle')}"]
    own += [one for scheme in sorted(schemes) for one in _DRIVERS.get(scheme, ())]
    given = {requirement_name(one) for one in requirements}
    return [*requirements, *(one for one in own if requirement_name(one) not in given)]


def resolve(
    what: str,
    python: str,
    requirements: Sequence[str],
    folder: Path | None = None,
    *,
    constraints: Sequence[str] = (),
    fix: str | None = None,
) -> str:
    """The requirements as exact versions with hashes, for every platform.

    An index of the user's own is named there too, without a password: each machine has its own.
    ``constraints`` hold for what is needed besides. ``what`` begins the sentence of a `UserError`,
    and ``fix`` ends it.
    """
    words = ["pip", "compile", "-", "--universal", "--generate-hashes", "--no-annotate"]
    words += ["--no-header", "--emit-index-url", "--emit-find-links"]
    words += ["--python-version", python, "--quiet"]
    with TemporaryDirectory() as aside:
        if constraints:
            file = Path(aside) / "constraints.txt"
            file.write_text("\n".join(constraints))
            words += ["--constraints", str(file)]
        text = call_uv(words, what, "\n".join(requirements) + "\n", folder, fix)
    return clean(text, folder, usual_index())


def clean(text: str, folder: Path | None = None, usual: str | None = None) -> str:
    """A lock as it may be kept: no passwords, no relative paths, not the index of every uv."""
    lines = []
    for line in text.splitlines():
        option, _, place = line.partition(" ")
        if not line or (option == "--index-url" and place == usual):
            continue
        if option in ("--index-url", "--extra-index-url", "--find-links"):
            place = re.sub(r"^(\w+://)[^/@\s]*@", r"\1", place)
            if folder is not None and "://" not in place:
                place = str((folder / place).resolve())
            line = f"{option} {place}"
        lines.append(line)
    return "".join(f"{line}\n" for line in lines)


def _lock(
    name: str,
    python: str,
    requirements: Sequence[str],
    known: Mapping[str, Lock],
    folder: Path | None,
) -> Lock:
    content = json.dumps([python, sorted(requirements)])
    asked = blake2b(content.encode(), digest_size=10).hexdigest()
    if asked in known:
        return Lock(name, python, asked, known[asked].text)
    kept = cache_folder() / "locks" / f"{asked}.txt"
    if not kept.is_file():
        what = f"The environment `{name}` cannot be had"
        put_text(kept, resolve(what, python, requirements, folder))
    return Lock(name, python, asked, kept.read_text(encoding="utf-8"))


def locks_to_json(locks: Mapping[str, Lock]) -> dict[str, Any]:
    """The locks as a run records them."""
    return {name: asdict(lock) for name, lock in sorted(locks.items())}


def locks_from_json(recorded: Mapping[str, Any]) -> dict[str, Lock]:
    """The locks in what a run has recorded of its environment."""
    return {name: Lock(**one) for name, one in recorded.get("environments", {}).items()}


def identities(manifest: Mapping[str, Any], locks: Mapping[str, Lock]) -> dict[str, str]:
    """What results of steps depend on, by the environment that the steps name.

    Where others make the environment, an image say, it is what the notebook asks for.
    """
    found = {}
    for one in manifest.get("environments", ()):
        content = json.dumps([one["python"], sorted(one["requirements"])])
        found[one["name"]] = blake2b(content.encode(), digest_size=10).hexdigest()
    return found | {name: lock.id for name, lock in locks.items()}


def flat(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """What a run has recorded of its environment, a line for each fact, to be compared."""
    rest = {n: v for n, v in recorded.items() if n not in ("packages", "environments")}
    others = {
        f"{name}: {one}": number
        for name, lock in locks_from_json(recorded).items()
        for one, number in {"python": lock.python, **distributions(lock)}.items()
    }
    return {**rest, **(recorded.get("packages") or {}), **others}


def distributions(lock: Lock) -> dict[str, str]:
    """The versions in a lock, by distribution."""
    lines = (line.split(";")[0].strip(" \\") for line in lock.text.splitlines())
    pairs = (line.split("==") for line in lines if "==" in line and not line.startswith("-"))
    return {name.strip(): number.strip() for name, number in pairs}
