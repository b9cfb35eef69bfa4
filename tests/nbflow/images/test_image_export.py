"""Images: the Dockerfile that is written, its locks, and that its commands build what runs."""

from __future__ import annotations

import platform
import re
import shlex
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest
from wheels import installed_wheel, make_wheel, module_wheel, offline

from nbcompile.compile import compile_notebook
from nbcompile.environments import requirement_name
from nbflow.environments.locks import Lock, distributions
from nbflow.environments.uv import find_uv
from nbflow.errors import UserError
from nbflow.images.export import EXTRAS, export_image
from nbflow.images.render import FLOW, Stage, commands, dockerfile, readme
from nbflow.images.wheel import requirements

GOLDEN = Path(__file__).parent / "golden"
HERE = ".".join(platform.python_version_tuple()[:2])
#: what `python -m nbflow` imports at once: there as it is, the others by name only
REAL = ("click",)
NOTEBOOK = """
# %%
# nbflow: environment old "lathe<2"

# %%
# nbflow: step load --env old
import lathe
rows = lathe.__version__

# %%
# nbflow: step after
print(rows)
"""


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All that nbflow needs, as wheels in a folder."""
    folder = offline(tmp_path, monkeypatch)
    for name in {requirement_name(one) for one in (*requirements(EXTRAS), "pip")}:
        file = name.replace("-", "_")
        if name in REAL:
            installed_wheel(folder, name)
        elif name != "cloudpickle":
            make_wheel(folder, file, version(name), {f"{file}/__init__.py": b""})
    for number in ("1.5", "2.0"):
        module_wheel(folder, "lathe", number)
    monkeypatch.chdir(tmp_path)
    return folder


def export(folder: Path, text: str = NOTEBOOK) -> str:
    notebook = folder / "shop.py"
    notebook.write_text(text)
    package = compile_notebook(notebook).package
    assert package is not None
    return export_image(package, folder / "out")


def test_the_dockerfile_and_how_to_build_it() -> None:
    stages = [Stage("Old_1", "3.12", "0a1b2c3d4e5f"), Stage(FLOW, "3.11", "5f4e3d2c1b0a")]
    written = {
        "Dockerfile": dockerfile("Shop & Co", stages, "0.13.8", "nbflow-1.0-py3-none-any.whl"),
        "README.md": readme("Shop & Co", stages),
        "released/Dockerfile": dockerfile("shop", stages[1:], "0.13.8", None),
        "released/README.md": readme("shop", stages[1:]),
    }
    kept = {name: (GOLDEN / name).read_text() for name in written}
    assert written == kept


def test_an_export_locks_every_environment(wheels: Path, tmp_path: Path) -> None:
    said = export(tmp_path)
    out = tmp_path / "out"
    texts = {path.name: path.read_text() for path in out.glob("*.txt")}
    assert texts.keys() == {"requirements.txt", "requirements-old.txt"}
    held = {name: distributions(Lock("", "", "", text)) for name, text in texts.items()}
    needed = {requirement_name(one) for one in (*requirements(EXTRAS), "pip")}
    assert held["requirements.txt"].keys() == needed
    assert {"click", "kubernetes", "psycopg", "s3fs", "pip"} <= needed
    assert held["requirements-old.txt"] == held["requirements.txt"] | {"lathe": "1.5"}
    assert all("--hash=sha256:" in text and str(wheels) not in text for text in texts.values())
    tags = re.findall(r"-t REGISTRY/(\S+) ", said)
    assert [tag.partition(":")[0] for tag in tags] == ["shop-old", "shop"]
    assert f'images = {{ old = "REGISTRY/{tags[0]}" }}' in said
    assert all(tag in (out / "README.md").read_text() for tag in tags)


def test_a_lock_stays_until_something_else_is_asked_for(wheels: Path, tmp_path: Path) -> None:
    first = export(tmp_path)
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    module_wheel(wheels, "lathe", "1.6")
    assert export(tmp_path, NOTEBOOK + "\nx = 1\n") == first
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    second = export(tmp_path, NOTEBOOK.replace("lathe<2", "lathe<1.9"))
    changed = [a != b for a, b in zip(first.splitlines(), second.splitlines(), strict=True)]
    # the image of the environment: where it is built, where it goes and where it is set
    assert sum(changed) == 3
    assert "lathe==1.6" in (tmp_path / "out" / "requirements-old.txt").read_text()


def test_what_the_image_gets_is_what_is_installed_here(wheels: Path, tmp_path: Path) -> None:
    make_wheel(wheels, "click", "99.0", {})
    export(tmp_path)
    lock = (tmp_path / "out" / "requirements.txt").read_text()
    assert distributions(Lock("", "", "", lock))["click"] == version("click")


def test_a_file_of_the_users_stays(wheels: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    mine = tmp_path / "out" / "Dockerfile"
    mine.write_text("FROM mine\n")
    with pytest.raises(UserError, match="Dockerfile is there and is not of an earlier export"):
        export(tmp_path)
    assert mine.read_text() == "FROM mine\n"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["Dockerfile"]


def test_a_version_that_no_index_has(wheels: Path, tmp_path: Path) -> None:
    (wheels / f"click-{version('click')}-py3-none-any.whl").unlink()
    with pytest.raises(UserError) as caught:
        export(tmp_path)
    (said,) = caught.value.diagnostics
    assert said.code == "NBF409"
    assert said.message.startswith("The image of the environment `old` cannot be had: ")


@pytest.mark.parametrize("target", ["env-old", "flow"])
def test_its_commands_build_what_runs_steps(wheels: Path, tmp_path: Path, target: str) -> None:
    export(tmp_path)
    root = tmp_path / "root"
    _perform(tmp_path / "out", root, target)
    python = root / "opt/venv/bin/python"
    probe = "import importlib.util as u, sys; print(bool(u.find_spec('lathe')), sys.version[:4])"
    printed = subprocess.run([python, "-c", probe], capture_output=True, text=True, check=True)
    assert printed.stdout == f"{target == 'env-old'} {HERE}\n"
    printed = subprocess.run(
        [python, "-m", "nbflow", "--version"], capture_output=True, text=True, check=True
    )
    assert printed.stdout == f"nbflow {version('nbflow')}\n"
    assert (root / "opt/venv/bin/nbflow").is_file()


def _perform(folder: Path, root: Path, target: str) -> None:
    """Do what one stage of the Dockerfile says, with `/opt` elsewhere and uv as it is here."""
    text = (folder / "Dockerfile").read_text().replace("\\\n", "")
    stage = text.partition(f"AS {target}\n")[2].partition("\nFROM ")[0]
    environment: dict[str, str] = {}
    for line in stage.splitlines():
        word, _, rest = line.replace("/opt/", f"{root}/opt/").partition(" ")
        if word == "COPY" and not rest.startswith("--from=uv "):
            *names, place = rest.split()
            Path(place).mkdir(parents=True)
            for name in names:
                (Path(place) / name).write_bytes((folder / name).read_bytes())
        elif word == "ENV":
            environment |= dict(pair.split("=", 1) for pair in shlex.split(rest))
        elif word == "RUN":
            words = [f"export {name}={value}" for name, value in environment.items()]
            words = [f"PATH={Path(find_uv()).parent}:$PATH", *words, rest]
            done = subprocess.run(
                ["bash", "-ec", "; ".join(words)], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
        else:
            assert word in ("", "#", "COPY"), line


def test_without_environments_there_is_one_image(wheels: Path, tmp_path: Path) -> None:
    said = export(tmp_path, "# %%\n# nbflow: step a\nx = 1\n")
    assert "images" not in said
    assert (tmp_path / "out" / "Dockerfile").read_text().count("\nFROM ") == 2
    assert commands("a b", [Stage(FLOW, "3.11", "12")], "out") == [
        "docker build -t REGISTRY/a-b:12 out",
        "docker push REGISTRY/a-b:12",
    ]
