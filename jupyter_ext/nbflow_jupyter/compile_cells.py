"""Compile cells: a notebook in hand to graph, diagnostics, parameters and code.

Run as a module it is the process that does so for the server, a request and an answer a line: a
compiler that imports what a notebook imports by star, or never ends, does no harm there.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import fields
from pathlib import Path, PurePosixPath
from typing import Any

from nbcompile import emit_package, infer_flow
from nbcompile.diagnostics import has_errors, in_order
from nbcompile.emit.manifest import all_inputs, edges
from nbcompile.flow import Expression, Flow, Step
from nbcompile.notebook import Cell, Notebook, NotebookError, read_notebook
from nbcompile.segments import variants_of
from nbcompile.tags import read_tags
from nbflow_jupyter import wire
from nbflow_jupyter.forms import fields_of
from nbflow_jupyter.graph import options as said_options


def compile_request(request: dict[str, Any], folder: str) -> wire.Compiled:
    """Answer a `CompileRequest`; the notebook lies in ``folder``, for local modules."""
    began = time.perf_counter()
    notebook = _notebook(request)
    flow = infer_flow(notebook, dict(request.get("variants") or {}))
    steps = _code(flow, folder, bool(request.get("code")))
    return {
        "flow": flow.name,
        "graph": flow_graph(flow, {step["name"]: step["code"] or "" for step in steps}),
        "diagnostics": _told(in_order(flow.diagnostics)),
        "parameters": fields_of(flow.parameters),
        "steps": steps,
        "cell_steps": [_step_of(cell) for cell in notebook.cells],
        "seconds": time.perf_counter() - began,
    }


def read_parameters(path: str, name: str) -> wire.Parameters:
    """The form of a saved notebook; ``name`` is its path below the server's root."""
    try:
        notebook = read_notebook(path)
    except NotebookError as error:
        return {
            "flow": Path(path).stem,
            "notebook": name,
            "parameters": [],
            "variants": {},
            "diagnostics": _told(error.diagnostics),
        }
    flow = infer_flow(notebook)
    return {
        "flow": flow.name,
        "notebook": name,
        "parameters": fields_of(flow.parameters),
        "variants": _variants(notebook),
        "diagnostics": _told(in_order(flow.diagnostics)),
    }


def export(path: str) -> dict[str, Any]:
    """The files of a saved notebook's package, or what is wrong with it."""
    try:
        flow = infer_flow(read_notebook(path))
    except NotebookError as error:
        return {"diagnostics": _told(error.diagnostics)}
    if has_errors(flow.diagnostics):
        return {"diagnostics": _told(in_order(flow.diagnostics))}
    package = emit_package(flow, folder=Path(path).parent)
    return {"name": package.name, "files": package.files, "diagnostics": []}


def flow_graph(flow: Flow, codes: dict[str, str]) -> wire.Graph:
    """The graph of a flow that has not been emitted."""
    lines: dict[str, list[str]] = {}
    for step in flow.steps:
        outer = lines.get(step.options.each or "", [])
        lines[step.name] = [*outer, step.name] if step.foreach else list(outer)
    return {
        "nodes": [_node(step, lines[step.name], codes.get(step.name, "")) for step in flow.steps],
        "edges": [
            {"source": one["source"], "target": one["target"], "names": one["names"]}
            for one in edges(flow)
        ],
        "states": [],
    }


def _node(step: Step, line: list[str], code: str) -> wire.GraphNode:
    options = step.options
    resources = options.resources
    asked = {name: getattr(resources, name) for name in ("cpu", "memory", "gpu", "disk", "image")}
    said = {
        one.name: list(value) if isinstance(value, tuple) else value
        for one in fields(options)
        for value in (getattr(options, one.name),)
    }
    return {
        "name": step.name,
        "cells": list(step.cells),
        "doc": step.doc,
        "foreach": _source(step.foreach),
        "when": _source(step.when),
        "each": options.each,
        "line": line,
        "inputs": [
            {"name": one.name, "sources": [s for s in one.sources if s], "kind": one.kind}
            for one in {one.name: one for one in all_inputs(step)}.values()
        ],
        "parameters": list(step.reads.parameters),
        "outputs": list(step.outputs),
        "crossing": list(step.crossing),
        "resources": {name: value for name, value in asked.items() if value is not None},
        "options": said_options(said),
        "code": code,
    }


def _source(expression: Expression | None) -> str | None:
    if expression is None:
        return None
    target = f"{expression.target} in " if expression.target else ""
    return f"{target}{expression.code}"


def _code(flow: Flow, folder: str, wanted: bool) -> list[wire.CompiledStep]:
    """The code of each step, as a run would have it."""
    names = [step.name for step in flow.steps]
    if not wanted or has_errors(flow.diagnostics):
        return [{"name": name, "code": None, "text": None} for name in names]
    package = emit_package(flow, folder=Path(folder))
    codes = {step["name"]: step["code"] for step in package.manifest["steps"]}
    text = {name: package.files[f"{package.name}/steps/{name}.py"] for name in names}
    return [{"name": name, "code": codes[name], "text": text[name]} for name in names]


def _step_of(cell: Cell) -> str | None:
    """The step that a cell is part of."""
    tagged = read_tags(cell) if cell.kind == "code" else None
    return tagged.step if tagged is not None and tagged.kind == "step" else None


def _variants(notebook: Notebook) -> dict[str, list[str]]:
    """The alternatives of each step that has some."""
    return variants_of(read_tags(cell) for cell in notebook.cells if cell.kind == "code")


def _notebook(request: dict[str, Any]) -> Notebook:
    path = PurePosixPath(str(request.get("path") or "notebook.ipynb"))
    cells = tuple(
        Cell(
            index,
            cell.get("kind") or "code",
            str(cell.get("source") or "").replace("\r\n", "\n"),
            tuple(map(str, cell.get("tags") or ())),
            str(cell.get("id") or ""),
        )
        for index, cell in enumerate(request.get("cells") or ())
    )
    return Notebook(path.stem, str(path), cells)


def _told(diagnostics: Any) -> list[wire.Diagnostic]:
    return [one.to_json() for one in diagnostics]


def _answer(line: str) -> dict[str, Any]:
    question = json.loads(line)
    try:
        if question["ask"] == "compile":
            return {"ok": compile_request(question["request"], question["folder"])}
        if question["ask"] == "export":
            return {"ok": export(question["path"])}
        return {"ok": read_parameters(question["path"], question["name"])}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def main() -> None:
    """Answer questions until there are no more."""
    out, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        print(json.dumps(_answer(line)), file=out, flush=True)


if __name__ == "__main__":
    main()
