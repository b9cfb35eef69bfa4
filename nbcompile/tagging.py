"""Tagging: tags written into a notebook's file, every other byte of it left as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from nbcompile.percent import percent_blocks

#: cell metadata, or a first line of the cell
Form = Literal["tags", "magic", "comment"]

_INDENT = re.compile(r"\{\r?\n([ \t]+)")
_LIST = re.compile(r"""(["']?tags["']?\s*[=:]\s*\[)([^\]]*)(\])""")
#: what has to stay at the top of a script
_TOP = re.compile(r"\s*#.*coding[:=]")


def tag_notebook(text: str, tags: Mapping[int, str], form: Form) -> str:
    """The text of an `.ipynb` with these tags, by cell; its sources and outputs as they are."""
    content = json.loads(text.removeprefix("\ufeff"))
    for index, tag in tags.items():
        _tag_cell(content["cells"][index], tag, form)
    found = _INDENT.match(text.removeprefix("\ufeff"))
    indent = found[1] if found else None
    separators = None if found else (",", ":") if '":"' in text else (", ", ": ")
    made = json.dumps(content, indent=indent, separators=separators, ensure_ascii=False)
    return made + ("\n" if text.endswith("\n") else "")


def tag_script(text: str, tags: Mapping[int, str], form: Form) -> str:
    """The text of a percent file with these tags, by cell; only their lines are new or changed."""
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.split("\n")
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    # from the end, so that no line moves before it is written
    for index, (start, marker, block) in reversed(list(enumerate(percent_blocks(plain)))):
        if index not in tags:
            continue
        if marker and form == "tags":
            end = "\r" if lines[start].endswith("\r") else ""
            lines[start] = _with_tag(lines[start].removesuffix("\r"), tags[index]) + end
        else:
            at = start + 1 if marker else start + _first(block)
            # at the top there is no marker that could have tags
            line = _line(tags[index], form) if marker else f'# %% tags=["{tags[index]}"]'
            if at == len(lines):
                lines[-1] += newline[:-1]
            else:
                line += newline[:-1]
            lines.insert(at, line)
    return "\n".join(lines)


def _tag_cell(cell: dict[str, Any], tag: str, form: Form) -> None:
    if form == "tags":
        cell.setdefault("metadata", {}).setdefault("tags", []).append(tag)
        return
    line = _line(tag, form).removeprefix("# ") if form == "magic" else _line(tag, form)
    source = cell["source"]
    cell["source"] = [f"{line}\n", *source] if isinstance(source, list) else f"{line}\n{source}"


def _line(tag: str, form: Form) -> str:
    """The first line of a cell, as a script has it: magics are comments there."""
    written = tag.replace("step:", "step ")
    return f"# %%{written}" if form == "magic" else f"# nbflow: {written}"


def _with_tag(marker: str, tag: str) -> str:
    """A marker with a tag more: `# %% Load tags=["step:load"]`."""
    found = _LIST.search(marker)
    if found is None:
        return f'{marker.rstrip()} tags=["{tag}"]'
    held = f"{found[2].rstrip()}, " if found[2].strip() else ""
    return f'{marker[: found.end(1)]}{held}"{tag}"{marker[found.end(2) :]}'


def _first(block: list[str]) -> int:
    """The first line of a script that a cell's marker can stand before."""
    return next((at for at, line in enumerate(block) if line.strip() and not _TOP.match(line)), 0)
