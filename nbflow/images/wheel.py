"""Wheel: nbflow as it runs here, for images: no index has what stands in a checkout."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

import nbcompile
import nbflow

#: the same files give the same bytes
_WHEN = (2020, 1, 1, 0, 0, 0)


def is_released() -> bool:
    """Whether this nbflow came from an index, where others can have it too."""
    found = distribution("nbflow")
    return found.read_text("direct_url.json") is None and "dev" not in found.version


def requirements(extras: tuple[str, ...]) -> list[str]:
    """What nbflow and these extras of it need, for any platform."""
    from packaging.requirements import Requirement

    found = []
    for text in distribution("nbflow").requires or ():
        one = Requirement(text)
        wanted = one.marker is None or any(one.marker.evaluate({"extra": x}) for x in ("", *extras))
        if wanted and one.name != "nbflow":
            one.marker = None
            found.append(str(one))
    return found


def write_wheel(folder: Path) -> str:
    """Write the wheel into a folder; returns its file name. It holds what runs a flow's steps."""
    found = distribution("nbflow")
    name = f"nbflow-{found.version}-py3-none-any.whl"
    info = f"nbflow-{found.version}.dist-info"
    files = {
        f"{room.name}/{path.relative_to(room)}": path.read_bytes()
        for room in (Path(str(one.__file__)).parent for one in (nbflow, nbcompile))
        for path in sorted(room.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    files[f"{info}/METADATA"] = (found.read_text("METADATA") or "").encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{info}/entry_points.txt"] = _entry_points(found).encode()
    lines = [f"{path},sha256={_hash(data)},{len(data)}\n" for path, data in files.items()]
    files[f"{info}/RECORD"] = "".join([*lines, f"{info}/RECORD,,\n"]).encode()
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(path, _WHEN), data, zipfile.ZIP_DEFLATED)
    return name


def _entry_points(found: Distribution) -> str:
    """Those that lie in the wheel's rooms."""
    groups: dict[str, list[str]] = {}
    for one in found.entry_points:
        if one.module.partition(".")[0] in ("nbflow", "nbcompile"):
            groups.setdefault(one.group, []).append(f"{one.name} = {one.value}")
    parts = (["[" + group + "]", *sorted(lines), ""] for group, lines in sorted(groups.items()))
    return "\n".join(line for part in parts for line in part)


def _hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
