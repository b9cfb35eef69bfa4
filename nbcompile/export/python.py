"""The Python exporter: a package as a folder of files, byte for byte what runs."""

from __future__ import annotations

import json
from pathlib import Path

from nbcompile.diagnostics import Diagnostic
from nbcompile.emit.package import Package


class ExportError(Exception):
    """The package cannot be written there; ``diagnostics`` say why."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic)
        self.diagnostics = (diagnostic,)

    def __str__(self) -> str:
        return f"{self.diagnostics[0].message} {self.diagnostics[0].fix}"


def export_python(package: Package, out_dir: str | Path) -> Path:
    """Write the package's files under a folder; what an earlier export left of it is removed.

    Files that no export of this package wrote stay as they are: `flow.json` lists those that one
    did, and an `ExportError` says where another one is in the way.
    """
    folder = Path(out_dir)
    earlier = _earlier(folder, package)
    for name, text in package.files.items():
        _check_own(folder / name, text, name in earlier, package.name)
    _remove(folder, earlier - set(package.files))
    for name, text in package.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return folder


def _earlier(folder: Path, package: Package) -> set[str]:
    """The files that an earlier export of the package has written."""
    manifest = f"{package.name}/flow.json"
    try:
        return {manifest, *json.loads((folder / manifest).read_text(encoding="utf-8"))["files"]}
    except (OSError, ValueError, KeyError):
        return set()


def _check_own(path: Path, text: str, ours: bool, name: str) -> None:
    """Raise where somebody else has written a file that the export is to write."""
    if ours or not path.exists() or (path.is_file() and path.read_bytes() == text.encode()):
        return
    raise ExportError(
        Diagnostic(
            "NBF409",
            "error",
            f"{path} is there and is not of an earlier export of `{name}`.",
            fix="Write to another folder, or move it away.",
        )
    )


def _remove(folder: Path, names: set[str]) -> None:
    for name in names:
        path = folder / name
        if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
            path.unlink()
