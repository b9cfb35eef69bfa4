"""The manifest `flow.json`: all that a runtime has to know of a flow, as plain JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from nbcompile.emit.step import function_name
from nbcompile.flow import SCHEMA_VERSION, Environment, Expression, Flow, Input, Parameter, Step
from nbcompile.parameters import default_value, parameter_type, to_json

Lines = Mapping[str, list[list[int]]]


def manifest(
    flow: Flow,
    package: str,
    *,
    version: str,
    hashes: Mapping[str, str],
    code: Mapping[str, str],
    lines: Lines,
    dependencies: Iterable[str],
    environments: Iterable[Environment] = (),
) -> dict[str, Any]:
    """The manifest of a flow: ``hashes`` of its files, ``code`` hashes of its steps."""
    own = {f"{package}/steps/{step.name}.py" for step in flow.steps}
    return {
        "schema": SCHEMA_VERSION,
        "name": flow.name,
        "package": package,
        "version": version,
        "notebook": flow.notebook,
        "options": {name: _plain(value) for name, value in flow.options.items()},
        "python": "3.11",
        "dependencies": list(dependencies),
        "environments": [
            {"name": one.name, "requirements": list(one.requirements), "python": one.python}
            for one in environments
        ],
        "parameters": [_parameter(parameter) for parameter in flow.parameters],
        "files": dict(hashes),
        "steps": [_step(step, package, code[step.name], lines) for step in flow.steps],
        "lines": {path: rows for path, rows in lines.items() if path not in own and rows},
        "edges": edges(flow),
    }


def manifest_text(content: Mapping[str, Any]) -> str:
    """The manifest as text: a line for each step, each file and each edge."""
    parts = []
    for name, value in content.items():
        if isinstance(value, list) and value:
            inside = ",\n".join(f"  {_json(item)}" for item in value)
            parts.append(f' "{name}": [\n{inside}\n ]')
        elif isinstance(value, dict) and value:
            inside = ",\n".join(f"  {_json(key)}: {_json(item)}" for key, item in value.items())
            parts.append(f' "{name}": {{\n{inside}\n }}')
        else:
            parts.append(f' "{name}": {_json(value)}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def edges(flow: Flow) -> list[dict[str, Any]]:
    """The edges of the graph, each with the names that pass along it."""
    found: list[dict[str, Any]] = []
    for step in flow.steps:
        names: dict[str, list[str]] = {source: [] for source in step.depends}
        for one in all_inputs(step):
            for source in one.sources:
                if source and one.name not in names.setdefault(source, []):
                    names[source].append(one.name)
        found.extend(
            {"source": source, "target": step.name, "names": passed}
            for source, passed in names.items()
        )
    return found


def all_inputs(step: Step) -> list[Input]:
    """The inputs of a step, of its items and of its condition."""
    expressions = (step.foreach, step.when)
    reads = [step.reads, *(one.reads for one in expressions if one is not None)]
    return [one for each in reads for one in each.inputs]


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "type": str(parameter_type(parameter)),
        "default": to_json(default_value(parameter)),
        "annotation": parameter.annotation,
        "source": parameter.default,
        "help": parameter.help,
        "cell": parameter.cell,
        "line": parameter.line,
    }


def _step(step: Step, package: str, code: str, lines: Lines) -> dict[str, Any]:
    module = f"{package}.steps.{step.name}"
    path = f"{package}/steps/{step.name}.py"
    options = step.options
    return {
        "name": step.name,
        "function": f"{module}:{function_name(step)}",
        "cells": list(step.cells),
        "doc": step.doc,
        "depends": list(step.depends),
        "inputs": _inputs(step.reads.inputs),
        "parameters": list(step.reads.parameters),
        "outputs": list(step.outputs),
        "maybe": list(step.maybe),
        "crossing": list(step.crossing),
        "together": [list(group) for group in step.together],
        "targets": list(step.foreach.targets) if step.foreach else [],
        "foreach": _expression(step.foreach, f"{module}:{step.name}_items"),
        "when": _expression(step.when, f"{module}:{step.name}_when"),
        "each": options.each,
        "resources": {
            "cpu": options.resources.cpu,
            "memory": options.resources.memory,
            "gpu": options.resources.gpu,
            "disk": options.resources.disk,
            "image": options.resources.image,
        },
        "retry": options.retry,
        "retry_delay": options.retry_delay,
        "timeout": options.timeout,
        "catch": options.catch,
        "keep": list(options.keep),
        "drop": list(options.drop),
        "cache": options.cache,
        "env": options.env,
        "variant": options.variant,
        "captured": list(step.captured),
        "unchanged": list(step.unchanged),
        "draws": list(step.draws),
        "taints": step.taints,
        "code": code,
        "lines": {path: lines[path]},
    }


def _inputs(inputs: Iterable[Input]) -> list[dict[str, Any]]:
    return [{"name": i.name, "sources": list(i.sources), "kind": i.kind} for i in inputs]


def _expression(expression: Expression | None, function: str) -> dict[str, Any] | None:
    if expression is None:
        return None
    target = f"{expression.target} in " if expression.target else ""
    return {
        "function": function,
        "source": f"{target}{expression.code}",
        "inputs": _inputs(expression.reads.inputs),
        "parameters": list(expression.reads.parameters),
        "cell": expression.cell,
        "line": expression.line,
    }


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
