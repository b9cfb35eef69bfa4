"""Config: pyproject.toml, profiles, the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbflow.config import Config, load_config
from nbflow.errors import UserError


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NBFLOW_STORE", raising=False)
    monkeypatch.delenv("NBFLOW_PROFILE", raising=False)


def project(folder: Path, text: str) -> Path:
    (folder / "pyproject.toml").write_text(text)
    inner = folder / "notebooks" / "deep"
    inner.mkdir(parents=True)
    return inner


def test_nothing_configured(tmp_path: Path) -> None:
    assert load_config(project(tmp_path, "[project]\nname = 'x'\n")) == Config()


def test_the_nearest_file_that_speaks_of_nbflow(tmp_path: Path) -> None:
    text = '[tool.nbflow]\nstore = "kept"\non = "inline"\nmax-workers = 3\ntags = ["a"]\n'
    inner = project(tmp_path, text)
    (inner / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert load_config(inner) == Config(
        str(tmp_path / "kept"), on="inline", max_workers=3, tags=("a",)
    )


def test_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        '[tool.nbflow]\non = "inline"\nbranch = "b"\n[tool.nbflow.profiles.far]\non = "tcp://h:1"\n'
    )
    inner = project(tmp_path, text)
    assert load_config(inner, "far") == Config(on="tcp://h:1", branch="b")
    monkeypatch.setenv("NBFLOW_PROFILE", "far")
    assert load_config(inner).on == "tcp://h:1"
    with pytest.raises(UserError, match="the profiles there: far"):
        load_config(inner, "near")


def test_the_environment_names_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBFLOW_STORE", "/elsewhere")
    assert load_config(project(tmp_path, '[tool.nbflow]\nstore = "kept"\n')).store == "/elsewhere"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[tool.nbflow]\nstroe = "x"\n', "Did you mean 'store'?"),
        ('[tool.nbflow]\nmax-workers = "many"\n', "must be a whole number"),
        ("[tool.nbflow]\ntags = 'a'\n", "must be a list of texts"),
        ("[tool.nbflow\n", "is not valid TOML"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        load_config(project(tmp_path, text))
