"""Magics: what each IPython magic means in a flow, one table for lines and one for cells."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nbcompile.shelltext import python_string
from nbcompile.surroundings import Surroundings


class MagicError(Exception):
    """A magic that has no meaning outside an interactive shell."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message, fix)
        self.message = message
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What stands in a magic's place; an empty text where it is dropped."""

    text: str = ""
    #: support functions that the text calls
    support: tuple[str, ...] = ()
    #: the text is IPython code itself and is to be lowered in turn
    nested: bool = False
    #: said to the user where the magic is dropped though it did something
    note: str | None = None


@dataclass(frozen=True, slots=True)
class CellRewrite:
    """What stands around a cell magic's body, or instead of it."""

    #: "keep" the body; "drop" it; "block": indent it under ``head``; "text": pass it as a string
    body: str
    head: str = ""
    support: tuple[str, ...] = ()
    note: str | None = None


_DROPPED = frozenset(
    "matplotlib config load_ext reload_ext unload_ext autoreload aimport precision colors xmode "
    "pdb pprint automagic autocall doctest_mode nbflow flow lsmagic magic alias_magic subplots "
    "pip conda mamba micromamba uv".split()
)
_INSTALLERS = frozenset({"pip", "conda", "mamba", "micromamba", "uv"})
_MEASURES = frozenset({"timeit", "memit", "mprun", "lprun"})
_COMMANDS = frozenset({"mkdir", "rmdir", "rm", "cp", "mv", "cat", "ls", "ll", "man"})
_RICH = {
    "html": "text/html",
    "HTML": "text/html",
    "markdown": "text/markdown",
    "latex": "text/latex",
    "svg": "image/svg+xml",
    "SVG": "image/svg+xml",
    "javascript": "application/javascript",
    "js": "application/javascript",
}
_PROGRAMS = frozenset({"bash", "sh", "perl", "ruby", "python", "python3"})

#: names that only an interactive shell has, beside `_1`, `_i1` and so on
_HISTORY = frozenset({"In", "Out", "_", "__", "___", "_i", "_ii", "_iii", "_ih", "_oh", "_dh"})


def is_shell_name(name: str) -> bool:
    """Whether a name that nobody binds is one of IPython's own: `Out`, `_`, `_3`, `_i3`."""
    return name in _HISTORY or (
        name.startswith("_") and name[1:].removeprefix("i").isdecimal() and name != "_i"
    )


def line_magic(name: str, argument: str, around: Surroundings) -> Rewrite:
    """The meaning of `%name argument`; MagicError where it has none."""
    if name in _INSTALLERS:
        note = f"`%{name}` is left out of the flow: packages belong in its environment."
        return Rewrite(note=note)
    if name in _DROPPED:
        return Rewrite()
    if name in _MEASURES:
        if "-o" in argument.split():
            raise _interactive(f"%{name} -o", "Measure with time.perf_counter().")
        return Rewrite(note=f"`%{name}` only measures and is left out of the flow.")
    if name in ("time", "prun"):
        return Rewrite(_statement(name, argument), nested=True)
    if name in _COMMANDS:
        command = f"ls -l {argument}" if name == "ll" else f"{name} {argument}"
        return shell(command.strip(), around)
    if name in _LINES:
        return _LINES[name](argument, around)
    raise _interactive(f"%{name}", "Remove the line, or write it in Python.")


def cell_magic(name: str, argument: str, around: Surroundings) -> CellRewrite:
    """The meaning of `%%name argument` at the top of a cell; MagicError where it has none."""
    if name in ("time", "prun"):
        return CellRewrite("keep")
    if name in _MEASURES:
        return CellRewrite("drop", note=f"`%%{name}` only measures: the cell is left out.")
    if name == "capture":
        return _capture(argument, around)
    if name in ("writefile", "file"):
        words = shlex.split(argument)
        mode = ', mode="a"' if {"-a", "--append"} & set(words) else ""
        file = " ".join(word for word in words if word not in ("-a", "--append"))
        support = around.support("write_file")
        return CellRewrite(
            "text", f"{support}({python_string(file, around)}, {{body}}{mode})", (support,)
        )
    if name in _RICH:
        support, rich = around.support("show"), around.support("rich")
        return CellRewrite("text", f"{support}({rich}({_RICH[name]!r}, {{body}}))", (support, rich))
    if name in _PROGRAMS or name == "script":
        return _script(argument if name == "script" else f"{name} {argument}", around)
    raise _interactive(f"%%{name}", "Tag another cell, or write it in Python.")


def shell(command: str, around: Surroundings) -> Rewrite:
    """The meaning of `!command`."""
    support = around.support("shell")
    return Rewrite(f"{support}({python_string(command, around)})", (support,))


def shell_lines(command: str, around: Surroundings) -> Rewrite:
    """The meaning of `x = !command` and of `!!command`."""
    support = around.support("shell_lines")
    return Rewrite(f"{support}({python_string(command, around)})", (support,))


def _statement(name: str, argument: str) -> str:
    words = argument.split()
    if words and words[0].startswith("-"):
        if name == "time" and words[0] == "--no-raise-error":
            return argument.split(None, 1)[1] if len(words) > 1 else ""
        raise _interactive(f"%{name} {words[0]}", "Remove the option.")
    return argument


def _capture(argument: str, around: Surroundings) -> CellRewrite:
    words = shlex.split(argument)
    names = [word for word in words if not word.startswith("-")]
    switches = [
        f"{stream}=False" for stream in ("stdout", "stderr", "display") if f"--no-{stream}" in words
    ]
    support = around.support("captured_output")
    target = f" as {names[0]}" if names else ""
    return CellRewrite("block", f"with {support}({', '.join(switches)}){target}:", (support,))


def _script(line: str, around: Surroundings) -> CellRewrite:
    support = around.support("script")
    words = shlex.split(line)
    command: list[str] = []
    outputs: dict[str, str] = {}
    check = True
    while words:
        word = words.pop(0)
        option, _, value = word.partition("=")
        if option in ("--out", "--err"):
            outputs[option[2:]] = value or (words.pop(0) if words else "")
        elif word == "--no-raise-error":
            check = False
        elif option in ("--bg", "--proc"):
            raise _interactive(f"a script with {option}", "Run it in the foreground.")
        else:
            command.append(word)
    arguments = ", ".join(
        [repr(shlex.join(command)), "{body}", *([] if check else ["check=False"])]
    )
    if not outputs:
        return CellRewrite("text", f"{support}({arguments})", (support,))
    flags = "".join(f", {stream}=True" for stream in outputs)
    targets = ", ".join(outputs[stream] for stream in ("out", "err") if stream in outputs)
    return CellRewrite("text", f"{targets} = {support}({arguments}{flags})", (support,))


def _change_directory(argument: str, around: Surroundings) -> Rewrite:
    words = argument.split()
    quiet = "-q" in words
    folder = " ".join(word for word in words if word != "-q").strip("'\"") or "~"
    if folder.startswith("-"):
        raise _interactive(f"%cd {folder}", "Name the folder.")
    shown = "" if quiet else "; print(os.getcwd())"
    return Rewrite(f"import os; os.chdir({_path(folder, around)}){shown}")


def _path(folder: str, around: Surroundings) -> str:
    text = python_string(folder.strip("'\""), around)
    return f"os.path.expanduser({text})" if folder.startswith("~") else text


def _environ(argument: str, around: Surroundings) -> Rewrite:
    name, equals, value = argument.partition("=")
    if not equals:
        name, _, value = argument.strip().partition(" ")
    name, value = name.strip(), value.strip()
    if not name:
        return Rewrite("import os; dict(os.environ)")
    if not value and not equals:
        return Rewrite(f"import os; os.environ.get({name!r})")
    text = python_string(value, around)
    if isinstance(_literal(text), str):
        said = repr(f"env: {name}={_literal(text)}")
    else:
        said = f'f"env: {name}={{os.environ[{name!r}]}}"'
    return Rewrite(f"import os; os.environ[{name!r}] = {text}; print({said})")


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except ValueError:
        return None


def _working_directory(argument: str, around: Surroundings) -> Rewrite:
    return Rewrite("import os; os.getcwd()")


def _describe(argument: str, around: Surroundings) -> Rewrite:
    return _help(argument, "", around)


def _describe_more(argument: str, around: Surroundings) -> Rewrite:
    return _help(argument, ", source=True", around)


def _help(argument: str, more: str, around: Surroundings) -> Rewrite:
    subject = argument.strip()
    try:
        ast.parse(subject, mode="eval")
    except SyntaxError:
        raise _interactive(f"{subject}?", "Remove the line.") from None
    support = around.support("describe")
    return Rewrite(f"{support}({subject}, {subject!r}{more})", (support,))


def _capture_shell(argument: str, around: Surroundings) -> Rewrite:
    return shell_lines(argument, around)


_LINES: dict[str, Callable[[str, Surroundings], Rewrite]] = {
    "cd": _change_directory,
    "env": _environ,
    "set_env": _environ,
    "pwd": _working_directory,
    "pinfo": _describe,
    "pinfo2": _describe_more,
    "sx": _capture_shell,
    "system": _capture_shell,
}


def _interactive(what: str, fix: str) -> MagicError:
    return MagicError(f"`{what}` works only in an interactive shell.", fix)


def string_lines(body: Sequence[str]) -> list[str]:
    """The source of a string, a line of source for each line of text."""
    return [repr(f"{line}\n") for line in body]
