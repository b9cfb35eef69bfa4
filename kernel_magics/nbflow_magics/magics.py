"""The magics: `%nbflow`, `%flow` and its like, and what `%%step?` and a plain shell need."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbcompile.environments import read_environments
from nbcompile.grammar import TAGS, Tag, options_of
from nbcompile.notebook import Cell
from nbcompile.tags import read_tags
from nbflow_magics.say import TagError

if TYPE_CHECKING:
    from nbflow_magics.session import Session

#: the tags that are line magics
LINES = ("flow", "environment")


def register_magics(shell: Any, session: Session) -> None:
    """Add nbflow's magics to the shell."""
    from nbflow_magics.command import nbflow_command

    for tag in TAGS:
        shell.register_magic_function(_tag_magic(shell, tag), "cell", tag.name)
    for name in LINES:
        shell.register_magic_function(_line_magic(name), "line", name)

    def nbflow(line: str) -> Any:
        return nbflow_command(session, line)

    nbflow.__doc__ = nbflow_command.__doc__
    shell.register_magic_function(nbflow, "line", "nbflow")


def unregister_magics(shell: Any) -> None:
    """Take them out again."""
    magics = shell.magics_manager.magics
    for tag in TAGS:
        magics["cell"].pop(tag.name, None)
    for name in (*LINES, "nbflow"):
        magics["line"].pop(name, None)


def tag_help(tag: Tag) -> str:
    """What `%%step?` shows, from the one grammar of tags."""
    written = "%" if tag.name in LINES else "%%"
    options = options_of(tag.name)
    head = f"{written}{tag.name} {tag.metavar}".rstrip() + " [options]" * bool(options)
    given = [f"--{one.name} {one.metavar}".rstrip() for one in options]
    width = max(map(len, given), default=0)
    rows = [
        f"    {text:<{width}}  {one.help}{' (may be repeated)' * one.repeats}"
        for text, one in zip(given, options, strict=True)
    ]
    return "\n".join(
        [
            f"{head}: {tag.help}.",
            *(["", "Options:", *rows] if rows else []),
            "",
            f"The same as a comment on the cell's first line: # nbflow: {tag.name} …",
        ]
    )


def _tag_magic(shell: Any, tag: Tag) -> Callable[[str, str], None]:
    """The magic behind a tag: gives help, and runs a body that no transformer saw."""

    def run_body(line: str, cell: str) -> None:
        shell.run_cell(cell).raise_error()

    run_body.__doc__ = tag_help(tag)
    run_body.__name__ = tag.name
    return run_body


def _line_magic(name: str) -> Callable[[str], None]:
    """`%flow NAME [options]`, say, only speaks to the compiler; here it is checked."""

    def speak(line: str) -> None:
        tagged = read_tags(Cell(0, "code", f"%{name} {line}"))
        _, wrong = read_environments([tagged])
        if tagged.diagnostics or wrong:
            raise TagError((*tagged.diagnostics, *wrong))

    speak.__doc__ = tag_help(next(tag for tag in TAGS if tag.name == name))
    speak.__name__ = name
    return speak
