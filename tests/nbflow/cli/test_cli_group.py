"""The group: help, cost, typos, exit statuses."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from nbflow.cli import group
from nbflow.cli.group import VERBS, call, nbflow

DOCS = Path(__file__).parents[3] / "docs" / "cli.md"


@pytest.mark.parametrize("verb", VERBS)
def test_the_list_of_verbs_says_what_the_verbs_say(verb: str) -> None:
    command = import_module(f"nbflow.cli.{verb}").command
    assert command.name == verb
    assert command.get_short_help_str(100) == VERBS[verb]
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert parameter.help or isinstance(parameter.type, click.Choice), parameter.name


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_short(verb: str) -> None:
    source = import_module(f"nbflow.cli.{verb}").__file__
    assert source is not None
    assert len(Path(source).read_text().splitlines()) < 150


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from nbflow.cli.group import call; call(['--help']);"
        "print(sorted({m.partition('.')[0] for m in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = [
        "pandas",
        "numpy",
        "distributed",
        "dask",
        "rich",
        "IPython",
        "yaml",
        "sqlite3",
        "cloudpickle",
    ]
    assert not [name for name in heavy if f"'{name}'" in done.stderr]
    assert all(f"  {verb} " in done.stdout for verb in VERBS)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rnu"], "Did you mean 'run'?"),
        (["churn.ipynb"], "Did you mean `nbflow run churn.ipynb`?"),
        (["runs", "--jsn"], "Did you mean '--json'?"),
        (["show"], "Missing argument 'PATH'"),
        (["run", "a.ipynb", "-p", "alpha=1"], "two words: -p alpha 1, not alpha=1."),
        (["run", "-p", "alpha=1", "-p", "b=x y", "a.ipynb"], "two words: -p alpha 1, not alpha=1."),
        (["run", "a.ipynb", "--param", "b=x y", "--json"], "two words: -p b 'x y', not b=x y."),
        (
            ["run", "a.ipynb", "--tag", ""],
            "Invalid value for '--tag': '' is no short printable text.",
        ),
        (["tag", "churn/1", "a\nb"], "'a\\nb' is no short printable text."),
        (["runs", "-n", "0"], "0 is not in the range x>=1"),
        (["frobnicate"], "There is no command 'frobnicate'"),
    ],
)
def test_typos(capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    assert call(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert "--help` shows" in err


def test_no_command_is_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert call([]) == 0
    assert "Commands:" in capsys.readouterr().out


@pytest.mark.parametrize("where", ["click", "nbflow.cli.runs"])
def test_ctrl_c_while_modules_are_imported(where: str) -> None:
    code = (
        "import sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, path, target=None):\n"
        f"        if name == {where!r}: raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from nbflow.cli import main\n"
        "main(['runs'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "Interrupted.")


def test_our_own_mistake(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("x")

    monkeypatch.setattr(nbflow, "main", broken)
    assert call(["runs"]) == group.OURS
    assert "--debug" in capsys.readouterr().err
    with pytest.raises(ZeroDivisionError):
        call(["runs", "--debug"])


def test_the_reference_page_has_every_option() -> None:
    text = DOCS.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## `nbflow (\w+)`\n(.*?)(?=^## |\Z)", text, re.S | re.M))
    assert list(sections) == list(VERBS)
    for verb, section in sections.items():
        command = import_module(f"nbflow.cli.{verb}").command
        known = {
            name
            for parameter in command.params
            if isinstance(parameter, click.Option) and not parameter.hidden
            for name in parameter.opts
            if name.startswith("--")
        } - {"--debug", "--store"}
        written = set(re.findall(r"`(--[a-z-]+)", section)) - {"--debug", "--store", "--help"}
        assert written == known, verb
