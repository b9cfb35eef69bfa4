"""Project files of a package: pyproject.toml, README.md and its tests."""

from __future__ import annotations

import ast
import json
import shlex
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from nbcompile.emit.formatting import LINE_LENGTH
from nbcompile.flow import Flow
from nbcompile.graph import render
from nbcompile.parameters import default_value, parameter_type

#: what ruff holds against code that a user wrote in cells: mistakes, not style
_SELECTED = ("E9", "F")
_IGNORED = ("F401", "F402", "F403", "F405", "F541", "F632", "F811", "F841")


def pyproject(
    flow: Flow, package: str, version: str, dependencies: Iterable[str], unknown: Iterable[str]
) -> str:
    """The package's pyproject.toml."""
    lines = [
        "[build-system]",
        'requires = ["hatchling"]',
        'build-backend = "hatchling.build"',
        "",
        "[project]",
        f"name = {json.dumps(package.replace('_', '-').strip('-').lower())}",
        f'version = "{version}"',
        f"description = {json.dumps(f'The flow {flow.name}, compiled from {flow.notebook}')}",
        'readme = "README.md"',
        'requires-python = ">=3.11"',
    ]
    requirements = [f"    {json.dumps(text)}," for text in dependencies]
    lines += ["dependencies = [", *requirements, "]"] if requirements else ["dependencies = []"]
    lines += [f"# imported, but of no installed distribution: {name}" for name in unknown]
    lines += _groups(flow)
    included = [package, *(f"{name}.py" for name in flow.local_modules), *flow.local_modules]
    lines += [
        "",
        "[tool.hatch.build.targets.wheel]",
        f"include = {json.dumps(included)}",
        "",
        "[tool.ruff]",
        f"line-length = {LINE_LENGTH}",
        'target-version = "py311"',
        *([f"extend-exclude = {json.dumps(included[1:])}"] if flow.local_modules else []),
        "",
        "[tool.ruff.lint]",
        "# mistakes only: the code of cells keeps its author's style",
        f"select = {json.dumps(list(_SELECTED))}",
        f"ignore = {json.dumps(list(_IGNORED))}",
        "",
        "[tool.ruff.lint.per-file-ignores]",
        "# steps set names there before they call what reads them",
        f'"{package}/common.py" = ["F821"]',
    ]
    return "\n".join(lines) + "\n"


def _groups(flow: Flow) -> list[str]:
    """The environments that steps name, as dependency groups."""
    lines = ["", "[dependency-groups]"] if flow.environments else []
    for one in flow.environments:
        python = f"  # Python {one.python}" if one.python else ""
        requirements = [f"    {json.dumps(text)}," for text in one.requirements]
        lines += [f"{json.dumps(one.name)} = [{python}", *requirements, "]"]
    return lines


def readme(flow: Flow, package: str) -> str:
    """The package's README.md."""
    parts = [
        f"# {flow.name}",
        f"Compiled from the notebook `{flow.notebook}`. Every step is a function in "
        f"`{package}/steps/`; `{package}/flow.py` runs them in order.",
        "## Run",
        "```sh\npip install .\n" + f"python -m {package}{_example(flow)}\n```",
    ]
    if flow.parameters:
        rows = [
            f"| `{p.name}` | `{parameter_type(p)}` | `{' '.join(p.default.split())}` | {p.help} |"
            for p in flow.parameters
        ]
        table = ["| name | type | default | |", "| --- | --- | --- | --- |"]
        parts += [
            "## Parameters",
            "\n".join([*table, *(row.replace(" | None", " or None") for row in rows)]),
        ]
    parts += ["## Steps", "\n".join(_step_lines(flow))]
    parts += ["## Graph", f"```mermaid\n{render(flow, 'mermaid').rstrip()}\n```"]
    return "\n\n".join(parts) + "\n"


def _example(flow: Flow) -> str:
    if not flow.parameters:
        return ""
    first = flow.parameters[0]
    return f" --{first.name.replace('_', '-')} {shlex.quote(_spelled(default_value(first)))}"


def _spelled(value: Any) -> str:
    """A value as the command line takes it, in double quotes where that does."""
    with suppress(TypeError, ValueError, SyntaxError):
        text = json.dumps(value, ensure_ascii=False)
        if isinstance(value, (list, dict)) and ast.literal_eval(text) == value:
            return text
    return str(value)


def _step_lines(flow: Flow) -> list[str]:
    lines = []
    for step in flow.steps:
        first = step.doc.strip().split("\n")[0] if step.doc.strip() else ""
        about = [first] if first else []
        if step.foreach:
            about.append(f"one task for each `{step.foreach.target}`")
        if step.options.each:
            about.append(f"one task for each of `{step.options.each}`")
        if step.when:
            about.append(f"only when `{' '.join(step.when.code.split())}`")
        lines.append(f"- `{step.name}`" + (f": {'; '.join(about)}" if about else ""))
    return lines


def tests(flow: Flow, package: str) -> str:
    """A test module: every step can be imported, and the graph is whole."""
    return f'''"""The steps of {flow.name} can be imported, and its graph is whole."""

from __future__ import annotations

import importlib
import json
import shlex
from pathlib import Path

import {package}

MANIFEST = json.loads((Path({package}.__file__).parent / "flow.json").read_text())


def test_every_step_can_be_imported() -> None:
    for step in MANIFEST["steps"]:
        module, _, function = step["function"].partition(":")
        assert callable(getattr(importlib.import_module(module), function))


def test_steps_come_after_what_they_depend_on() -> None:
    done: set[str] = set()
    for step in MANIFEST["steps"]:
        assert done.issuperset(step["depends"])
        done.add(step["name"])
'''
