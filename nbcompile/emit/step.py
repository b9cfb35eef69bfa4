"""Step modules: a step as a documented function of its inputs."""

from __future__ import annotations

import ast
import builtins
import re
import textwrap
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from nbcompile.ambient import AMBIENT, BY_VARIABLE, Ambient
from nbcompile.emit.formatting import LINE_LENGTH
from nbcompile.emit.imports import bound_names, sorted_imports
from nbcompile.emit.names import bindings, read_before_bound
from nbcompile.emit.rename import SHARE, Setting, adapt, declared_global, needs_adapting
from nbcompile.emit.source import Source
from nbcompile.emit.state import state_lines
from nbcompile.flow import Expression, Flow, Piece, Reads, Step
from nbcompile.generics import type_alias
from nbcompile.layout import indent

_INDENT = "    "
_BUILTINS = frozenset(dir(builtins))
#: an import whose name means the module itself
_PLAIN = re.compile(r"import [\w.]+$")
_SHARE = '''def {share}(name, value):
    """Bind a name that functions in `common` use, inside an expression."""
    setattr({common}, name, value)
    return value

'''


@dataclass(frozen=True, slots=True)
class Place:
    """What a step's module has to know of the package around it."""

    package: str
    future: tuple[str, ...]
    #: `common` does something when imported, so every step's module imports it
    has_setup: bool


def step_source(step: Step, place: Place) -> Source:
    """The module of a step."""
    return _StepModule(step, place).source()


def function_name(step: Step) -> str:
    """The name of a step's function: the step's own, unless its code uses that for another."""
    head = [name for line in _statements(step) for name in bound_names(line)]
    used = {*head, "common", "asyncio", "builtins"}
    for read in _all_reads(step):
        used.update(name.rpartition(" ")[2] for name in (*read.common, *read.support))
    return f"{step.name}_step" if step.name in used else step.name


def argument_names(step: Step) -> tuple[str, ...]:
    """The arguments of a step's function: inputs, the fan-out's variables, parameters."""
    targets = step.foreach.targets if step.foreach else ()
    inputs = (name for name in _inputs(step.reads) if name not in targets)
    restored = (AMBIENT[kind].variable for kind in step.restores)
    return tuple(dict.fromkeys((*inputs, *restored, *targets, *step.reads.parameters)))


def expression_arguments(expression: Expression) -> tuple[str, ...]:
    """The arguments of the function that an option's expression becomes."""
    return tuple(dict.fromkeys((*_inputs(expression.reads), *expression.reads.parameters)))


def _inputs(reads: Reads) -> list[str]:
    return [one.name for one in reads.inputs]


def _all_reads(step: Step) -> list[Reads]:
    expressions = (step.foreach, step.when)
    return [step.reads, *(one.reads for one in expressions if one is not None)]


def _statements(step: Step) -> list[str]:
    return [line for reads in _all_reads(step) for line in reads.imports]


class _StepModule:
    """Puts together the module of one step."""

    def __init__(self, step: Step, place: Place) -> None:
        self.step = step
        self.place = place
        self.function = function_name(step)
        self.arguments = argument_names(step)
        self.pieces = merge_pieces((*step.settings, *step.body), frozenset(step.shared))
        self.trees: list[ast.Module] | None = None
        self.imports = [f"from __future__ import {feature}" for feature in place.future]
        self.shared = frozenset(step.shared)
        self.common = self._unused("common")

    def source(self) -> Source:
        body = self._body()
        self._head_imports()
        functions = Source()
        if self.shared and any(re.search(rf"\b{SHARE}\(", piece.code) for piece in self.pieces):
            functions.add(_SHARE.format(share=SHARE, common=self.common))
        for expression, suffix in ((self.step.foreach, "items"), (self.step.when, "when")):
            if expression is not None:
                self._expression(functions, expression, suffix)
        self._function(functions, body)
        return self._with_head(functions)

    # -- the head --------------------------------------------------------------------------

    def _head_imports(self) -> None:
        package, step = self.place.package, self.step
        common: list[str] = []
        for reads in _all_reads(step):
            self.imports.extend(reads.imports)
            common.extend(reads.common)
            self.imports.extend(support_import(package, name) for name in reads.support)
        if common:
            self.imports.append(f"from {package}.common import {', '.join(sorted(set(common)))}")
        preamble = any("common." in line for line in step.preamble)
        if self.shared or preamble or any(reads.bind for reads in _all_reads(step)):
            alias = "" if self.common == "common" else f" as {self.common}"
            self.imports.append(f"from {package} import common{alias}")
        if step.awaits:
            self.imports.append("import asyncio")

    def _with_head(self, functions: Source) -> Source:
        source = Source()
        lines = sorted_imports(self.imports, self.place.package)
        uses_common = any(
            line.startswith((f"from {self.place.package}.common ", f"from {self.place.package} "))
            for line in lines
        )
        for line in lines:
            source.add(line)
        if self.place.has_setup and not uses_common:
            source.add(f"import {self.place.package}.common  # runs the setup")
        if source.lines:
            source.add("\n")
        source.lines.extend(functions.lines)
        source.origins.extend(functions.origins)
        return source

    # -- functions -------------------------------------------------------------------------

    def _expression(self, source: Source, expression: Expression, suffix: str) -> None:
        arguments = ", ".join(expression_arguments(expression))
        origin = (expression.cell, expression.line)
        name = f"{self.step.name}_{suffix}"
        one_line = " ".join(expression.code.split())
        what = "The items of the fan-out" if suffix == "items" else "Whether the step runs"
        source.add(f"def {name}({arguments}):", origin)
        source.add(f'{_INDENT}"""{what}: {_quoted(f"`{one_line}`")}."""')
        for bound in expression.reads.bind:
            source.add(f"{_INDENT}{self.common}.{bound} = {bound}")
        result = expression.code if suffix == "items" else f"bool({expression.code})"
        if suffix == "items" and "\n" in expression.code:
            result = f"({expression.code})"
        for number, line in enumerate(result.split("\n")):
            text = f"{_INDENT}return {line}" if number == 0 else line
            source.add(text, (expression.cell, expression.line))
        source.add("\n")

    def _function(self, source: Source, body: Source) -> None:
        step = self.step
        arguments = ", ".join(self.arguments)
        first = (step.cells[0], 1) if step.cells else None
        if step.awaits:
            source.add(f"async def _{self.function}({arguments}):", first)
        else:
            source.add(f"def {self.function}({arguments}):", first)
            self._docstring(source)
        source.lines.extend(body.lines)
        source.origins.extend(body.origins)
        if step.awaits:
            passed = ", ".join(f"{name}={name}" for name in self.arguments)
            source.add("\n")
            source.add(f"def {self.function}({arguments}):", first)
            self._docstring(source)
            source.add(f"{_INDENT}return asyncio.run(_{self.function}({passed}))")

    def _docstring(self, source: Source) -> None:
        step = self.step
        targets = step.foreach.targets if step.foreach else ()
        summary = _sentence(step.doc.strip() or f"Step `{step.name}`.")
        needs = [name for name in self.arguments if name not in targets and name[0] != "_"]
        gives = [name for name in step.outputs if name not in BY_VARIABLE]
        facts = [f"Needs {_listed(needs)}." if needs else "", f"Gives {_listed(gives)}."]
        if step.foreach:
            facts.insert(0, f"One task for each {_listed(targets)}.")
        elif step.options.each:
            facts.insert(0, f"One task for each of `{step.options.each}`.")
        detail = " ".join(fact for fact in facts if fact and fact != "Gives nothing.")
        detail = textwrap.fill(detail, LINE_LENGTH - len(_INDENT))
        text = _quoted(f"{summary}\n\n{detail}" if detail else summary)
        text = f'"""{text}\n"""' if "\n" in text else f'"""{text}"""'
        for line in text.split("\n"):
            source.add(f"{_INDENT}{line}".rstrip())

    # -- the body --------------------------------------------------------------------------

    def _body(self) -> Source:
        if any(needs_adapting(piece.code, self.shared) for piece in self.pieces):
            self._adapt_pieces()
        body = Source()
        for line in self._opening():
            body.add(f"{_INDENT}{line}")
        for piece in map(trimmed, self.pieces):
            if piece.code:
                if body.lines:
                    body.add()
                body.add_mapped(indent(piece.code), piece.cell, piece.lines)
        if body.lines:
            body.add()
        last = self.pieces[-1] if self.pieces else None
        origin = (last.cell, last.lines[-1]) if last and last.lines else None
        for line in self._closing():
            body.add(f"{_INDENT}{line}", origin)
        return body

    def _parsed(self) -> list[ast.Module]:
        if self.trees is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.trees = [ast.parse(piece.code) for piece in self.pieces]
        return self.trees

    def _adapt_pieces(self) -> None:
        trees = self._parsed()
        variables = {*self.arguments, *(name for tree in trees for name in bindings(tree.body))}
        declared = {name for tree in trees for name in declared_global(tree)}
        # a variable that only functions bind is nobody's local: it lives in `common`
        self.shared |= declared - variables
        setting = Setting(self.shared, self.common, frozenset(variables))
        pairs = list(zip(self.pieces, trees, strict=True))
        adapted = [adapt(piece, tree, setting) for piece, tree in pairs]
        self.pieces = [piece for piece, _ in adapted]
        self.imports.extend(line for _, lines in adapted for line in lines)

    def _opening(self) -> Iterable[str]:
        """What stands before the user's code: names made to mean what they mean there."""
        step = self.step
        for name in step.reads.bind:
            if name not in self.shared:
                yield f"{self.common}.{name} = {name}"
        for name in self.arguments:
            if name in self.shared:
                yield f"{self.common}.{name} = {name}"
        for kind in step.restores:
            yield from self._state[kind].restore
        for kind in step.saves:
            if AMBIENT[kind].prepare:
                yield self._state[kind].prepare
        for line in step.preamble:
            yield line.replace("= common.", f"= {self.common}.")
        yield from self._early_builtins()

    def _early_builtins(self) -> Iterable[str]:
        """Bind builtins that the code reads before it binds the name itself: locals, here."""
        outside = {*self.step.reads.support, *_BUILTINS} - set(self.arguments) - self.shared
        risky = sorted(outside & set(self.step.outputs))
        for name in read_before_bound(self._parsed(), risky) if risky else []:
            if name in _BUILTINS:
                self.imports.append("import builtins")
                yield f"{name} = builtins.{name}"

    @cached_property
    def _state(self) -> dict[str, Ambient]:
        """The lines for each kind of process state; what they import is added to the head."""
        taken = {*self.arguments, *(n for tree in self._parsed() for n in bindings(tree.body))}
        for reads in _all_reads(self.step):
            taken.update(name.rpartition(" ")[2] for name in (*reads.common, *reads.support))
        for line in _statements(self.step):
            taken.update(() if _PLAIN.match(line) else bound_names(line))
        lines = {}
        for kind in dict.fromkeys((*self.step.restores, *self.step.saves)):
            lines[kind] = state_lines(kind, taken)
            self.imports.extend(set(lines[kind].imports) - set(self.imports))
        return lines

    def _closing(self) -> Iterable[str]:
        step = self.step
        maybe = [name for name in step.maybe if name in step.outputs]
        saved = {}
        for kind in step.saves:
            again = self._state[kind].save_again if kind in step.restores else ""
            saved[AMBIENT[kind].variable] = again or self._state[kind].save
        names = [*step.outputs, *(name for name in saved if name not in step.outputs)]
        pairs = ", ".join(
            f'"{name}": {saved.get(name) or self._value(name)}'
            for name in names
            if name not in maybe
        )
        if not maybe:
            yield f"return {{{pairs}}}"
            return
        result = self._unused("result")
        yield f"{result} = {{{pairs}}}"
        for name in maybe:
            bound = (
                f'hasattr({self.common}, "{name}")'
                if name in self.shared
                else (f'"{name}" in locals()')
            )
            yield f"if {bound}:"
            yield f'{_INDENT}{result}["{name}"] = {self._value(name)}'
        yield f"return {result}"

    def _value(self, name: str) -> str:
        return f"{self.common}.{name}" if name in self.shared else name

    def _unused(self, name: str) -> str:
        """A name for our own use that the user's code does not use."""
        used = {*self.arguments, *self.step.outputs}
        if any(re.search(rf"\b{name}\b", piece.code) for piece in self.pieces):
            for node in (node for tree in self._parsed() for node in ast.walk(tree)):
                if name in (getattr(node, "id", None), getattr(node, "arg", None)):
                    used.add(name)
        return f"{name}_" if name in used else name


def support_import(package: str, name: str) -> str:
    """The import of a support function: `nb_show` is `show` under another name."""
    base = name.removeprefix("nb_")
    return f"from {package}.notebook import {base if base == name else f'{base} as {name}'}"


def merge_pieces(pieces: Iterable[Piece], shared: frozenset[str] = frozenset()) -> list[Piece]:
    """Neighbouring statements of one cell put together."""
    follows = {f"common.{name} = {name}" for name in shared}
    merged: list[Piece] = []
    for piece in pieces:
        if follows and set(piece.code.split("\n")) <= follows:
            continue  # renaming does this itself, also inside a statement
        last = merged[-1] if merged else None
        if last is not None and last.cell == piece.cell:
            code = f"{last.code}\n{piece.code}"
            merged[-1] = Piece(piece.cell, code, (*last.lines, *piece.lines))
        else:
            merged.append(piece)
    return merged


def trimmed(piece: Piece) -> Piece:
    """The piece without blank lines at its ends."""
    lines = piece.code.split("\n")
    filled = [number for number, line in enumerate(lines) if line.strip()]
    if not filled:
        return Piece(piece.cell, "", ())
    start, stop = filled[0], filled[-1] + 1
    return Piece(piece.cell, "\n".join(lines[start:stop]), piece.lines[start:stop])


def _listed(names: Iterable[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    if len(quoted) < 2:
        return quoted[0] if quoted else "nothing"
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _sentence(doc: str) -> str:
    """The text, its first line ending as a sentence does."""
    first, line_end, rest = doc.partition("\n")
    return f"{first}{'' if first[-1:] in '.!?:' else '.'}{line_end}{rest}"


def _quoted(text: str) -> str:
    """Text that can stand between three double quotes."""
    text = text.replace("\\", "\\\\").replace('"""', "'''").rstrip()
    return f"{text} " if text.endswith('"') else text


def has_setup(flow: Flow) -> bool:
    """Whether importing `common` does more than define names."""
    return any(_does_something(piece) for piece in flow.common.pieces)


def _does_something(piece: Piece) -> bool:
    defining = (
        ast.Import,
        ast.ImportFrom,
        ast.FunctionDef,
        ast.AsyncFunctionDef,
        ast.ClassDef,
        ast.Assign,
        ast.AnnAssign,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(piece.code)
    return not all(
        isinstance(statement, defining) or type_alias(statement) is not None
        for statement in tree.body
    )
