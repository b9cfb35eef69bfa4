"""Graph: the steps of a manifest and what flows between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nbflow.runtime.spec import FlowSpec, read_spec
from nbflow_jupyter import wire

#: a step's options, and what they are where nothing is said
_OPTIONS: dict[str, Any] = {
    "retry": 0,
    "retry_delay": 0,
    "timeout": None,
    "catch": False,
    "keep": [],
    "drop": [],
    "cache": True,
    "env": None,
    "variant": None,
}


def graph(
    manifest: Mapping[str, Any], states: Iterable[wire.StepState] = (), spec: FlowSpec | None = None
) -> wire.Graph:
    """The graph of a manifest, with the states of a run where there is one."""
    lines = {step.name: list(step.line) for step in (spec or read_spec(manifest)).steps}
    return {
        "nodes": [_node(step, lines[step["name"]]) for step in manifest["steps"]],
        "edges": [_edge(edge) for edge in manifest.get("edges") or _edges(manifest)],
        "states": list(states),
    }


def inputs(step: Mapping[str, Any]) -> list[wire.NodeInput]:
    """The inputs of a step of a manifest, of its items and of its condition, each once."""
    calls = [step, step.get("foreach") or {}, step.get("when") or {}]
    found = {one["name"]: one for call in calls for one in call.get("inputs", ())}
    return [
        {
            "name": one["name"],
            "sources": [source for source in one["sources"] if source],
            "kind": one.get("kind") or "value",
        }
        for one in found.values()
    ]


def options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Those options of a step that say something."""
    return {
        name: given[name]
        for name, default in _OPTIONS.items()
        if given.get(name, default) != default
    }


def _node(step: Mapping[str, Any], line: list[str]) -> wire.GraphNode:
    foreach, when = step.get("foreach"), step.get("when")
    resources = step.get("resources") or {}
    return {
        "name": step["name"],
        "cells": list(step.get("cells", ())),
        "doc": step.get("doc") or "",
        "foreach": foreach["source"] if foreach else None,
        "when": when["source"] if when else None,
        "each": step.get("each"),
        "line": line,
        "inputs": inputs(step),
        "parameters": list(step.get("parameters", ())),
        "outputs": list(step.get("outputs", ())),
        "crossing": list(step.get("crossing", ())),
        "resources": {name: value for name, value in resources.items() if value is not None},
        "options": options(step),
        "code": step.get("code") or "",
    }


def _edge(edge: Mapping[str, Any]) -> wire.GraphEdge:
    return {"source": edge["source"], "target": edge["target"], "names": list(edge["names"])}


def _edges(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The edges that the steps themselves tell of."""
    return [
        {
            "source": source,
            "target": step["name"],
            "names": [one["name"] for one in inputs(step) if source in one["sources"]],
        }
        for step in manifest["steps"]
        for source in step.get("depends", ())
    ]
