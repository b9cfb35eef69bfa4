"""What the notebook offers beside Python: shown values, shell commands, captured output."""

from __future__ import annotations

import contextlib
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
