"""Completion of tag lines: tags, options, and the names that an option takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher

from nbcompile.grammar import find_option, options_of

_TAG_LINE = re.compile(
    r"(?:%%|%(?=flow|environment)|#\s*nbflow:\s*)"
    r"(step|resources|parameters|setup|flow|environment)\s+"
)
_COMMENT_START = re.compile(r"#\s*nbflow:\s*\w*$")
_TAGS = ("step", "resources", "parameters", "setup", "flow", "environment")
_SAMPLES = {
    "memory": ("512MB", "4GB", "16GB"),
    "disk": ("1GB", "20GB"),
    "retry-delay": ("30s", "5m"),
    "timeout": ("30s", "10m", "2h"),
}


def tag_matcher(steps: Callable[[], Iterable[str]], names: Callable[[], Iterable[str]]) -> Any:
    """A matcher for IPython's completer; ``steps`` and ``names`` tell what there is by now."""

    @context_matcher(identifier="nbflow_tags")  # type: ignore[untyped-decorator]
    def match_tags(context: CompletionContext) -> dict[str, Any]:
        text = context.text_until_cursor
        found = _candidates(text, steps, names)
        if found is None:
            return {"completions": []}
        word = re.split(r"\s", text)[-1]
        # IPython replaces its own token, which can be shorter than our word
        skip = len(word) - len(context.token) if word.endswith(context.token) else 0
        return {
            "completions": [
                SimpleCompletion(one[skip:], type="nbflow") for one in found if one.startswith(word)
            ],
            "suppress": True,
            "ordered": True,
        }

    return match_tags


def _candidates(
    text: str, steps: Callable[[], Iterable[str]], names: Callable[[], Iterable[str]]
) -> list[str] | None:
    """What may stand at the end of a tag line; None where Python or IPython completes."""
    if _COMMENT_START.match(text):
        return list(_TAGS)
    tag_line = _TAG_LINE.match(text)
    if tag_line is None:
        return None
    tag, *words = tag_line[1], *text[tag_line.end() :].split(" ")
    *before, word = words
    options = [f"--{option.name}" for option in options_of(tag)]
    if word.startswith("-"):
        given = set(before)
        return [
            one
            for one in options
            if one not in given or getattr(find_option(one[2:], tag), "repeats", False)
        ]
    name = next((one[2:] for one in reversed(before) if one.startswith("--")), None)
    if name is None:
        return list(steps()) if tag == "step" and not any(before) else options
    option = find_option(name, tag)
    if option is None:
        return options
    if option.name in ("after", "each"):
        return list(steps())
    if option.kind == "names":
        return sorted(names())
    if option.kind in ("foreach", "expression"):
        return None
    if option.name in _SAMPLES and before[-1] == f"--{name}":
        return list(_SAMPLES[option.name])
    return options
