"""Request: what is to be run and how, and the code that it comes down to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbflow.errors import UserError, user_error
from nbflow.store.records import RunRecord

if TYPE_CHECKING:
    from nbcompile.diagnostics import Diagnostic
    from nbflow.store import Store


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Everything that `nbflow run` and `nbflow resume` can say."""

    #: the notebook, or the folder of an exported package; None to run again what was resumed, or
    #: a version that the store has
    target: str | Path | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    on: str = "dask"
    max_workers: int | None = None
    #: what the configuration says of the engine
    settings: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    branch: str | None = None
    variants: Mapping[str, str] = field(default_factory=dict)
    cache: bool = True
    #: run this step and all after it, whatever the cache has
    start_from: str | None = None
    #: path of the run to go on from
    resume_of: str | None = None
    #: where the store is; None for the one that serves the notebook's folder
    store: str | Path | None = None
    #: where the store keeps its values if it is a new one; None: in its folder
    objects: str | None = None
    #: for the random generators; one is drawn where it is None
    seed: int | None = None
    #: a compiled version that the store has, in place of a target
    version: str | None = None
    #: what the run is known by to the one that has it made
    mark: str | None = None

    def options(self) -> dict[str, Any]:
        """What a driver that takes the run over has to know and nothing else of the run tells."""
        return {
            "cache": self.cache,
            "from": self.start_from,
            "mark": self.mark,
            "max_workers": self.max_workers,
            "seed": self.seed,
            "settings": dict(self.settings),
            "variants": dict(self.variants),
        }


@dataclass(frozen=True, slots=True)
class Code:
    """A compiled flow, whichever way it was come by."""

    version: str
    manifest: dict[str, Any]
    files: dict[str, str]
    notebook: bytes
    #: the notebook's file, or what stands for it
    path: str
    #: what the compiler has to say of the notebook; no errors
    diagnostics: tuple[Diagnostic, ...] = ()


def target_code(request: RunRequest) -> Code:
    """The code of a notebook or a package; a `UserError` has all that is wrong with it."""
    path = Path(request.target or "")
    return _exported(path) if path.is_dir() else _compiled(path, request)


def resumed_code(request: RunRequest, store: Store, parent: RunRecord) -> Code:
    """The code of a run: of its notebook as that is now, where there still is one."""
    if Path(parent.notebook).is_file():
        return _compiled(Path(parent.notebook), request)
    return stored_code(parent.version, store, parent.notebook)


def stored_code(version: str, store: Store, path: str | None = None) -> Code:
    """The code of a version that the store has; ``path`` is where its notebook was, if known."""
    found = store.version(version)
    place = found.manifest["notebook"] if path is None else path
    return Code(found.version, found.manifest, found.files, found.notebook, place)


def _compiled(path: Path, request: RunRequest) -> Code:
    from nbcompile import compile_notebook
    from nbcompile.diagnostics import in_order
    from nbcompile.notebook import NotebookError

    try:
        compiled = compile_notebook(path, dict(request.variants))
    except NotebookError as error:
        raise UserError(error.diagnostics) from None
    package = compiled.package
    if package is None:
        raise UserError(d for d in in_order(compiled.diagnostics) if d.severity == "error")
    return Code(
        package.version,
        dict(package.manifest),
        dict(package.files),
        path.read_bytes(),
        str(path.resolve()),
        in_order(compiled.diagnostics),
    )


def _exported(folder: Path) -> Code:
    """The code in the folder of an exported package, as it stands there."""
    manifests = sorted(folder.glob("*/flow.json"))
    if not manifests:
        raise user_error(
            "NBF101",
            f"{folder} is neither a notebook nor an exported package: it has no flow.json.",
            "Name a notebook, or the folder that `nbflow export` has written.",
        )
    manifest = json.loads(manifests[0].read_text(encoding="utf-8"))
    files = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in (".py", ".json", ".toml", ".md")
    }
    return Code(manifest["version"], manifest, files, b"", str(folder.resolve() / "package"))
