"""Environments of a package: what each of them has to hold for the steps that name it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from nbcompile.emit.dependencies import pinned
from nbcompile.environments import requirement_name
from nbcompile.flow import Environment, Flow


def complete(flow: Flow, package: str, files: Mapping[str, str]) -> tuple[Environment, ...]:
    """The flow's environments with all that they need.

    What their steps import is added as pinned here, so that values mean the same on both sides;
    where the user's line names a distribution, that says which version it is.
    """
    return tuple(_complete(one, flow, package, files) for one in flow.environments)


def _complete(
    environment: Environment, flow: Flow, package: str, files: Mapping[str, str]
) -> Environment:
    own = [f"{package}/steps/{s.name}.py" for s in flow.steps if s.options.env == environment.name]
    if not own:
        return environment
    local = set(flow.local_modules)
    shared = [
        path
        for path in files
        if path in (f"{package}/common.py", f"{package}/notebook.py", f"{package}/branches.py")
        or path.partition("/")[0].removesuffix(".py") in local
    ]
    imported = {name for path in (*own, *shared) for name in _imported(files[path])}
    given = {requirement_name(one) for one in environment.requirements}
    pins, _ = pinned(imported - local - {package, "__future__"})
    more = (one for one in pins if requirement_name(one) not in given)
    requirements = (*environment.requirements, *more)
    return Environment(environment.name, requirements, environment.python)


def _imported(text: str) -> Iterable[str]:
    """The top-level modules that a file imports anywhere."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]
