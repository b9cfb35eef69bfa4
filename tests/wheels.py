"""Wheels made on the fly, so that environments are locked and built without a network."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from importlib.metadata import distribution
from pathlib import Path

import pytest


def make_wheel(
    folder: Path, name: str, version: str, files: Mapping[str, bytes], needs: Sequence[str] = ()
) -> Path:
    """A wheel of these files; the same ones give the same bytes."""
    place = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    about = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {one}" for one in needs)]
    more = {
        f"{info}/METADATA": "\n".join(["Metadata-Version: 2.1", *about, ""]).encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{one},,\n" for one in [*files, *more, f"{info}/RECORD"])
    with zipfile.ZipFile(place, "w") as archive:
        for one, data in {**files, **more, f"{info}/RECORD": record.encode()}.items():
            archive.writestr(zipfile.ZipInfo(one, (2020, 1, 1, 0, 0, 0)), data)
    return place


def module_wheel(folder: Path, name: str, version: str, needs: Sequence[str] = ()) -> Path:
    """A wheel of a module that knows its version, and of a class in it."""
    text = f'__version__ = "{version}"\n\n\nclass Thing:\n    made = "{version}"\n'
    return make_wheel(folder, name, version, {f"{name}.py": text.encode()}, needs)


def installed_wheel(folder: Path, name: str) -> Path:
    """A wheel of what is installed here: of pure Python, and without dependencies."""
    found = distribution(name)
    files = {
        str(one): Path(str(one.locate())).read_bytes()
        for one in found.files or ()
        if one.suffix == ".py" and ".." not in one.parts
    }
    return make_wheel(folder, name, found.version, files)


def offline(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """Let uv find nothing but the wheels of a folder, and keep what it builds beside them."""
    wheels = folder / "wheels"
    wheels.mkdir()
    patch.setenv("UV_OFFLINE", "1")
    patch.setenv("UV_FIND_LINKS", str(wheels))
    patch.setenv("UV_NO_CONFIG", "1")
    patch.setenv("UV_PYTHON_DOWNLOADS", "never")
    patch.setenv("UV_CACHE_DIR", str(folder / "uv"))
    patch.setenv("NBFLOW_CACHE", str(folder / "environments"))
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL"):
        patch.delenv(name, raising=False)
    installed_wheel(wheels, "cloudpickle")
    return wheels
