"""Environments: what `%environment` lines say, and whether `--env` names one of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace

from nbcompile.diagnostics import Diagnostic
from nbcompile.flow import Environment
from nbcompile.grammar import did_you_mean
from nbcompile.tags import GivenEnvironment, TaggedCell

#: the oldest Python that the runtime of a flow works with
_OLDEST = (3, 11)
_BOUND = r"(?:===|[<>=!~]=|[<>])\s*\w[\w.*+!-]*\s*"
#: a name, its extras, then a version, an address or a marker
_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[[\w.,\s-]*\])?\s*"
    rf"(?:{_BOUND}(?:,\s*{_BOUND})*|@\s*\S.*)?\s*(?:;.*)?"
)


def read_environments(
    cells: Iterable[TaggedCell],
) -> tuple[tuple[Environment, ...], tuple[Diagnostic, ...]]:
    """The environments that a notebook describes, and what is wrong with them or their use.

    Several lines of one name add up.
    """
    tagged = tuple(cells)
    found: dict[str, Environment] = {}
    diagnostics: list[Diagnostic] = []
    for line in (line for cell in tagged for line in cell.environments):
        try:
            now = _read(line)
            found[line.name] = _both(found.get(line.name), now)
        except ValueError as error:
            diagnostics.append(_wrong(line, str(error)))
            found.setdefault(line.name, Environment(line.name))
    diagnostics += _unknown(tagged, found)
    return tuple(found.values()), tuple(diagnostics)


def requirement_name(requirement: str) -> str:
    """The distribution that a requirement is of, in its normal form: `Foo.Bar>=1` → `foo-bar`."""
    match = _REQUIREMENT.fullmatch(requirement)
    name = match["name"] if match else requirement
    return re.sub(r"[-_.]+", "-", name).lower()


def _read(line: GivenEnvironment) -> Environment:
    try:
        words = shlex.split(line.text)
    except ValueError:
        raise ValueError("a quote is left open") from None
    for word in words:
        if not _REQUIREMENT.fullmatch(word):
            raise ValueError(f"`{word}` is not a requirement")
    if line.python is not None and not _usable(line.python):
        raise ValueError(f"`--python {line.python}` is not a version from 3.11 on")
    return Environment(line.name, tuple(words), line.python)


def _usable(version: str) -> bool:
    numbers = re.fullmatch(r"(\d+)\.(\d+)(?:\.\d+)?", version)
    return numbers is not None and (int(numbers[1]), int(numbers[2])) >= _OLDEST


def _both(before: Environment | None, now: Environment) -> Environment:
    if before is None:
        return now
    if None not in (before.python, now.python) and before.python != now.python:
        raise ValueError(f"it has both Python {before.python} and {now.python}")
    requirements = tuple(dict.fromkeys((*before.requirements, *now.requirements)))
    return replace(before, requirements=requirements, python=before.python or now.python)


def _unknown(cells: Iterable[TaggedCell], known: Mapping[str, Environment]) -> list[Diagnostic]:
    diagnostics = []
    for given in (given for cell in cells for given in cell.given):
        name = given.value.strip("\"'")
        if given.option.name != "env" or not name or name in known:
            continue
        guess = did_you_mean(name, known)
        diagnostics.append(
            Diagnostic(
                "NBF111",
                "error",
                f"The notebook describes no environment `{name}`.",
                cell=given.cell,
                line=given.line,
                fix=f"Did you mean `--env {guess}`?"
                if guess
                else f"Say what is in it, in any cell: %environment {name} REQUIREMENT…",
            )
        )
    return diagnostics


def _wrong(line: GivenEnvironment, problem: str) -> Diagnostic:
    return Diagnostic(
        "NBF105",
        "error",
        f"The environment `{line.name}` is wrong: {problem}.",
        cell=line.cell,
        line=line.line,
        fix='Write requirements as pip has them, as in: %environment NAME numpy "torch>=2".',
    )
