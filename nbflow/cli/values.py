"""Values: `-p NAME VALUE` and `-f params.yaml`, read as YAML the way papermill reads them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import yaml

#: numbers as Python writes them: YAML 1.1 takes `1e-3` for text, `12:30` for 750 and `010` for 8
_NUMBER = re.compile(
    r"[-+]?(?:(?:\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|\.(?:inf|Inf|INF))"
    r"|\.(?:nan|NaN|NAN)"
)
_TAG = "tag:yaml.org,2002:"


def parameter_options(function: Any) -> Any:
    """The options `-p` and `-f` of the verbs that run something."""
    one = click.option(
        "-p",
        "--param",
        "given",
        nargs=2,
        multiple=True,
        metavar="NAME VALUE",
        help="Set a parameter; the value is YAML.",
    )
    many = click.option(
        "-f",
        "--params-file",
        "files",
        multiple=True,
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Set the parameters in this YAML or JSON file.",
    )
    return one(many(function))


def parameters(given: tuple[tuple[str, str], ...], files: tuple[Path, ...]) -> dict[str, Any]:
    """The parameters that were set, by name; `-p` wins over a file."""
    values: dict[str, Any] = {}
    for name, _ in given:
        if "=" in name:
            raise click.UsageError(apart(name))
    for file in files:
        values |= _read_file(file)
    for name, text in given:
        values[name] = parse(text, f"-p {name}") if text.strip() else text
    return values


def joined(words: Sequence[str]) -> str | None:
    """The `NAME=VALUE` that follows a `-p` where NAME VALUE should, if any does."""
    found = (word for before, word in pairwise(words) if before in ("-p", "--param"))
    return next((word for word in found if re.match(r"\w+=", word)), None)


def apart(word: str) -> str:
    """How `NAME=VALUE` is written."""
    name, _, value = word.partition("=")
    return f"Name and value are two words: -p {name} {shlex.quote(value)}, not {word}."


def parse(text: str, where: str) -> Any:
    """The value that a text means."""
    import yaml

    try:
        return _load(text)
    except yaml.YAMLError as error:
        said = str(error).splitlines()[0]
        raise click.UsageError(
            f"{where}: {text!r} is not YAML ({said}). Put it in quotes: '\"{text}\"'"
        ) from None


def _load(text: str) -> Any:
    import yaml

    return yaml.load(text, _loader())


def _said(error: yaml.YAMLError) -> str:
    """What is wrong, and in which line."""
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    mark = getattr(error, "problem_mark", None)
    return problem if mark is None else f"line {mark.line + 1}: {problem}"


def _read_file(file: Path) -> dict[str, Any]:
    import yaml

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not text"
        raise click.UsageError(f"The parameters in {file} cannot be read: {said}.") from None
    try:
        values = _load(text)
    except yaml.YAMLError as error:
        raise click.UsageError(f"{file} is not YAML: {_said(error)}.") from None
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise click.UsageError(f"{file} must map names to values, one `name: value` a line.")
    return values


def _loader() -> Any:
    """SafeLoader without dates (a parameter's type makes them) and with plain numbers."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    replaced = (f"{_TAG}timestamp", f"{_TAG}float", f"{_TAG}int")
    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in replaced]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    integer = re.compile(r"^[-+]?(?:0|[1-9][0-9_]*|0x[0-9a-fA-F]+)$")
    Loader.add_implicit_resolver(f"{_TAG}int", integer, list("-+0123456789"))
    number = re.compile(f"^(?:{_NUMBER.pattern})$")
    Loader.add_implicit_resolver(f"{_TAG}float", number, list("-+0123456789."))
    return Loader
