"""Images of environments: built as the export says and run in pods; what one lacks is named."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubeimage import debian_layer
from kubenode import load_image
from kuberun import error_of, settings_of

from nbcompile.compile import compile_notebook
from nbflow.engines.kubernetes import KubernetesEngine
from nbflow.environments.uv import find_uv
from nbflow.errors import UserError
from nbflow.images.export import export_image
from nbflow.runtime.request import RunRequest
from nbflow.runtime.run import run_flow
from nbflow.store.records import RunRecord

NOTEBOOK = """
# %%
# nbflow: environment old "tomli<2"

# %%
# nbflow: step load
rows = [1, 2]

# %%
# nbflow: step old --env old
import importlib
from importlib.metadata import version
importlib.import_module("tomli")
made = version("tomli")
total = sum(rows)

# %%
# nbflow: step after
said = f"{made} {total}"
"""


def run(kube: Any, folder: Path, image: str) -> RunRecord:
    """Run the notebook, its environment's step in this image."""
    notebook = folder / "shop.py"
    notebook.write_text(NOTEBOOK)
    table = settings_of(kube, folder, images={"old": image})
    request = RunRequest(notebook, store=folder, on="kubernetes", settings=table)
    return run_flow(request, None, KubernetesEngine())


def test_a_module_that_the_image_of_an_environment_lacks(kube: Any, tmp_path: Path) -> None:
    error = error_of(run(kube, tmp_path, kube.image))
    assert (error["type"], error["step"], error["cell"]) == ("ModuleNotFoundError", "old", 2)
    assert error["message"] == (
        f"No module named 'tomli': the image {kube.image} that `old` runs in lacks it. Add it: "
        "%environment old tomli, and build the image of the environment again: "
        "`nbflow export NOTEBOOK --to image`."
    )


@pytest.fixture
def buildah(tmp_path: Path) -> Iterator[list[str]]:
    """The command, with images of its own: a base with Python, and uv."""
    if not os.environ.get("NBFLOW_TEST_BUILDS"):
        pytest.skip("takes minutes: NBFLOW_TEST_BUILDS=1 has it run")
    if shutil.which("buildah") is None:
        pytest.skip("buildah is not installed")
    place = tmp_path / "images"
    words = ["buildah", "--root", f"{place}/store", "--runroot", f"{place}/run"]
    context = place / "context"
    context.mkdir(parents=True)
    shutil.copy(find_uv(), context / "uv")
    os.link(debian_layer(), context / "debian.tar")
    # what this machine trusts: an index may be behind a gate of its own
    trusted = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    shutil.copy(trusted, context / "trusted.crt")
    (context / "Dockerfile").write_text(
        "FROM scratch AS uv\nCOPY uv /uv\nFROM scratch AS base\nADD debian.tar /\n"
        "COPY trusted.crt /etc/trusted.crt\nENV SSL_CERT_FILE=/etc/trusted.crt "
        "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
    )
    for name in ("uv", "base"):
        _do(*words, "build", "--isolation", "chroot", "--target", name, "-t", name, context)
    yield words
    subprocess.run(["umount", "--recursive", place / "store" / "overlay"], check=False)
    shutil.rmtree(place)


@pytest.mark.timeout(600, func_only=True)
def test_an_image_is_built_as_the_export_says(
    kube: Any, cluster: Any, tmp_path: Path, real_node: None, buildah: list[str]
) -> None:
    folder = tmp_path / "notebook"
    folder.mkdir()
    (folder / "shop.py").write_text(NOTEBOOK)
    package = compile_notebook(folder / "shop.py").package
    assert package is not None
    try:
        said = export_image(package, folder / "out")
    except UserError as error:
        if "cannot be reached" in str(error):
            pytest.skip("no package index can be reached")
        raise
    found = re.search(r"docker (build --target env-old -t REGISTRY/(\S+) .*)", said)
    assert found is not None
    words = found[1].replace("REGISTRY", "localhost").split()
    name, *rest = words
    bases = ["BASE_OLD=localhost/base", "BASE=localhost/base", "UV=localhost/uv"]
    given = [word for one in bases for word in ("--build-arg", one)]
    isolated = ["--isolation", "chroot", "--network", "host"]
    _do(*buildah, name, *isolated, *given, *rest)
    image, archive = f"localhost/{found[2]}", tmp_path / "image.tar"
    _do(*buildah, "push", image, f"oci-archive:{archive}:{image}")
    load_image(Path(cluster.containerd), archive)
    archive.unlink()
    ended = run(kube, folder, image)
    assert (ended.status, ended.error) == ("succeeded", None)
    assert re.fullmatch(r"1\.\d+\.\d+ 3", ended.metrics["said"])


def _do(*words: object) -> None:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
