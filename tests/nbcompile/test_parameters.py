"""Parameters: what cells may say, types, and values checked against them."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from nbcompile.diagnostics import Diagnostic
from nbcompile.flow import Parameter
from nbcompile.notebook import Cell
from nbcompile.parameter_types import parse_type, type_of
from nbcompile.parameters import (
    check_value,
    default_value,
    parameter_type,
    read_parameters,
    to_json,
)
from nbcompile.tags import read_tags


def read(body: str) -> tuple[tuple[Parameter, ...], tuple[Diagnostic, ...]]:
    return read_parameters([read_tags(Cell(2, "code", f"%%parameters\n{body}"))])


def one(body: str) -> Parameter:
    (parameter,), diagnostics = read(body)
    assert diagnostics == ()
    return parameter


def test_a_parameter() -> None:
    assert one("alpha: float = 0.1  # how strong") == Parameter(
        "alpha", "0.1", "float", "how strong", 2, 2
    )


def test_help_above() -> None:
    assert one("# how\n# strong\nalpha = 1").help == "how strong"
    assert one("# how\n\nalpha = 1").help == ""


@pytest.mark.parametrize(
    ("body", "kind", "value"),
    [
        ("x = 1", "int", 1),
        ("x = -1.5", "float", -1.5),
        ("x = 60 * 60", "int", 3600),
        ("x = True", "bool", True),
        ("x = None", "Any", None),
        ("x = 'a'", "str", "a"),
        ("x = [1, 2]", "list", [1, 2]),
        ("x = (1, 2)", "tuple", (1, 2)),
        ("x = {'a': 1}", "dict", {"a": 1}),
        ("x = {1: 'a'}", "dict[int, str]", {1: "a"}),
        ("x = [(1, 2)]", "list[tuple]", [(1, 2)]),
        ("x = {1, 2}", "set", {1, 2}),
        ("x = date(2026, 1, 31)", "date", datetime.date(2026, 1, 31)),
        ("x = datetime.date(2026, 1, 31)", "date", datetime.date(2026, 1, 31)),
        ("x = Path('a/b')", "Path", Path("a/b")),
        ("x: Optional[int] = None", "int | None", None),
        ("x: Union[int, str] = 'a'", "int | str", "a"),
        ("x: List[str] = []", "list[str]", []),
        ("x: typing.Literal['a', 'b'] = 'a'", "Literal['a', 'b']", "a"),
        ("x: 'int | None' = 3", "int | None", 3),
        ("x: float = 1", "float", 1),
    ],
)
def test_types_and_defaults(body: str, kind: str, value: object) -> None:
    parameter = one(body)
    assert str(parameter_type(parameter)) == kind
    assert repr(default_value(parameter)) == repr(value)
    # what a run records comes back as it was
    recorded = json.loads(json.dumps(to_json(value)))
    assert repr(check_value(parameter, recorded)) == repr(value)


@pytest.mark.parametrize(
    "body",
    [
        "x: int = 'a'",
        "x: int",
        "x = y",
        "x = f(1)",
        "x = y = 1",
        "x, y = 1, 2",
        "print(1)",
        "x: DataFrame = None",
        "x: Path = 'a'",
        "x = 1 / 0",
        "x = b'a'",
        "x: dict[int] | foo = 1",
    ],
)
def test_what_is_no_parameter(body: str) -> None:
    parameters, (finding,) = read(f"# first\n{body}")
    assert parameters == ()
    assert (finding.code, finding.cell, finding.line) == ("NBF109", 2, 3)


def test_twice_and_broken() -> None:
    _, (finding,) = read("x = 1\nx = 2")
    assert (finding.code, finding.line) == ("NBF109", 3)
    _, (finding,) = read("x = = 1")
    assert (finding.code, finding.line) == ("NBF108", 2)


def test_imports_and_text_are_fine() -> None:
    assert one("'''The parameters.'''\nfrom datetime import date\nx = 1").name == "x"


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("float", "1e-3", 0.001),
        ("float", 3, 3),
        ("int | None", None, None),
        ("int | str", "3", "3"),
        ("float | None", 2, 2),
        ("date", "2026-01-31", datetime.date(2026, 1, 31)),
        ("datetime", datetime.date(2026, 1, 31), datetime.datetime(2026, 1, 31)),
        ("Path", "a", Path("a")),
        ("list[float]", [1, "2.5"], [1, 2.5]),
        ("tuple[int, ...]", [1, 2, 3], (1, 2, 3)),
        ("tuple[int, str]", [1, "a"], (1, "a")),
        ("dict[str, list[int]]", {"a": [1]}, {"a": [1]}),
        ("Literal[1, 'a']", "a", "a"),
        ("Any", {"a": 1}, {"a": 1}),
    ],
)
def test_values_that_fit(kind: str, given: Any, value: object) -> None:
    parameter = Parameter("x", "None", kind, "", 1, 1)
    assert repr(check_value(parameter, given)) == repr(value)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("int", 3.0),
        ("int", True),
        ("int", "3"),
        ("bool", 1),
        ("str", 3),
        ("str", None),
        ("float", "many"),
        ("float", "nan"),
        ("date", "soon"),
        ("list[int]", [1, "a"]),
        ("list", "abc"),
        ("tuple[int, str]", [1]),
        ("dict[str, int]", {"a": "b"}),
        ("dict", [1]),
        ("Literal['a', 'b']", "c"),
        ("Literal[1]", True),
        ("int | None", "x"),
    ],
)
def test_values_that_do_not(kind: str, given: Any) -> None:
    finding = check_value(Parameter("x", "None", kind, "", 1, 4), given)
    assert isinstance(finding, Diagnostic)
    assert (finding.code, finding.cell, finding.line) == ("NBF402", 1, 4)
    assert "`x`" in finding.message


def test_text_that_looks_like_a_number_gets_a_hint() -> None:
    finding = check_value(Parameter("x", "''", "str", "", 1, 1), 3)
    assert isinstance(finding, Diagnostic)
    assert "quote it" in finding.message


def test_unknown_types() -> None:
    with pytest.raises(ValueError, match="not a type"):
        parse_type("int |")
    with pytest.raises(ValueError, match="not a type"):
        parse_type("list[DataFrame]")
    with pytest.raises(ValueError, match="bytes"):
        type_of(b"")
