"""The Python exporter: a package as a folder of files, byte for byte what runs."""

from __future__ import annotations

from pathlib import Path

from nbcompile.emit.package import Package


def export_python(package: Package, out_dir: str | Path) -> Path:
    """Write the package's files under a folder; what an earlier export left of it is removed.

    Files that no export wrote stay as they are: `flow.json` lists those that one did.
    """
    folder = Path(out_dir)
    _remove_earlier(folder, package)
    for name, text in package.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return folder


def _remove_earlier(folder: Path, package: Package) -> None:
    import json

    old = folder / package.name / "flow.json"
    if not old.is_file():
        return
    try:
        names = json.loads(old.read_text(encoding="utf-8"))["files"]
    except (ValueError, KeyError):
        return
    for name in names:
        path = folder / name
        if (
            name not in package.files
            and path.is_file()
            and path.resolve().is_relative_to(folder.resolve())
        ):
            path.unlink()
