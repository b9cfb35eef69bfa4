"""Environments: what `%environment` lines say, what the package makes of them, what is refused."""

from __future__ import annotations

import tomllib

import pytest

from nbcompile.compile import Compiled, compile_cells
from nbcompile.environments import requirement_name
from nbcompile.flow import Environment
from nbcompile.notebook import parse_notebook


def compiled(*cells: str) -> Compiled:
    text = "\n".join(f"# %%\n{cell}" for cell in cells)
    return compile_cells(parse_notebook(text, "sample", ".py"), format=False)


def said(*cells: str) -> list[tuple[str, str, str | None]]:
    return [(d.code, d.message, d.fix) for d in compiled(*cells).diagnostics]


def test_lines_of_one_name_add_up() -> None:
    flow = compiled(
        '%environment heavy "torch >= 2" six --python 3.12  # why',
        "# nbflow: environment heavy requests[socks]",
        "%environment other",
        "%%step a --env heavy\nx = 1",
    ).flow
    assert flow.environments == (
        Environment("heavy", ("torch >= 2", "six", "requests[socks]"), "3.12"),
        Environment("other"),
    )
    assert flow.diagnostics == ()


def test_a_package_has_what_the_environments_steps_import_pinned() -> None:
    package = compiled(
        "import click\nimport yaml\nimport fsspec",
        '%environment heavy "click<9" six',
        "%%step a --env heavy\nx = click.style(yaml.dump(1))",
        "%%step b\ny = fsspec.filesystem('memory')",
    ).package
    assert package is not None
    import yaml

    requirements = ["click<9", "six", f"PyYAML=={yaml.__version__}"]
    assert package.manifest["environments"] == [
        {"name": "heavy", "requirements": requirements, "python": None}
    ]
    project = tomllib.loads(package.files["pyproject.toml"])
    assert project["dependency-groups"] == {"heavy": requirements}
    assert "%environment" not in "".join(package.files.values())


def test_another_requirement_is_another_version() -> None:
    def version(line: str) -> str:
        package = compiled(line, "%%step a --env heavy\nx = 1").package
        assert package is not None
        return package.version

    one = version("%environment heavy six")
    assert one == version("%environment heavy  six # the same")
    assert len({one, version("%environment heavy 'six<2'"), version("%environment heavy")}) == 3
    assert version("%environment heavy --python 3.11") != version("%environment heavy")


STEP = "%%step a --env heavy\nx = 1"


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("%environment heavi six", "NBF111", "The notebook describes no environment `heavy`."),
        ("%environment", "NBF107", "%environment has no name."),
        ("%environment 7up", "NBF107", "%environment has `7up` for a name."),
        (
            "%environment heavy --version 3",
            "NBF104",
            "%environment has no option `--version`.",
        ),
        (
            "%environment heavy --python 2.7",
            "NBF105",
            "The environment `heavy` is wrong: `--python 2.7` is not a version from 3.11 on.",
        ),
        (
            "%environment heavy six>>2",
            "NBF105",
            "The environment `heavy` is wrong: `six>>2` is not a requirement.",
        ),
        (
            "%environment heavy --python 3.11\n%environment heavy --python 3.12",
            "NBF105",
            "The environment `heavy` is wrong: it has both Python 3.11 and 3.12.",
        ),
    ],
)
def test_what_is_wrong_is_said(line: str, code: str, message: str) -> None:
    found = said(line, STEP)
    assert (code, message) in [(one[0], one[1]) for one in found]


def test_a_misspelt_name_gets_the_one_that_was_meant() -> None:
    found = said("%environment heavi six", STEP)
    assert [one[2] for one in found] == ["Did you mean `--env heavi`?"]
    assert said(STEP)[0][2] == ("Say what is in it, in any cell: %environment heavy REQUIREMENT…")


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("torch", "torch"),
        ("Foo.Bar>=1,<2", "foo-bar"),
        ("requests[socks, security]==2.1 ; python_version < '3.12'", "requests"),
        ("pip @ file:///tmp/pip.whl", "pip"),
        ("a~=1.0", "a"),
    ],
)
def test_name_of_a_requirement(requirement: str, name: str) -> None:
    assert requirement_name(requirement) == name
