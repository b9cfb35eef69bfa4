"""The one grammar of nbflow's tags: which there are, their options, how a tag line is split.

The compiler, the kernel's transformer and completer and the reference page all read this table.
"""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

OptionKind = Literal[
    "flag", "text", "name", "names", "number", "integer", "size", "time", "foreach", "expression"
]


@dataclass(frozen=True, slots=True)
class Option:
    """One option: how it is written, what its value is, which tags take it."""

    name: str
    kind: OptionKind
    metavar: str
    help: str
    tags: tuple[str, ...] = ("step",)
    #: whether giving it again adds to what was given before
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag: `%%step NAME`, say. ``name`` tells whether a name follows it."""

    name: str
    metavar: str
    help: str
    #: whether the name must be given; None where the tag takes no name
    needs_name: bool | None = None


TAGS: tuple[Tag, ...] = (
    Tag("step", "NAME", "the cell is part of the step NAME", needs_name=True),
    Tag("resources", "", "what a task of the step asks for"),
    Tag("parameters", "", "the cell's assignments are the flow's parameters"),
    Tag("setup", "", "the cell is shared by all steps and runs when a step's module is imported"),
    Tag("flow", "[NAME]", "the flow's name and options", needs_name=False),
    Tag(
        "environment",
        "NAME REQUIREMENT…",
        "what the environment NAME of `--env` holds",
        needs_name=True,
    ),
)

_ASKS = ("step", "resources")

OPTIONS: tuple[Option, ...] = (
    Option("after", "names", "STEP…", "start when these steps have ended", repeats=True),
    Option("foreach", "foreach", "VAR in EXPR", "one task for each item of EXPR"),
    Option("each", "name", "STEP", "one task for each task of the fan-out STEP"),
    Option("when", "expression", "EXPR", "skip the step unless EXPR is true"),
    Option("cpu", "number", "N", "cores a task asks for", _ASKS),
    Option("memory", "size", "SIZE", "memory a task asks for: 512MB, 16GiB", _ASKS),
    Option("gpu", "integer", "N", "GPUs a task asks for", _ASKS),
    Option("disk", "size", "SIZE", "disk a task asks for", _ASKS),
    Option("image", "text", "IMAGE", "container image to run in", _ASKS),
    Option("retry", "integer", "N", "try a failed task N times more"),
    Option("retry-delay", "time", "TIME", "wait this long before a retry: 90s, 10m, 2h"),
    Option("timeout", "time", "TIME", "end a task that takes longer"),
    Option("catch", "flag", "", "a failed task does not fail the run"),
    Option("keep", "names", "NAME…", "store these variables too", repeats=True),
    Option("drop", "names", "NAME…", "do not store these variables", repeats=True),
    Option("no-cache", "flag", "", "run even where an earlier result would do"),
    Option("env", "name", "NAME", "environment to run in, as %environment describes it"),
    Option("variant", "name", "NAME", "this is one alternative of the step; a run takes one"),
    Option("project", "text", "NAME", "project that the flow belongs to", ("flow",)),
    Option("schedule", "text", "CRON", "when a deployed flow starts", ("flow",)),
    Option("timezone", "text", "ZONE", "time zone of the schedule: Europe/Helsinki", ("flow",)),
    Option("python", "text", "VERSION", "Python of the environment: 3.12", ("environment",)),
)


@dataclass(frozen=True, slots=True)
class TagLine:
    """A tag line taken apart: its first words, and each `--option` with its raw value."""

    words: tuple[str, ...]
    options: tuple[tuple[str, str], ...]


def find_tag(name: str) -> Tag | None:
    """The tag of that name."""
    return next((tag for tag in TAGS if tag.name == name), None)


def find_option(name: str, tag: str) -> Option | None:
    """The option of that name (without dashes) which the tag takes."""
    return next((o for o in OPTIONS if o.name == name and tag in o.tags), None)


def options_of(tag: str) -> tuple[Option, ...]:
    """The options that a tag takes, in the order of the table."""
    return tuple(option for option in OPTIONS if tag in option.tags)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The known word that was most likely meant."""
    return next(iter(get_close_matches(word, sorted(known), n=1, cutoff=0.5)), None)


def split_tag_line(text: str) -> TagLine:
    """Take apart what follows a tag's name: `train --foreach x in f("--a") --gpu 1  # why`.

    An option's value goes up to the next ` --option` outside brackets and strings, so that an
    expression needs no quotes. ValueError where a bracket or a string is left open.
    """
    starts, end = _option_starts(text)
    words = text[: starts[0] if starts else end].split()
    options = []
    for start, stop in zip(starts, [*starts[1:], end], strict=False):
        name, value = _split_option(text[start + 2 : stop])
        options.append((name, value.strip()))
    return TagLine(tuple(words), tuple(options))


def _split_option(text: str) -> tuple[str, str]:
    end = next((i for i, c in enumerate(text) if c.isspace() or c == "="), len(text))
    return text[:end], text[end + 1 :]


def _option_starts(text: str) -> tuple[list[int], int]:
    """Where options start at depth 0 outside strings, and where a trailing comment does."""
    starts: list[int] = []
    depth, quote, i = 0, "", 0
    while i < len(text):
        char = text[i]
        fresh = i == 0 or text[i - 1].isspace()
        if quote:
            if char == "\\":
                i += 1
            elif text.startswith(quote, i):
                i += len(quote) - 1
                quote = ""
        elif char in "\"'" and _opens_string(text, i):
            quote = char * 3 if text.startswith(char * 3, i) else char
            i += len(quote) - 1
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == "#" and fresh and depth <= 0:
            break
        elif fresh and depth <= 0 and text.startswith("--", i) and text[i + 2 : i + 3].isalpha():
            starts.append(i)
        i += 1
    if quote:
        raise ValueError(f"the string that starts with {quote} does not end")
    if depth > 0:
        raise ValueError("a bracket is not closed")
    if depth < 0:
        raise ValueError("a bracket is closed that was not opened")
    return starts, i


def _opens_string(text: str, i: int) -> bool:
    """Whether a quote opens a string: one inside a word, as in `don't`, does not."""
    before = text[i - 1] if i else " "
    return not before.isalnum() or before.lower() in "rbfu"


def usable_name(name: str) -> str | None:
    """Why a name cannot be a step's or a flow's, or None where it can."""
    if not name.isidentifier() or keyword.iskeyword(name):
        return "is not a Python name"
    if name.startswith("_"):
        return "starts with an underscore"
    if hasattr(builtins, name):
        return "is the name of a Python builtin"
    return None


def suggest_name(name: str) -> str:
    """A usable name close to the one given."""
    fixed = "".join(c if c.isalnum() or c == "_" else "_" for c in name).strip("_") or "step"
    if fixed[0].isdigit():
        fixed = f"step_{fixed}"
    return fixed if usable_name(fixed) is None else f"{fixed}_step"
