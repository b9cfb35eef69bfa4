"""Built environments: once a machine, whole or not at all, with nbflow and nothing else of here."""

from __future__ import annotations

import platform
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from wheels import module_wheel

from nbflow.environments.build import build, host_command, is_built
from nbflow.environments.cache import cache_folder
from nbflow.environments.locks import Lock, resolve
from nbflow.errors import UserError

HERE = ".".join(platform.python_version_tuple()[:2])


def locked(*requirements: str, python: str = HERE) -> Lock:
    return Lock("old", python, "asked", resolve("x", python, requirements))


def printed(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_an_environment_is_built_once(wheels: Path) -> None:
    module_wheel(wheels, "lathe", "1.5")
    lock = locked("lathe", "cloudpickle")
    assert not is_built(lock)
    pythons: list[Path] = []
    threads = [threading.Thread(target=lambda: pythons.append(build(lock))) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert is_built(lock)
    assert pythons == [cache_folder() / f"old-{lock.id}" / "bin" / "python"] * 3
    assert printed([str(pythons[0]), "-c", "import lathe; print(lathe.__version__)"]) == "1.5\n"
    module_wheel(wheels, "lathe", "1.6").unlink()
    assert build(lock) == pythons[0]
    names = {one.name for one in cache_folder().iterdir()}
    assert names == {f"old-{lock.id}", f".old-{lock.id}.lock"}


def test_a_host_in_it_has_nbflow_and_nothing_else_of_here(wheels: Path) -> None:
    module_wheel(wheels, "lathe", "1.5")
    python, *words = host_command(locked("lathe", "cloudpickle"))
    assert words[:2] == ["-P", "-c"]
    probe = (
        "import sys; sys.path.append(sys.argv[1]); import nbflow.engines.host, nbcompile; import "
        "importlib.util as u; print([n for n in ('lathe', 'dask', 'click') if u.find_spec(n)])"
    )
    assert printed([python, "-P", "-c", probe, words[3]]) == "['lathe']\n"


def test_what_cannot_be_built_leaves_nothing(wheels: Path, tmp_path: Path) -> None:
    module_wheel(wheels, "lathe", "1.5")
    lock = locked("lathe")
    # somebody has put something else there
    module_wheel(wheels, "lathe", "1.5", needs=["chuck"])
    shutil.rmtree(tmp_path / "uv")
    with pytest.raises(UserError) as caught:
        build(lock)
    (said,) = caught.value.diagnostics
    assert said.code == "NBF409"
    assert said.message.startswith("The environment `old` cannot be built: ")
    assert "Hash mismatch for `lathe==1.5`" in said.message
    assert not is_built(lock)
    assert [one.name for one in cache_folder().iterdir()] == [f".old-{lock.id}.lock"]


def test_a_python_that_is_not_here(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = Lock("old", "3.99", "asked", "")
    with pytest.raises(UserError) as caught:
        build(lock)
    (said,) = caught.value.diagnostics
    assert said.message.startswith("The environment `old` cannot be built: its Python is not here.")
    assert "3.99" in said.message
    assert said.fix == "Install that Python, or take another: %environment NAME --python VERSION."
