"""Packages: a flow as the files of a Python package, the same for export and for every run."""

from __future__ import annotations

import keyword
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nbcompile.emit import common, params, runner, support
from nbcompile.emit.codehash import SharedCode, digest
from nbcompile.emit.dependencies import pinned
from nbcompile.emit.environments import complete
from nbcompile.emit.formatting import format_files
from nbcompile.emit.local import local_files
from nbcompile.emit.main import main_source
from nbcompile.emit.manifest import manifest, manifest_text
from nbcompile.emit.project import pyproject, readme, tests
from nbcompile.emit.source import Source
from nbcompile.emit.sourcemap import map_lines
from nbcompile.emit.step import Place, has_setup, step_source
from nbcompile.flow import Flow


@dataclass(frozen=True, slots=True)
class Package:
    """A compiled flow: its files as text by path, and its manifest."""

    name: str
    version: str
    files: dict[str, str]
    manifest: dict[str, Any]


def emit_package(flow: Flow, format: bool = True, folder: Path | None = None) -> Package:
    """The package of a flow without errors.

    ``folder`` is where the notebook lies, for local modules. With ``format=False`` the code is
    left as put together: enough for a look at the graph, never what runs.
    """
    name = package_name(flow)
    sources = _sources(flow, name)
    plain = _plain_files(flow, name)
    texts = {path: source.text() for path, source in sources.items()} | plain
    formatted = format_files(texts) if format else texts
    lines = {path: map_lines(source, formatted[path]) for path, source in sources.items()}
    local = local_files(flow.local_modules, folder)
    dependencies, unknown = pinned(set(flow.imported) - set(flow.local_modules))
    files = {**formatted, **local}
    environments = complete(flow, name, files)
    flow = replace(flow, environments=environments)
    files["pyproject.toml"] = pyproject(flow, name, "0", dependencies, unknown)
    version = _version(files, flow)
    files["pyproject.toml"] = pyproject(flow, name, version, dependencies, unknown)
    files["README.md"] = readme(flow, name)
    shared = SharedCode(files.get(f"{name}/common.py", ""), files.get(f"{name}/notebook.py", ""))
    code = {
        step.name: shared.hash_of(step, formatted[f"{name}/steps/{step.name}.py"])
        for step in flow.steps
    }
    content = manifest(
        flow,
        name,
        version=version,
        hashes={path: digest(text) for path, text in sorted(files.items())},
        code=code,
        lines=lines,
        dependencies=dependencies,
        environments=environments,
    )
    files[f"{name}/flow.json"] = manifest_text(content)
    return Package(name, version, dict(sorted(files.items())), content)


def package_name(flow: Flow) -> str:
    """The import name of the package: the flow's, made a name that hides no other module."""
    name = "".join(c if c.isalnum() or c == "_" else "_" for c in flow.name) or "flow"
    if not name.isidentifier():
        name = f"flow_{name}"
    taken = {*sys.stdlib_module_names, *flow.imported, *flow.local_modules, "nbflow", "tests"}
    return f"{name}_flow" if name in taken or keyword.iskeyword(name) else name


def _sources(flow: Flow, name: str) -> dict[str, Source]:
    """The files that hold the user's code."""
    place = Place(name, flow.future, has_setup(flow))
    sources = {f"{name}/steps/{step.name}.py": step_source(step, place) for step in flow.steps}
    if common.is_needed(flow):
        sources[f"{name}/common.py"] = common.common_source(flow, name)
    return sources


def _plain_files(flow: Flow, name: str) -> dict[str, str]:
    """The other Python files."""
    files = {
        f"{name}/__init__.py": f'"""The flow {flow.name}."""\n',
        f"{name}/__main__.py": main_source(flow, name),
        f"{name}/flow.py": runner.runner_source(flow, name),
        f"{name}/steps/__init__.py": f'"""The steps of {flow.name}, one in each module."""\n',
        f"tests/test_{name}.py": tests(flow, name),
    }
    if flow.parameters:
        files[f"{name}/params.py"] = params.params_source(flow.parameters)
    used = {name for step in flow.steps for name in step.reads.support}
    used.update(
        name
        for step in flow.steps
        for expression in (step.foreach, step.when)
        if expression
        for name in expression.reads.support
    )
    used.update(flow.common.support)
    if used:
        files[f"{name}/notebook.py"] = support.notebook_source(used)
    if any(step.foreach or step.options.each for step in flow.steps):
        files[f"{name}/branches.py"] = support.template("branches.py")
    return files


def _version(files: dict[str, str], flow: Flow) -> str:
    """A version that says what the code is: it leaves out what only describes it."""
    parts = [f"{path}\0{text}" for path, text in sorted(files.items())]
    parts.append(repr([(step.name, step.options) for step in flow.steps]))
    return f"0+{digest(chr(0).join(parts))[:12]}"
