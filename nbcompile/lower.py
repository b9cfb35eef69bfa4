"""Lowering: a cell's IPython source made plain Python, each line knowing where it came from."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nbcompile.diagnostics import Diagnostic
from nbcompile.layout import indent
from nbcompile.magics import (
    CellRewrite,
    MagicError,
    Rewrite,
    cell_magic,
    line_magic,
    shell,
    shell_lines,
    string_lines,
)
from nbcompile.positions import after, replace
from nbcompile.shown import is_silent, show_value
from nbcompile.surroundings import Surroundings

_SHELL = "get_ipython"
_DISPLAY_MODULES = ("IPython.display", "IPython.core.display", "IPython.core.display_functions")


@dataclass(frozen=True, slots=True)
class Lowered:
    """Plain Python: ``lines[i]`` is the line of the cell that line ``i`` of ``code`` is from."""

    code: str
    lines: tuple[int, ...]
    tree: ast.Module
    #: support functions that the code calls: `show`, `shell`, …
    support: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


def lower(body: str, cell: int, around: Surroundings | None = None) -> Lowered:
    """Lower the body of a cell; what is wrong with it is in the diagnostics."""
    lowering = _Lowering(cell, around or Surroundings())
    # IPython empties lines of blanks, those within a string too
    text = ["" if line.isspace() else line for line in body.split("\n")]
    block = _Block(text, list(range(1, len(text) + 1)))
    try:
        block, tree = lowering.lower(block)
        _check_compiles(tree, block)
    except _Refused as refusal:
        lowering.say(refusal.code, "error", refusal.message, refusal.line, refusal.fix)
        return Lowered("", (), ast.Module([], []), (), tuple(lowering.diagnostics))
    return Lowered(
        "\n".join(block.lines),
        tuple(block.numbers),
        tree,
        tuple(dict.fromkeys(lowering.support)),
        tuple(lowering.diagnostics),
    )


class _Refused(Exception):
    """The cell has no plain Python."""

    def __init__(self, code: str, message: str, line: int, fix: str | None) -> None:
        super().__init__(message)
        self.code, self.message, self.line, self.fix = code, message, line, fix


@dataclass(slots=True)
class _Block:
    """Lines of code, and for each the line of the cell that it is from."""

    lines: list[str]
    numbers: list[int]

    def parse(self) -> ast.Module:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse("\n".join(self.lines))

    def number(self, line: int | None) -> int:
        if not self.numbers:
            return 1
        return self.numbers[min(max((line or 1) - 1, 0), len(self.numbers) - 1)]


class _Lowering:
    """Lowers one cell, and the bodies of its cell magics in turn."""

    def __init__(self, cell: int, around: Surroundings) -> None:
        self.cell = cell
        self.around = around
        self.support: list[str] = []
        self.diagnostics: list[Diagnostic] = []

    def say(self, code: str, severity: str, message: str, line: int, fix: str | None) -> None:
        self.diagnostics.append(
            Diagnostic(
                code,
                "error" if severity == "error" else "info",
                message,
                cell=self.cell,
                line=line,
                fix=fix,
            )
        )

    def lower(self, block: _Block) -> tuple[_Block, ast.Module]:
        try:
            tree = block.parse()
        except (SyntaxError, ValueError):
            start = next((i for i, line in enumerate(block.lines) if line.strip()), 0)
            first = block.lines[start] if block.lines else ""
            if first.startswith("%%") and not first.split()[0].endswith("?"):
                return self._lower_cell_magic(block, start)
            block = _transformed(block)
            tree = _parsed(block)
        if any(_SHELL in line for line in block.lines):
            block = self._rewritten(block, tree)
            tree = _parsed(block)
        if any(line.lstrip().startswith("from IPython.") for line in block.lines):
            block = _without_display(block, tree)
            tree = _parsed(block)
        return self._shown(block, tree)

    # -- cell magics -----------------------------------------------------------------------

    def _lower_cell_magic(self, block: _Block, start: int) -> tuple[_Block, ast.Module]:
        from IPython.core import inputtransformer2

        transform: Callable[[list[str]], list[str]] = inputtransformer2.cell_magic
        call = ast.parse(transform([block.lines[start] + "\n"])[0], mode="eval").body
        name, argument = _arguments(call)[:2]
        number = block.numbers[start]
        rewrite = self._rewrite_cell(name, argument, number)
        self.support.extend(rewrite.support)
        if rewrite.note:
            self.say("NBF110", "info", rewrite.note, number, None)
        head = _Block(block.lines[:start], block.numbers[:start])
        rest = _Block(block.lines[start + 1 :], block.numbers[start + 1 :])
        if rewrite.body == "drop":
            rest, added = _Block([], []), [""]
        elif rewrite.body == "text":
            rest, added = _as_text(rewrite.head, rest, number), []
        else:
            rest, tree = self.lower(rest)
            added = [rewrite.head]
            if rewrite.body == "block":
                lines = indent("\n".join(rest.lines)).split("\n") if rest.lines else []
                rest = _Block(lines, rest.numbers)
                if not tree.body:
                    rest = _Block([*rest.lines, "    pass"], [*rest.numbers, number])
        whole = _Block(
            [*head.lines, *added, *rest.lines],
            [*head.numbers, *([number] * len(added)), *rest.numbers],
        )
        return whole, _parsed(whole)

    def _rewrite_cell(self, name: str, argument: str, number: int) -> CellRewrite:
        try:
            return cell_magic(name, argument, self.around)
        except MagicError as error:
            raise _Refused("NBF110", error.message, number, error.fix) from None
        except ValueError as error:
            message = f"`%%{name} {argument}` cannot be read: {error}."
            raise _Refused("NBF110", message, number, "Correct the line.") from None

    # -- line magics and shell commands ----------------------------------------------------

    def _rewritten(self, block: _Block, tree: ast.Module) -> _Block:
        """Put Python in the place of every call of the interactive shell."""
        lines = list(block.lines)
        for call, statement, alone in reversed(list(_shell_calls(tree))):
            number = block.number(call.lineno)
            text = self._replacement(call, statement is not None, number)
            if not text and alone:
                text = "pass"
            target: ast.stmt | ast.expr = call if statement is None else statement
            replace(lines, target, text)
        return _Block(lines, block.numbers)

    def _replacement(self, call: ast.Call, is_statement: bool, number: int) -> str:
        assert isinstance(call.func, ast.Attribute)
        method = call.func.attr
        try:
            arguments = _arguments(call)
            rewrite = self._rewrite_call(method, arguments)
        except MagicError as error:
            raise _Refused("NBF110", error.message, number, error.fix) from None
        self.support.extend(rewrite.support)
        if rewrite.note:
            self.say("NBF110", "info", rewrite.note, number, None)
        text = rewrite.text
        if rewrite.nested and text:
            text = self._nested(text, number)
        if not is_statement and (not text or text.startswith("import ")):
            message = f"The result of `%{arguments[0]}` cannot be used in a flow."
            raise _Refused("NBF110", message, number, "Write it in Python.")
        return text

    def _rewrite_call(self, method: str, arguments: list[str]) -> Rewrite:
        match method, arguments:
            case "run_line_magic", [name, argument, *_]:
                return line_magic(name, argument, self.around)
            case "magic", [text]:
                name, _, argument = text.lstrip("%").partition(" ")
                return line_magic(name, argument, self.around)
            case "system", [command]:
                return shell(command, self.around)
            case "getoutput", [command]:
                return shell_lines(command, self.around)
        raise MagicError(
            f"`get_ipython().{method}` works only in an interactive shell.",
            "Write it in Python.",
        )

    def _nested(self, text: str, number: int) -> str:
        block = _transformed(_Block([text], [number]))
        tree = _parsed(block)
        if _SHELL in block.lines[0]:
            block = self._rewritten(block, tree)
        return block.lines[0]

    # -- the last expression ---------------------------------------------------------------

    def _shown(self, block: _Block, tree: ast.Module) -> tuple[_Block, ast.Module]:
        """Show the value of a cell's last expression, as the notebook does."""
        last = tree.body[-1] if tree.body else None
        if not isinstance(last, ast.Expr) or is_silent(last.value):
            return block, tree
        lines = list(block.lines)
        if after(lines, last).lstrip().startswith(";"):
            return block, tree
        support = self.around.support("show")
        self.support.append(support)
        still_good = show_value(lines, last, support)
        shown = _Block(lines, block.numbers)
        return shown, tree if still_good else _parsed(shown)


def _without_display(block: _Block, tree: ast.Module) -> _Block:
    """Leave out imports of IPython's `display`: the flow has one that works in its tasks."""
    lines = list(block.lines)
    for node in ast.walk(tree):
        if (
            not isinstance(node, ast.ImportFrom)
            or node.module not in _DISPLAY_MODULES
            or not any(alias.name == "display" and not alias.asname for alias in node.names)
        ):
            continue
        node.names = [alias for alias in node.names if alias.name != "display"]
        nothing = "" if node in tree.body else "pass"
        replace(lines, node, ast.unparse(node) if node.names else nothing)
    return _Block(lines, block.numbers)


def _transformed(block: _Block) -> _Block:
    """Apply IPython's transformations, keeping account of the lines that each joins."""
    from IPython.core import inputtransformer2

    manager: Any = inputtransformer2.TransformerManager()  # type: ignore[no-untyped-call]
    lines = [f"{line}\n" for line in block.lines]
    numbers = list(block.numbers)
    for clean in manager.cleanup_transforms:
        count = len(lines)
        lines = clean(lines)
        # only leading empty lines are ever taken away
        numbers = numbers[count - len(lines) :]
    changed = True
    while changed:
        changed = False
        tokens = inputtransformer2.make_tokens_by_line(lines)
        found = [kind.find(tokens) for kind in manager.token_transformers]
        for transformer in sorted((t for t in found if t), key=lambda t: t.sortby()):
            try:
                done = transformer.transform(lines)
            except SyntaxError:
                continue
            joined, start = len(lines) - len(done) + 1, transformer.start_line
            numbers = [*numbers[: start + 1], *numbers[start + joined :]]
            lines, changed = done, True
            break
    return _Block([line.removesuffix("\n") for line in lines], numbers)


def _parsed(block: _Block) -> ast.Module:
    try:
        return block.parse()
    except SyntaxError as error:
        message = f"The cell is not valid Python: {error.msg}."
        raise _Refused("NBF108", message, block.number(error.lineno), "Correct the line.") from None
    except ValueError as error:
        raise _Refused("NBF108", f"The cell is not valid Python: {error}.", 1, None) from None


def _check_compiles(tree: ast.Module, block: _Block) -> None:
    """Refuse what parses but is no code: `return` or `break` outside, `nonlocal` at the top."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(tree, "<cell>", "exec", flags=flags, dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        message = error.msg if isinstance(error, SyntaxError) else str(error)
        line = block.number(error.lineno if isinstance(error, SyntaxError) else 1)
        raise _Refused(
            "NBF108", f"The cell is not valid Python: {message}.", line, "Correct the line."
        ) from None


def _arguments(call: ast.expr) -> list[str]:
    assert isinstance(call, ast.Call)
    values = [value.value for value in call.args if isinstance(value, ast.Constant)]
    if len(values) < len(call.args) or call.keywords:
        raise MagicError(
            "A magic whose text is computed works only in an interactive shell.",
            "Write it in Python.",
        )
    return [str(value) for value in values]


def _shell_calls(tree: ast.Module) -> list[tuple[ast.Call, ast.Expr | None, bool]]:
    """The calls on `get_ipython()`: each with its statement where it is all of one, and
    whether that statement is alone in an inner block."""
    found: list[tuple[ast.Call, ast.Expr | None, bool]] = []
    statements: dict[ast.expr, tuple[ast.Expr, bool]] = {}
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            suite = getattr(node, name, None)
            if isinstance(suite, list):
                alone = len(suite) == 1 and not isinstance(node, ast.Module)
                for child in suite:
                    if isinstance(child, ast.Expr):
                        statements[child.value] = (child, alone)
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Call)
            and isinstance(node.func.value.func, ast.Name)
            and node.func.value.func.id == _SHELL
        ):
            statement, alone = statements.get(node, (None, False))
            found.append((node, statement, alone))
    return sorted(found, key=lambda item: (item[0].lineno, item[0].col_offset))


def _as_text(head: str, body: _Block, number: int) -> _Block:
    """A call with the body as one string argument, a line of source for each line of text."""
    while body.lines and not body.lines[-1].strip():
        body = _Block(body.lines[:-1], body.numbers[:-1])
    before, _, after = head.partition("{body}")
    if not body.lines:
        return _Block([f"{before}''{after}"], [number])
    lines = [f"{before}(", *string_lines(body.lines)]
    lines[-1] += f"){after}"
    return _Block(lines, [number, *body.numbers])
