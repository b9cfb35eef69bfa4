"""The grammar of tags: units, tag lines taken apart, names."""

from __future__ import annotations

import pytest

from nbcompile.grammar import (
    OPTIONS,
    TAGS,
    did_you_mean,
    find_option,
    options_of,
    split_tag_line,
    suggest_name,
    usable_name,
)
from nbcompile.units import format_size, format_time, parse_size, parse_time


@pytest.mark.parametrize(
    ("text", "size"),
    [("512MB", 512 * 10**6), ("16GiB", 16 * 2**30), ("1.5g", 3 * 2**29), ("7", 7), ("2 kb", 2000)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size
    assert parse_size(format_size(size)) == size


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("2h", 7200), ("1.5", 1.5), ("250ms", 0.25)]
)
def test_times(text: str, seconds: float) -> None:
    assert parse_time(text) == seconds
    assert parse_time(format_time(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "GB", "1.2.3GB", "-1GB", "0GB", "5XB", "five"])
def test_wrong_sizes(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_size(text)


@pytest.mark.parametrize("text", ["", "s", "5 weeks", "-1s"])
def test_wrong_times(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)


@pytest.mark.parametrize(
    ("text", "words", "options"),
    [
        ("", (), ()),
        ("train", ("train",), ()),
        ("train --gpu 1", ("train",), (("gpu", "1"),)),
        ("train --gpu=1", ("train",), (("gpu", "1"),)),
        ("t --catch --cpu 2", ("t",), (("catch", ""), ("cpu", "2"))),
        (
            't --foreach a, b in f("--x y", [1, 2]) --gpu 1',
            ("t",),
            (("foreach", 'a, b in f("--x y", [1, 2])'), ("gpu", "1")),
        ),
        ("t --when x == 'it''s # no' # why", ("t",), (("when", "x == 'it''s # no'"),)),
        ("t --when f(\n --y)", ("t",), (("when", "f(\n --y)"),)),
        ("churn --schedule '0 6 * * *'  # daily", ("churn",), (("schedule", "'0 6 * * *'"),)),
        ("t --when a - -b > 0 --retry 1", ("t",), (("when", "a - -b > 0"), ("retry", "1"))),
    ],
)
def test_tag_lines(text: str, words: tuple[str, ...], options: tuple[tuple[str, str], ...]) -> None:
    line = split_tag_line(text)
    assert (line.words, line.options) == (words, options)


@pytest.mark.parametrize("text", ["t --when (a", "t --when 'a", "t --when a)"])
def test_tag_lines_left_open(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        split_tag_line(text)


def test_every_option_is_described_and_belongs_to_a_tag() -> None:
    tags = {tag.name for tag in TAGS}
    for option in OPTIONS:
        assert option.help
        assert option.tags
        assert tags.issuperset(option.tags)
        assert (option.metavar == "") == (option.kind == "flag")


def test_options_of_tags() -> None:
    assert [o.name for o in options_of("resources")] == ["cpu", "memory", "gpu", "disk", "image"]
    assert find_option("retry", "resources") is None


def test_did_you_mean() -> None:
    assert did_you_mean("retires", ["retry", "cpu"]) == "retry"
    assert did_you_mean("zzz", ["retry", "cpu"]) is None


@pytest.mark.parametrize("name", ["train", "übung", "step_1"])
def test_usable_names(name: str) -> None:
    assert usable_name(name) is None


@pytest.mark.parametrize("name", ["train-model", "1st", "class", "_x", "sum", "a b"])
def test_unusable_names_get_a_suggestion(name: str) -> None:
    assert usable_name(name) is not None
    assert usable_name(suggest_name(name)) is None
