"""HTML: the few building blocks of every rich display, at home in light and dark themes.

Colours are JupyterLab's own where it is the page, and inherit or stay translucent elsewhere.
Everything that comes from a user is escaped here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from nbflow.client.text import brief

_STYLE = """<style>
.nbf {font: var(--jp-content-font-size1, 14px)/1.5 var(--jp-ui-font-family, system-ui, sans-serif);
  color: var(--jp-content-font-color1, inherit); margin: 4px 0; overflow-x: auto}
.nbf b.nbf-title {font-size: 1.1em}
.nbf .nbf-dim {color: var(--jp-content-font-color2, #808080)}
.nbf table, .nbf td {color: inherit}
.nbf table {border-collapse: collapse; border: none; margin: 6px 0 2px; font-size: .92em}
.nbf th, .nbf td {text-align: left; padding: 2px 14px 2px 0; border: none; vertical-align: top;
  background: none; border-bottom: 1px solid var(--jp-border-color2, rgba(128, 128, 128, .3))}
.nbf th {font-weight: 600; color: var(--jp-content-font-color2, #808080)}
.nbf .nbf-number {text-align: right; font-variant-numeric: tabular-nums}
.nbf code, .nbf pre {font-family: var(--jp-code-font-family, monospace); font-size: .92em;
  background: none; color: inherit}
.nbf pre {white-space: pre-wrap; margin: 4px 0; padding: 6px 10px; max-height: 30em; overflow: auto;
  background: var(--jp-layout-color2, rgba(128, 128, 128, .1)); border-radius: 3px}
.nbf img {max-width: 100%}
.nbf details {margin: 4px 0} .nbf summary {cursor: pointer}
.nbf .nbf-status {font-weight: 600; white-space: nowrap}
.nbf .nbf-succeeded, .nbf .nbf-cached, .nbf ins {color: var(--jp-success-color1, #388e3c)}
.nbf .nbf-failed, .nbf .nbf-lost, .nbf del {color: var(--jp-error-color1, #d32f2f)}
.nbf .nbf-running {color: var(--jp-info-color1, #1976d2)}
.nbf .nbf-cancelled {color: var(--jp-warn-color1, #c77700)}
.nbf .nbf-pending, .nbf .nbf-skipped {color: var(--jp-content-font-color2, #808080)}
.nbf ins, .nbf del {text-decoration: none}
</style>"""

#: a sign for each status, so that colour is never the only difference
SIGNS = {
    "succeeded": "✓",
    "cached": "≡",
    "failed": "✗",
    "lost": "?",
    "running": "▶",
    "pending": "·",
    "skipped": "↷",
    "cancelled": "■",
}


def page(*parts: str) -> str:
    """The parts as one display, with the style they need."""
    # a front end gets it as UTF-8, which has no halves of surrogate pairs
    content = "".join(parts).encode("utf-8", "backslashreplace").decode("utf-8")
    return f'{_STYLE}<div class="nbf">{content}</div>'


def title(text: str, *more: str) -> str:
    """The first line of a display; ``more`` is HTML."""
    return f'<div><b class="nbf-title">{escape(text)}</b> {" · ".join(more)}</div>'


def status(name: str, count: int | None = None) -> str:
    """A status with its sign and colour."""
    number = "" if count is None else f"{count:,} "
    sign = SIGNS.get(name, "")
    return f'<span class="nbf-status nbf-{escape(name)}">{sign} {number}{escape(name)}</span>'


def dim(text: str) -> str:
    """Text of second rank."""
    return f'<span class="nbf-dim">{escape(text)}</span>'


def code(text: str) -> str:
    """A block of code or of printed text."""
    return f"<pre>{escape(text)}</pre>"


def image(png: str, alt: str) -> str:
    """A PNG in base64."""
    return f'<img alt="{escape(alt, quote=True)}" src="data:image/png;base64,{escape(png)}">'


def folded(summary: str, content: str, *, opened: bool = False) -> str:
    """A part that unfolds; ``content`` is HTML."""
    attribute = " open" if opened else ""
    return f"<details{attribute}><summary>{escape(summary)}</summary>{content}</details>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML already, or made by `cell`."""
    body = [[one if one.startswith("<td") else f"<td>{one}</td>" for one in row] for row in rows]
    columns = zip(*body, strict=True) if body else ((),) * len(head)
    # a header stands over its numbers
    numbers = [any(one.startswith(_NUMBER) for one in column) for column in columns]
    top = "".join(
        f'<th class="nbf-number">{escape(name)}</th>' if right else f"<th>{escape(name)}</th>"
        for name, right in zip(head, numbers, strict=True)
    )
    lines = "".join(f"<tr>{''.join(row)}</tr>" for row in body)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>"


_NUMBER = '<td class="nbf-number">'


def cell(value: Any) -> str:
    """A plain value as a cell: numbers to the right."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{_NUMBER}{escape(brief(value))}</td>"
    return escape(brief(value))


def rows_table(rows: Sequence[Mapping[str, Any]], of: int | None = None) -> str:
    """A table of plain values, a column for each name that any row has."""
    head = list(dict.fromkeys(name for row in rows for name in row))
    shown = table(head, ([cell(row.get(name, "")) for name in head] for row in rows))
    rest = (of or 0) - len(rows)
    return shown + (dim(f"and {rest:,} more") if rest > 0 else "")


def table_html(rows: Sequence[Mapping[str, Any]], of: int, caption: str) -> str:
    """`rows_table` as a display of its own."""
    return page(title(caption), rows_table(rows, of))
