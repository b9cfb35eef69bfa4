"""What the notebook offers beside Python: shown values, shell commands, captured output."""

from __future__ import annotations

import contextlib
import os
import pydoc
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any


def _print(value: Any) -> None:
    print(repr(value))


#: where shown values go: replace it to show them in another way
_emit: Callable[[Any], None] = _print


def _write(text: str) -> None:
    sys.stdout.write(text)


#: where the output of shell commands goes
_echo: Callable[[str], None] = _write


def show(value: Any) -> None:
    """Show the value of a cell's last expression."""
    if value is not None:
        _emit(value)


def display(*values: Any, **options: Any) -> None:
    """Show values."""
    for value in values:
        _emit(value)


def _show_and_close(ended: bool = True) -> None:
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.show()
        pyplot.close("all")


#: what shows the open figures and closes them: as a cell has `ended`, or at `plt.show()`
_figures: Callable[..., None] = _show_and_close


def show_figures() -> None:
    """Show the open figures and close them, as the end of a cell does."""
    _figures()


def shell(command: str) -> None:
    """Run a shell command and print what it prints."""
    sys.stdout.flush()
    with subprocess.Popen(
        command,
        shell=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            _echo(line)


class Lines(list[str]):
    """The lines that a command printed: a list, with the whole text in `.n` and `.s`."""

    @property
    def n(self) -> str:
        """The lines as one text."""
        return "\n".join(self)

    @property
    def s(self) -> str:
        """The lines separated by spaces."""
        return " ".join(self)

    @property
    def l(self) -> list[str]:  # noqa: E743
        """The lines as a list."""
        return self

    @property
    def p(self) -> list[Any]:
        """The lines as paths."""
        from pathlib import Path

        return [Path(line) for line in self]


def shell_lines(command: str) -> Lines:
    """Run a shell command; the lines that it prints."""
    done = subprocess.run(
        command,
        shell=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    return Lines(done.stdout.splitlines())


def script(
    command: str, text: str, *, check: bool = True, out: bool = False, err: bool = False
) -> Any:
    """Give a program text to read; what it prints is printed, or returned where asked for."""
    done = subprocess.run(shlex.split(command), input=text, text=True, capture_output=True)
    if not out:
        _echo(done.stdout)
    if not err:
        sys.stderr.write(done.stderr)
    if check and done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    if out and err:
        return done.stdout, done.stderr
    return done.stdout if out else done.stderr if err else None


class CapturedOutput:
    """What code printed and showed while its output was captured."""

    def __init__(self) -> None:
        self.stdout = ""
        self.stderr = ""
        self.outputs: list[Any] = []

    def show(self) -> None:
        """Print and show it again."""
        sys.stdout.write(self.stdout)
        sys.stderr.write(self.stderr)
        for value in self.outputs:
            _emit(value)

    __call__ = show

    def take_figures(self, ended: bool = True) -> None:
        """Keep the open figures, and close them."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None:
            self.outputs += [pyplot.figure(number) for number in pyplot.get_fignums()]
            pyplot.close("all")

    def __str__(self) -> str:
        return self.stdout


@contextlib.contextmanager
def captured_output(
    stdout: bool = True, stderr: bool = True, display: bool = True
) -> Iterator[CapturedOutput]:
    """Capture what the code inside prints and shows."""
    global _emit, _figures
    captured, out, err, before = CapturedOutput(), StringIO(), StringIO(), (_emit, _figures)
    with contextlib.ExitStack() as stack:
        if stdout:
            stack.enter_context(contextlib.redirect_stdout(out))
        if stderr:
            stack.enter_context(contextlib.redirect_stderr(err))
        if display:
            _emit, _figures = captured.outputs.append, captured.take_figures
        try:
            yield captured
            if display:
                captured.take_figures()
        finally:
            _emit, _figures = before
            captured.stdout, captured.stderr = out.getvalue(), err.getvalue()


def describe(value: Any, name: str, *, source: bool = False) -> None:
    """Print what `name?` prints in a notebook: type, signature, documentation."""
    try:
        from IPython.core.oinspect import Inspector
    except ImportError:
        print(pydoc.plain(pydoc.render_doc(value, "%s")))
        return
    make: Any = Inspector
    try:
        inspector = make(theme_name="nocolor")
    except TypeError:  # IPython 8
        inspector = make(color_scheme="NoColor")
    print(inspector._get_info(value, name, detail_level=int(source))["text/plain"])


def write_file(path: str, text: str, *, mode: str = "w") -> None:
    """Write text to a file, and say so."""
    path = os.path.expanduser(path)
    how = "Appending to" if mode == "a" else "Overwriting" if os.path.exists(path) else "Writing"
    print(f"{how} {path}")
    with open(path, mode, encoding="utf-8") as file:
        file.write(text)


class Rich:
    """Text of a kind that a notebook renders: HTML, Markdown, SVG."""

    def __init__(self, kind: str, text: str) -> None:
        self.kind = kind
        self.text = text

    def __repr__(self) -> str:
        return f"<{self.kind}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {self.kind: self.text, "text/plain": repr(self)}


def rich(kind: str, text: str) -> Rich:
    """Text that a notebook renders."""
    return Rich(kind, text)
