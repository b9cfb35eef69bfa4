"""The tag lines of a cell become comments, so that the rest runs as if they were not there.

Pure text: no tag is judged here, as IPython also transforms input that it never runs (completion,
"is this complete?"). Only a tag that stands where IPython would look for a cell magic counts.
"""

from __future__ import annotations

import re

from nbcompile.grammar import TAGS

_TAG = re.compile(rf"%%(?:{'|'.join(tag.name for tag in TAGS)})(?=\s|$)")
_COMMENT_TAG = "# nbflow:"
_MAGIC = re.compile(r"%%(\w+)")
#: cell magics whose body is Python: tags may stand below them, and comments do no harm there
PYTHON_BODY = frozenset({"capture", "lprun", "memit", "mprun", "prun", "time", "timeit"})


class CommentTags:
    """A transformer for IPython's clean-up stage: the cell's lines with its tags as comments.

    Other cell magics of the stack move before the tags, as IPython wants a cell magic first. Every
    line keeps its number, unless the other magic's body is no Python: there the tags are left out.
    """

    #: so that IPython does not ask it whether input is complete: at a console a tagged cell goes
    #: on to the next empty line, as one with a cell magic does
    has_side_effects = True

    def __call__(self, lines: list[str]) -> list[str]:
        return comment_tags(lines)


def comment_tags(lines: list[str]) -> list[str]:
    """The lines with their tags as comments, other cell magics above them."""
    head = _head(lines)
    if not any(_is_tag(line) for line in head):
        return lines
    magics = [line for line in head if _MAGIC.match(line) and not _is_tag(line)]
    python = all(_takes_python(line) for line in magics)
    rest = [_commented(line) for line in head if line not in magics] if python else []
    return [*magics, *rest, *lines[len(head) :]]


def has_tags(cell: str) -> bool:
    """Whether the cell has a tag line."""
    return any(_is_tag(line) for line in _head(cell.splitlines(keepends=True)))


def _head(lines: list[str]) -> list[str]:
    """The lines at the top that are magics, comments or empty."""
    for at, line in enumerate(lines):
        text = line.strip()
        if text and not text.startswith("#") and not _MAGIC.match(line):
            return lines[:at]
        if _MAGIC.match(line) and not _is_tag(line) and not _takes_python(line):
            return lines[: at + 1]
    return lines


def _takes_python(magic: str) -> bool:
    match = _MAGIC.match(magic)
    return match is not None and match[1] in PYTHON_BODY


def _is_tag(line: str) -> bool:
    return bool(_TAG.match(line)) or line.startswith(_COMMENT_TAG)


def _commented(line: str) -> str:
    return f"# {line}" if line.startswith("%%") else line
