"""Preview: what was noted of a value when it was written, as a line, as text and as HTML."""

from __future__ import annotations

import base64
from collections.abc import Callable
from html import escape
from typing import Any

from nbflow.client.html import cell, code, dim, image, table
from nbflow.client.text import brief, grid

Preview = dict[str, Any]


def line(type_name: str, preview: Preview) -> str:
    """The value in one short line."""
    short = type_name.rpartition(".")[2]
    match preview.get("kind"):
        case "frame":
            names = ", ".join(name for name, _ in preview["columns"])
            return f"{short} {_shape(preview)}: {names}"
        case "series":
            return f"{short} of {preview['shape'][0]:,}: {_values(preview)}"
        case "array":
            return f"{short} {_shape(preview)} {preview['dtype']}{_range(preview)}"
        case "container":
            return f"{short} of {preview['length']:,}: {preview.get('repr', '')}"
    return str(preview.get("repr") or short)


def text(type_name: str, preview: Preview) -> str:
    """The value in as many lines as the preview has to say."""
    lines = [line(type_name, preview)]
    match preview.get("kind"):
        case "frame" | "series":
            head = ["", *(name for name, _ in preview["columns"])]
            rows = [
                [brief(at), *map(brief, row)]
                for at, row in zip(preview["index"], preview["rows"], strict=True)
            ]
            kinds = ["", *(kind for _, kind in preview["columns"])]
            lines += ["", grid(head, [kinds, *rows])]
            lines += _stats_lines(preview.get("stats", {}))
        case "array":
            lines.append(f"head: {', '.join(map(brief, preview['head']))}")
    return "\n".join(lines)


def html(type_name: str, preview: Preview, read: Callable[[], bytes]) -> str:
    """The value as HTML; ``read`` gives the PNG of an image."""
    match preview.get("kind"):
        case "frame" | "series":
            head = ["", *(name for name, _ in preview["columns"])]
            rows = [
                [dim(brief(at)), *map(cell, row)]
                for at, row in zip(preview["index"], preview["rows"], strict=True)
            ]
            kinds = [dim(""), *(dim(kind) for _, kind in preview["columns"])]
            return f"<div>{escape(line(type_name, preview))}</div>" + table(head, [kinds, *rows])
        case "image":
            return image(base64.b64encode(read()).decode(), str(preview.get("repr", "")))
    return code(text(type_name, preview))


def _shape(preview: Preview) -> str:
    return " x ".join(f"{one:,}" for one in preview["shape"])


def _values(preview: Preview) -> str:
    return brief(", ".join(brief(row[0]) for row in preview["rows"]), 60)


def _range(preview: Preview) -> str:
    stats = preview.get("stats") or {}
    if "min" not in stats:  # nothing in it is a finite number
        return ""
    mean = f", mean {brief(stats['mean'])}" if "mean" in stats else ""
    return f": {brief(stats['min'])} to {brief(stats['max'])}{mean}"


def _stats_lines(stats: dict[str, dict[str, Any]]) -> list[str]:
    if not stats:
        return []
    known = ("min", "mean", "max", "std", "missing", "distinct")
    names = [name for name in known if any(name in one for one in stats.values())]
    rows = [[name, *(brief(one.get(key)) for key in names)] for name, one in stats.items()]
    return ["", grid(["", *names], rows)]
