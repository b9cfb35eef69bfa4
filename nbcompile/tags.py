"""Tags of a cell: its nbflow tag lines, in all three spellings, taken off its body."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from nbcompile.diagnostics import Diagnostic, Severity
from nbcompile.grammar import (
    OPTIONS,
    TAGS,
    Option,
    did_you_mean,
    find_option,
    find_tag,
    split_tag_line,
    suggest_name,
    usable_name,
)
from nbcompile.notebook import Cell

TagKind = Literal["step", "parameters", "setup", "flow"]

_COMMENT = "# nbflow:"
#: the comment form with something missing
_NEARLY = re.compile(rf"#\s*nbflow\s*:?\s*((?:{'|'.join(tag.name for tag in TAGS)})\b.*)")
#: those that are line magics
_LINES = ("flow", "environment")
#: IPython magics that may stand above or between nbflow's, on lines of their own
_STACKING = frozenset({"time", "timeit", "capture", "prun", "memit", "mprun", "lprun"})
#: magics that hold text of another kind: tags in it are that text's own business
_VERBATIM = frozenset({"writefile", "file", "bash", "sh", "script", "html", "markdown", "latex"})


@dataclass(frozen=True, slots=True)
class Given:
    """An option as the user gave it: the raw text of its value, and the line of the cell."""

    option: Option
    value: str
    cell: int
    line: int


@dataclass(frozen=True, slots=True)
class GivenEnvironment:
    """A line `%environment NAME TEXT --python VERSION` as the user gave it."""

    name: str
    text: str
    python: str | None
    cell: int
    line: int


@dataclass(frozen=True, slots=True)
class TaggedCell:
    """A code cell with its tags read; ``body`` has the cell's lines, tag lines made blank."""

    cell: int
    kind: TagKind | None
    step: str | None
    given: tuple[Given, ...]
    body: str
    diagnostics: tuple[Diagnostic, ...] = ()
    #: line of the tag that gave the cell its kind
    line: int = 1
    #: what a `%flow` line says, in a cell of any kind
    flow_name: str | None = None
    flow_given: tuple[Given, ...] = ()
    #: what its `%environment` lines say
    environments: tuple[GivenEnvironment, ...] = ()

    @property
    def speaks(self) -> bool:
        """Whether it says something of the whole flow."""
        return bool(self.flow_name or self.flow_given or self.environments)


@dataclass(frozen=True, slots=True)
class _Line:
    """A tag as found: its name, the text after it, its line, how it was written."""

    tag: str
    text: str
    line: int
    written: str


def read_tags(cell: Cell) -> TaggedCell:
    """Read a code cell's tags, wherever they are written."""
    return _Reader(cell).read()


class _Reader:
    """Reads one cell; collects what it says and what is wrong with it."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.lines = cell.source.split("\n")
        self.diagnostics: list[Diagnostic] = []
        self.kind: TagKind | None = None
        self.kind_line = 1
        self.step: str | None = None
        self.given: list[Given] = []
        self.flow_name: str | None = None
        self.flow_given: list[Given] = []
        self.environments: list[GivenEnvironment] = []

    def read(self) -> TaggedCell:
        for tag in self.cell.tags:
            self._read_metadata(tag)
        header_end = self._read_header()
        if "%" in self.cell.source or _COMMENT in self.cell.source:
            self._read_rest(header_end)
        if self.given and self.kind != "step":
            self._say(
                "NBF106",
                "`resources` needs a step: this cell has no `step` tag.",
                self.given[0].line,
                "Put %%step NAME above it.",
            )
        return TaggedCell(
            cell=self.cell.index,
            kind=self.kind,
            step=self.step,
            given=tuple(self.given),
            body="\n".join(self.lines),
            diagnostics=tuple(self.diagnostics),
            line=self.kind_line,
            flow_name=self.flow_name,
            flow_given=tuple(self.flow_given),
            environments=tuple(self.environments),
        )

    # -- finding tag lines -----------------------------------------------------------------

    def _read_metadata(self, tag: str) -> None:
        name, colon, text = tag.partition(":")
        if (name in ("step", "resources") and colon) or tag in ("parameters", "setup"):
            self._take(_Line(name, text, 1, f"the cell tag `{tag}`"))

    def _read_header(self) -> int:
        """Read the tag lines at the cell's top; the number of the first line after them."""
        for number, line in enumerate(self.lines, start=1):
            if line.startswith("%%"):
                name, _, text = line[2:].partition(" ")
                if not name and find_tag(text.strip().partition(" ")[0]):
                    self._nearly(line, f"%%{text.strip()}", number)
                    return number
                if find_tag(name.strip()):
                    self._take(_Line(name.strip(), text, number, f"%%{name.strip()}"))
                    self.lines[number - 1] = ""
                elif name.strip() in _STACKING:
                    continue
                else:
                    self._check_misspelt(name.strip(), number)
                    return len(self.lines) + 1 if name.strip() in _VERBATIM else number
            elif line.startswith(_COMMENT):
                self._read_comment(line, number)
            elif near := _NEARLY.match(line):
                self._nearly(line, f"{_COMMENT} {near[1]}", number)
            elif line.strip() and not line.startswith("#"):
                return number
        return len(self.lines) + 1

    def _read_comment(self, line: str, number: int) -> None:
        name, _, text = line[len(_COMMENT) :].strip().partition(" ")
        if find_tag(name):
            self._take(_Line(name, text, number, f"{_COMMENT} {name}"))
            self.lines[number - 1] = ""
            return
        guess = did_you_mean(name, [tag.name for tag in TAGS])
        self._say(
            "NBF103",
            f"`{_COMMENT} {name}` is not a tag that nbflow knows.",
            number,
            f"Did you mean `{guess}`?"
            if guess
            else f"The tags are {', '.join(t.name for t in TAGS)}.",
        )

    def _nearly(self, line: str, meant: str, number: int) -> None:
        """A line that is no tag, and looks as if it were meant as one."""
        said, fix = f"`{line.strip()}` tags nothing.", f"Did you mean `{meant.strip()}`?"
        # a comment may be about nbflow, and a magic somebody else's
        sure = line.startswith("%%") or meant.startswith("%%")
        self._say("NBF103", said, number, fix, "error" if sure else "warning")

    def _check_misspelt(self, name: str, number: int) -> None:
        guess = did_you_mean(name, [tag.name for tag in TAGS])
        if guess:
            self._say(
                "NBF103",
                f"`%%{name}` is not a tag that nbflow knows.",
                number,
                f"Did you mean `%%{guess}`?",
            )

    def _read_rest(self, start: int) -> None:
        """Drop nbflow's line magics, and find tags that stand too late to be read."""
        suspects = [
            number
            for number, line in enumerate(self.lines[start - 1 :], start=start)
            if line.startswith(("%load_ext", "%nbflow", "%%", _COMMENT)) or _line_tag(line)
        ]
        if not suspects or self._is_plain_python(suspects):
            return
        for number in suspects:
            line = self.lines[number - 1]
            word, _, text = line.partition(" ")
            tag = _line_tag(line)
            if tag in _LINES and word[1:] == tag:
                self._take(_Line(tag, text, number, word))
                self.lines[number - 1] = ""
            elif tag is not None:
                self._nearly(line, f"%{tag} {text}" if tag in _LINES else f"%{line}", number)
            elif word == "%nbflow" or line.split("#")[0].split() == ["%load_ext", "nbflow"]:
                self.lines[number - 1] = ""
            elif word.startswith("%%") and find_tag(word[2:]):
                self._too_late(word, number)
            elif line.startswith(_COMMENT):
                self._too_late(f"{_COMMENT} {line[len(_COMMENT) :].strip()}", number)

    def _is_plain_python(self, suspects: list[int]) -> bool:
        """Whether what looks like tags stands in strings: then the cell parses as it is."""
        if any(self.lines[number - 1].startswith(_COMMENT) for number in suspects):
            return False
        try:
            ast.parse("\n".join(self.lines))
        except (SyntaxError, ValueError):
            return False
        return True

    def _too_late(self, written: str, number: int) -> None:
        self._say(
            "NBF103",
            f"`{written}` stands below code and has no effect there.",
            number,
            "Move it to the top of its cell, or start a new cell with it.",
        )

    # -- reading one tag -------------------------------------------------------------------

    def _take(self, line: _Line) -> None:
        tag = find_tag(line.tag)
        assert tag is not None
        try:
            parts = split_tag_line(line.text)
        except ValueError as error:
            self._say("NBF105", f"{line.written}: {error}.", line.line, "Close it on this line.")
            return
        words = list(parts.words)
        name = words.pop(0) if words and tag.needs_name is not None else None
        for word in words if line.tag != "environment" else ():
            self._say(
                "NBF104",
                f"{line.written} does not know what to do with `{word}`.",
                line.line,
                f"An option starts with two dashes: `--{word.lstrip('-')}`."
                if find_option(word.lstrip("-"), line.tag)
                else "Remove it.",
            )
        given = [
            Given(option, value, self.cell.index, line.line)
            for text, value in parts.options
            if (option := self._find_option(text, line)) is not None
        ]
        if line.tag == "flow":
            self._take_flow(name, given, line)
            return
        if line.tag == "environment":
            self._take_environment(name, words, given, line)
            return
        if line.tag == "step":
            self._take_step(name, line)
        elif line.tag in ("parameters", "setup"):
            self._take_kind("parameters" if line.tag == "parameters" else "setup", line)
        self.given.extend(given)

    def _take_step(self, name: str | None, line: _Line) -> None:
        if name is None:
            self._say(
                "NBF107", f"{line.written} has no step name.", line.line, "Write %%step NAME."
            )
            return
        problem = usable_name(name)
        if problem:
            self._say(
                "NBF107",
                f"The step name `{name}` {problem}.",
                line.line,
                f"Use `{suggest_name(name)}`, say.",
            )
            return
        if self.step not in (None, name):
            self._say(
                "NBF106",
                f"The cell is tagged as step `{self.step}` and as step `{name}`.",
                line.line,
                "Keep one of them.",
            )
            return
        self.step = name
        self._take_kind("step", line)

    def _take_kind(self, kind: TagKind, line: _Line) -> None:
        if self.kind not in (None, kind):
            self._say(
                "NBF106",
                f"The cell is tagged both `{self.kind}` and `{kind}`.",
                line.line,
                "Keep one of them.",
            )
            return
        if self.kind is None:
            self.kind, self.kind_line = kind, line.line

    def _take_flow(self, name: str | None, given: list[Given], line: _Line) -> None:
        problem = usable_name(name) if name else None
        if name and problem:
            self._say(
                "NBF107",
                f"The flow name `{name}` {problem}.",
                line.line,
                f"Use `{suggest_name(name)}`, say.",
            )
            name = None
        self.flow_name = name or self.flow_name
        self.flow_given.extend(given)

    def _take_environment(
        self, name: str | None, words: list[str], given: list[Given], line: _Line
    ) -> None:
        if name is None or not name.replace("-", "_").replace(".", "_").isidentifier():
            said = "has no name" if name is None else f"has `{name}` for a name"
            fix = "Write %environment NAME REQUIREMENT…"
            self._say("NBF107", f"{line.written} {said}.", line.line, fix)
            return
        python = next((one.value.strip("\"'") for one in given), None)
        place = (self.cell.index, line.line)
        self.environments.append(GivenEnvironment(name, " ".join(words), python, *place))

    def _find_option(self, text: str, line: _Line) -> Option | None:
        option = find_option(text, line.tag)
        if option:
            return option
        others = [o for o in OPTIONS if o.name == text]
        known = [o.name for o in OPTIONS if line.tag in o.tags]
        guess = did_you_mean(text, known)
        if others:
            fix = f"It belongs on %%{others[0].tags[0]}."
        elif guess:
            fix = f"Did you mean `--{guess}`?"
        elif known:
            fix = f"It takes {', '.join(f'--{name}' for name in known)}."
        else:
            fix = "It takes no options."
        self._say("NBF104", f"{line.written} has no option `--{text}`.", line.line, fix)
        return None

    def _say(
        self, code: str, message: str, line: int, fix: str, severity: Severity = "error"
    ) -> None:
        self.diagnostics.append(
            Diagnostic(code, severity, message, cell=self.cell.index, line=line, fix=fix)
        )


def _line_tag(line: str) -> str | None:
    """The tag that a line magic is, or was meant to be; cell magics' names count too."""
    word = re.match(r"%(\w+)", line)
    if word is None or word[1] == "nbflow":
        return None
    if find_tag(word[1]):
        return word[1]
    return next(iter(get_close_matches(word[1], _LINES, 1, 0.75)), None)
