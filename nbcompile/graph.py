"""The graph of a flow, drawn: as text, Mermaid, SVG or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape

from nbcompile.emit.manifest import edges
from nbcompile.flow import Flow, Step

FORMATS = ("text", "mermaid", "svg", "json")


def render(flow: Flow, format: str = "text") -> str:
    """The graph in one of `FORMATS`."""
    return _RENDERERS[format](flow)


def _text(flow: Flow) -> str:
    """A line for each step in order: what it is, and what it takes from where."""
    width = max((len(step.name) for step in flow.steps), default=0)
    lines = []
    for step in flow.steps:
        taken = [
            f"{edge['source']} ({', '.join(edge['names'])})" if edge["names"] else edge["source"]
            for edge in edges(flow)
            if edge["target"] == step.name
        ]
        parts = [f"{step.name:<{width}}", _about(step), f"← {', '.join(taken)}" if taken else ""]
        lines.append("  ".join(part for part in parts if part).rstrip())
    return "\n".join(lines) + "\n"


def _about(step: Step) -> str:
    parts = []
    if step.options.each:
        parts.append(f"each {step.options.each}")
    if step.foreach:
        parts.append(f"for {step.foreach.target} in {_one_line(step.foreach.code)}")
    if step.when:
        parts.append(f"when {_one_line(step.when.code)}")
    return f"[{'; '.join(parts)}]" if parts else ""


def _mermaid(flow: Flow) -> str:
    lines = ["flowchart TD"]
    for step in flow.steps:
        about = _about(step).strip("[]")
        label = step.name if not about else f"{step.name}<br/>{escape(about)}"
        label = label.replace('"', "#quot;")
        shape = ('[["', '"]]') if step.foreach or step.options.each else ('["', '"]')
        if step.when:
            shape = ('{{"', '"}}')
        # `end` and the like are words of Mermaid's own
        lines.append(f"    s_{step.name}{shape[0]}{label}{shape[1]}")
    for edge in edges(flow):
        names = ", ".join(edge["names"])
        arrow = f'-- "{names}" -->' if names else "-.->"
        lines.append(f"    s_{edge['source']} {arrow} s_{edge['target']}")
    return "\n".join(lines) + "\n"


def _json(flow: Flow) -> str:
    steps = [
        {
            "name": step.name,
            "depends": list(step.depends),
            "cells": list(step.cells),
            "outputs": list(step.outputs),
            "parameters": list(step.reads.parameters),
            "foreach": _source(step.foreach.target, step.foreach.code) if step.foreach else None,
            "when": _one_line(step.when.code) if step.when else None,
            "each": step.options.each,
            "resources": {
                "cpu": step.options.resources.cpu,
                "memory": step.options.resources.memory,
                "gpu": step.options.resources.gpu,
                "disk": step.options.resources.disk,
                "image": step.options.resources.image,
            },
        }
        for step in flow.steps
    ]
    content = {"name": flow.name, "steps": steps, "edges": edges(flow)}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _source(target: str, code: str) -> str:
    return f"{target} in {_one_line(code)}"


def _svg(flow: Flow) -> str:
    """Layers from the top down, each step as low as what it depends on demands."""
    layer: dict[str, int] = {}
    for step in flow.steps:
        layer[step.name] = 1 + max((layer.get(name, 0) for name in step.depends), default=-1)
    rows: dict[int, list[Step]] = {}
    for step in flow.steps:
        rows.setdefault(layer[step.name], []).append(step)
    wide, high, gap_x, gap_y = 170, 40, 30, 50
    columns = max((len(row) for row in rows.values()), default=1)
    width, height = columns * (wide + gap_x) + gap_x, len(rows) * (high + gap_y) + gap_y
    place: dict[str, tuple[float, float]] = {}
    for number, row in rows.items():
        left = (width - len(row) * (wide + gap_x) + gap_x) / 2
        for column, step in enumerate(row):
            place[step.name] = (left + column * (wide + gap_x), gap_y / 2 + number * (high + gap_y))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" font-family="sans-serif" font-size="13">',
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#888"/></marker></defs>',
    ]
    for edge in edges(flow):
        (x1, y1), (x2, y2) = place[edge["source"]], place[edge["target"]]
        x1, x2, y1 = x1 + wide / 2, x2 + wide / 2, y1 + high
        title = escape(", ".join(edge["names"]))
        lines.append(
            f'<path d="M{x1:g} {y1:g}C{x1:g} {y1 + 25:g} {x2:g} {y2 - 25:g} {x2:g} {y2:g}" '
            f'fill="none" stroke="#888" marker-end="url(#arrow)"><title>{title}</title></path>'
        )
    for step in flow.steps:
        x, y = place[step.name]
        dashes = ' stroke-dasharray="5 3"' if step.when else ""
        for shift in (4, 0) if step.foreach or step.options.each else (0,):
            lines.append(
                f'<rect x="{x + shift:g}" y="{y - shift:g}" width="{wide}" height="{high}" rx="6" '
                f'fill="#fff" stroke="#4878a8"{dashes}/>'
            )
        lines.append(
            f'<text x="{x + wide / 2:g}" y="{y + high / 2 + 5:g}" text-anchor="middle">'
            f"<title>{escape(_about(step))}</title>{escape(_shortened(step.name))}</text>"
        )
    return "\n".join([*lines, "</svg>"]) + "\n"


def _shortened(name: str) -> str:
    return name if len(name) <= 22 else f"{name[:21]}…"


def _one_line(code: str) -> str:
    return " ".join(code.split())


_RENDERERS: dict[str, Callable[[Flow], str]] = {
    "text": _text,
    "mermaid": _mermaid,
    "svg": _svg,
    "json": _json,
}
