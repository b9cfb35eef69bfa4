"""The container images of the tests, made without a container tool.

The task image has three layers, each kept by the hash of what it holds: Debian with Python 3.11, the
packages as they are installed beside the tests, and, small and last, nbflow as it stands in the checkout.
All of it is compiled, as in an image that `nbflow export --to image` describes: else each pod would do it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import py_compile
import shutil
import subprocess
import tarfile
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from kubecache import cache, locked, prune
from kubenode import image_names, load_image, search_path
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
NAME = "localhost/nbflow"
PAUSE = "localhost/pause:1"
#: what pods need of nbflow's extras, and one of them is Dask's operator
EXTRAS = ("data", "s3", "postgres", "kubernetes")
OPERATOR = "dask-kubernetes"

_SITE = "usr/local/lib/python3.11/dist-packages"
_DEBIAN = (
    *("mmdebstrap", "--quiet", "--mode=root", "--variant=essential"),
    "--include=python3,ca-certificates,procps,libstdc++6,libgomp1",
    *("--aptopt=APT::Install-Recommends false", "--dpkgopt=path-exclude=/usr/share/doc/*"),
    *("--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*"),
    "bookworm",
)
_SCRIPT = """\
#!/usr/bin/python3
import sys
from {module} import {function}
if __name__ == "__main__":
    sys.exit({function}())
"""


def images() -> list[Path]:
    """The archives that a node is started with; made where they are missing."""
    with locked("images"):
        made = [_pause(), _base()]
        prune()
        return made


def code_image(containerd: Path) -> str:
    """The task image with nbflow as it stands now: makes it and gives it to the node; its name."""
    with locked("images"):
        layer = _code()
        name = f"{NAME}:{layer.stem.removeprefix('layer-code-')}"
        archive = layer.with_name(layer.name.replace("layer-code", "image-code"))
        if not archive.exists():
            # the node has the other layers from the base image
            _write_image(archive, name, [_debian(), _packages(), layer], holds=[layer])
        if _base_name() not in image_names(containerd):  # packages were installed since it started
            load_image(containerd, _base())
        load_image(containerd, archive)
        prune()
    return name


def code_hash() -> str:
    """What the code in the checkout is known by."""
    text = f"{_SCRIPT} compiled"
    found = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + text.encode())
    for path, inside in _files_of_code():
        found.update(inside.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:12]


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def _files_of_code() -> Iterator[tuple[Path, str]]:
    for room in _project()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        folder = ROOT / room
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".map":
                yield path, f"{folder.name}/{path.relative_to(folder)}"


def _kept(name: str, make: Callable[[Path], None]) -> Path:
    """The file of this name in the cache; made whole or not at all."""
    place = cache() / name
    if place.exists():
        os.utime(place)  # those that were not used for longest are the first to go
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        half = place.with_name(place.name + ".half")
        make(half)
        half.rename(place)
    return place


def _pause() -> Path:
    """What holds a pod's namespaces open: Debian's small init."""

    def make(place: Path) -> None:
        layer = place.with_suffix(".layer")
        with tarfile.open(layer, "w") as file:
            path = shutil.which("catatonit", path=search_path())
            assert path is not None
            entry = file.gettarinfo(os.path.realpath(path), "catatonit")
            with open(os.path.realpath(path), "rb") as data:
                file.addfile(entry, data)
        _write_image(place, PAUSE, [layer], command=["/catatonit", "-P"])
        layer.unlink()

    return _kept("image-pause.tar", make)


def debian_layer() -> Path:
    """Debian with Python, as an archive of files; made where it is missing."""
    with locked("images"):
        return _debian()


def _debian() -> Path:
    key = hashlib.sha256(repr(_DEBIAN).encode()).hexdigest()[:12]

    def make(place: Path) -> None:
        whole = place.with_suffix(".tar")
        # a mirror that does not answer is no reason to wait for ever
        command = ["timeout", "--kill-after=10", "600", *_DEBIAN, str(whole)]
        path = {"PATH": search_path()}
        subprocess.run(command, check=True, env=os.environ | path, stdin=subprocess.DEVNULL)
        whole.rename(place)

    return _kept(f"layer-debian-{key}.tar", make)


def _packages() -> Path:
    distributions = _closure()
    names = "\n".join(f"{one.name} {one.version}" for one in distributions)
    key = hashlib.sha256((names + _SITE + _SCRIPT + "compiled").encode()).hexdigest()[:12]

    def make(place: Path) -> None:
        with tarfile.open(place, "w") as file:
            for one in distributions:
                _add_distribution(file, one)
            _add_link(file, "usr/local/bin/python", "/usr/bin/python3")

    return _kept(f"layer-packages-{key}.tar", make)


def _base_name() -> str:
    return f"{NAME}-base:{_packages().stem.removeprefix('layer-packages-')}"


def _base() -> Path:
    layers = [_debian(), _packages()]
    key = hashlib.sha256(str(layers).encode()).hexdigest()[:12]
    return _kept(f"image-base-{key}.tar", lambda place: _write_image(place, _base_name(), layers))


def _code() -> Path:
    project = _project()["project"]
    scripts = dict(project["scripts"])
    groups = {"console_scripts": scripts, **project["entry-points"]}
    lines = [
        line
        for group, points in groups.items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in points.items()), "")
    ]
    about = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    info = f"{_SITE}/nbflow-{project['version']}.dist-info"

    def make(place: Path) -> None:
        with tarfile.open(place, "w") as file:
            for path, inside in _files_of_code():
                _add(file, f"{_SITE}/{inside}", path.read_bytes())
                if path.suffix == ".py":
                    folder, _, name = inside.rpartition("/")
                    compiled = f"{_SITE}/{folder}/__pycache__/{name}c"
                    _add(file, compiled.replace(".pyc", ".cpython-311.pyc"), _compiled(path))
            _add(file, f"{info}/METADATA", about.encode())
            _add(file, f"{info}/entry_points.txt", "\n".join(lines).encode())
            _add_scripts(file, scripts)

    return _kept(f"layer-code-{code_hash()}.tar", make)


def _compiled(path: Path) -> bytes:
    """What Python makes of a module, to be used whatever the time of the file."""
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    with tempfile.NamedTemporaryFile(suffix=".pyc") as file:
        py_compile.compile(str(path), file.name, path.name, True, invalidation_mode=unchecked)
        return Path(file.name).read_bytes()


def _closure() -> list[Distribution]:
    """The installed distributions that nbflow needs in a pod, by name."""
    project = _project()["project"]
    optional = project["optional-dependencies"]
    extras = (one for extra in EXTRAS for one in optional.get(extra, ()))
    wanted = [*project["dependencies"], *extras, OPERATOR]
    todo = [Requirement(text) for text in wanted]
    seen: set[tuple[str, frozenset[str]]] = set()
    found: dict[str, Distribution] = {}
    while todo:
        asked = todo.pop()
        if asked.name == project["name"]:
            continue
        key = (asked.name.lower().replace("_", "-"), frozenset(asked.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            found[key[0]] = one = distribution(asked.name)
        except PackageNotFoundError as error:
            raise RuntimeError(f"{asked.name} is not installed: `make test` does it") from error
        for text in one.requires or ():
            needed = Requirement(text)
            extras = asked.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": x}) for x in extras):
                todo.append(needed)
    return [found[name] for name in sorted(found)]


def _add_distribution(file: tarfile.TarFile, one: Distribution) -> None:
    for path in one.files or ():
        if ".." in path.parts or "tests" in path.parts:
            continue
        place = Path(str(one.locate_file(path)))
        if place.is_file():
            file.add(place, f"{_SITE}/{path}", filter=_as_compiled)
    points = one.entry_points.select(group="console_scripts")
    _add_scripts(file, {point.name: point.value for point in points})


def _as_compiled(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """With the time by which Python knows that what it has compiled is still right."""
    when = int(entry.mtime)
    entry = _owned_by_root(entry)
    entry.mtime = when
    return entry


def _owned_by_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = "root"
    return entry


def _add(file: tarfile.TarFile, name: str, data: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    file.addfile(entry, io.BytesIO(data))


def _add_link(file: tarfile.TarFile, name: str, target: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    file.addfile(entry)


def _add_scripts(file: tarfile.TarFile, points: dict[str, str]) -> None:
    for name, value in points.items():
        module, _, function = value.partition(":")
        text = _SCRIPT.format(module=module, function=function.split(" ")[0])
        _add(file, f"usr/local/bin/{name}", text.encode(), 0o755)


def _write_image(
    place: Path,
    name: str,
    layers: list[Path],
    *,
    command: list[str] | None = None,
    holds: list[Path] | None = None,
) -> None:
    """An OCI archive with these layers; those not in ``holds`` are only named."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    digests = [_digest(layer) for layer in layers]
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    config = {
        "architecture": machine,
        "os": "linux",
        "created": "2020-01-01T00:00:00Z",
        "config": {"Env": [f"PATH={path}"], "Cmd": command or ["/bin/sh"]},
        "rootfs": {"type": "layers", "diff_ids": digests},
        "history": [{"created": "2020-01-01T00:00:00Z"} for _ in layers],
    }
    kind = "application/vnd.oci.image."
    with tarfile.open(place, "w") as file:
        for layer, digest in zip(layers, digests, strict=True):
            if holds is None or layer in holds:
                file.add(layer, f"blobs/{digest.replace(':', '/')}", filter=_owned_by_root)
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{kind}manifest.v1+json",
            "config": _blob(file, f"{kind}config.v1+json", config),
            "layers": [
                {"mediaType": f"{kind}layer.v1.tar", "digest": digest, "size": layer.stat().st_size}
                for layer, digest in zip(layers, digests, strict=True)
            ],
        }
        entry = _blob(file, f"{kind}manifest.v1+json", manifest)
        entry["annotations"] = {"io.containerd.image.name": name}
        index = {"schemaVersion": 2, "manifests": [entry]}
        _add(file, "index.json", json.dumps(index).encode())
        _add(file, "oci-layout", b'{"imageLayoutVersion": "1.0.0"}')


def _blob(file: tarfile.TarFile, kind: str, value: Any) -> dict[str, Any]:
    data = json.dumps(value).encode()
    digest = hashlib.sha256(data).hexdigest()
    _add(file, f"blobs/sha256/{digest}", data)
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(data)}


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
