"""Spelling: tags that stand in a cell's metadata, written into its source as comments.

For kernels that are sent the source alone; the compiler reads both spellings alike.
"""

from __future__ import annotations

from nbcompile.notebook import Cell


def with_comment_tags(cell: Cell) -> str:
    """The cell's source with a `# nbflow: …` line for each tag that its metadata has."""
    lines = []
    for tag in cell.tags:
        name, colon, text = tag.partition(":")
        if (name in ("step", "resources") and colon) or tag in ("parameters", "setup"):
            lines.append(f"# nbflow: {name} {text}".rstrip() + "\n")
    return "".join(lines) + cell.source
