"""Values of parameters as they are written on the command line."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click
import pytest

from nbflow.cli.values import parameters, parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-3", -3),
        ("0.5", 0.5),
        ("1e-3", 0.001),
        ("1E5", 1e5),
        (".5", 0.5),
        (".inf", math.inf),
        ("true", True),
        ("null", None),
        ("[FI, US]", ["FI", "US"]),
        ("{a: 1, b: [2]}", {"a": 1, "b": [2]}),
        ("some text", "some text"),
        ("2024-01-01", "2024-01-01"),
        ("12:30", "12:30"),
        ("007", "007"),
        ("1.2.3", "1.2.3"),
        ("'3'", "3"),
        ("1_000", 1000),
        ("0x1f", 31),
    ],
)
def test_parse(text: str, value: Any) -> None:
    got = parse(text, "-p x")
    assert got == value
    assert type(got) is type(value)


def test_p_wins_over_files_and_the_last_over_the_first(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("a: 1\nb: 2\n")
    other = tmp_path / "q.json"
    other.write_text('{"b": 3, "c": 4}')
    assert parameters((("c", "5"), ("d", "")), (file, other)) == {"a": 1, "b": 3, "c": 5, "d": ""}


def test_a_file_that_is_no_yaml(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("a: 1\nb: [2\nc: 3\n")
    with pytest.raises(click.UsageError, match=r"p.yaml is not YAML: line 3: ") as caught:
        parameters((), (file,))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["- 1\n- 2\n", "3", "1: x\n"])
def test_a_file_that_is_no_mapping(tmp_path: Path, text: str) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(text)
    with pytest.raises(click.UsageError, match="must map names to values"):
        parameters((), (file,))


def test_not_yaml() -> None:
    with pytest.raises(click.UsageError, match=r"-p x: '\[1,' is not YAML"):
        parse("[1,", "-p x")
