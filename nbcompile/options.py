"""Options of a step: what its cells' tags give, merged into one `Options` value."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nbcompile.diagnostics import Diagnostic
from nbcompile.flow import Options, Resources
from nbcompile.grammar import Option
from nbcompile.tags import Given, TaggedCell
from nbcompile.units import parse_size, parse_time

_RESOURCES = ("cpu", "memory", "gpu", "disk", "image")


@dataclass(frozen=True, slots=True)
class RawExpression:
    """The expression of `--foreach` or `--when` as written; ``targets`` for the former."""

    code: str
    cell: int
    line: int
    target: str = ""
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Merged:
    """What all cells of one step ask for together."""

    options: Options
    foreach: RawExpression | None
    when: RawExpression | None
    diagnostics: tuple[Diagnostic, ...]


def merge_options(cells: Iterable[TaggedCell]) -> Merged:
    """Merge the options of one step's cells: the same twice is fine, two values are NBF106."""
    values: dict[str, Any] = {}
    first: dict[str, Given] = {}
    diagnostics: list[Diagnostic] = []
    for given in (given for cell in cells for given in cell.given):
        name = given.option.name
        try:
            value = read_value(given)
        except ValueError as error:
            diagnostics.append(_wrong(given, str(error)))
            continue
        if given.option.repeats:
            values[name] = tuple(dict.fromkeys((*values.get(name, ()), *value)))
        elif name in values and not _same(values[name], value):
            diagnostics.append(_conflict(first[name], given))
        else:
            values.setdefault(name, value)
        first.setdefault(name, given)
    both = sorted(set(values.get("keep", ())) & set(values.get("drop", ())))
    if both:
        diagnostics.append(_keep_and_drop(both, first["drop"]))
    foreach, when = values.pop("foreach", None), values.pop("when", None)
    return Merged(_options(values), foreach, when, tuple(diagnostics))


def read_value(given: Given) -> Any:
    """The value of a given option, typed by its kind; ValueError says what is wrong."""
    option, text = given.option, given.value
    if option.kind == "flag":
        if text:
            raise ValueError(f"it takes no value, but got `{text}`")
        return True
    if not text:
        raise ValueError(f"it needs a value: {option.metavar}")
    if option.kind == "foreach":
        return _read_foreach(given)
    if option.kind == "expression":
        return RawExpression(_checked(text), given.cell, given.line)
    return _read_plain(option, _unquoted(text))


def _read_plain(option: Option, text: str) -> Any:
    match option.kind:
        case "number":
            return _number(text)
        case "integer":
            if not text.isdecimal():
                raise ValueError(f"`{text}` is not a whole number")
            return int(text)
        case "size":
            return parse_size(text)
        case "time":
            return parse_time(text)
        case "names":
            names = tuple(text.replace(",", " ").split())
            for name in names:
                _check_name(name)
            return names
        case "name":
            if not text.replace("-", "_").replace(".", "_").isidentifier():
                raise ValueError(f"`{text}` is not a name")
            return text
        case _:
            return text


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"`{text}` is not a number") from None
    if not 0 <= number < float("inf"):
        raise ValueError(f"`{text}` is not a positive number")
    return number


def _check_name(name: str) -> None:
    if not name.isidentifier():
        raise ValueError(f"`{name}` is not a name")


def _read_foreach(given: Given) -> RawExpression:
    text = given.value
    loop = _parse(f"for {text}: pass", text)
    if not isinstance(loop, ast.For) or not isinstance(loop.body[0], ast.Pass):
        raise ValueError(f"`{text}` is not `VAR in EXPR`")
    for node in ast.walk(loop.target):
        if isinstance(node, ast.Attribute | ast.Subscript):
            raise ValueError("its variable must be a name, or a tuple of names")
    names = [node for node in ast.walk(loop.target) if isinstance(node, ast.Name)]
    targets = tuple(node.id for node in sorted(names, key=lambda node: node.col_offset))
    split = _position(f"for {text}: pass", loop.iter) - len("for ")
    target, _, _ = text[:split].rpartition(" in")
    code = text[len(target) :].strip().removeprefix("in").strip()
    return RawExpression(code, given.cell, given.line, target.strip(), targets)


def _checked(text: str) -> str:
    if not isinstance(_parse(f"({text}\n)", text), ast.Expr):
        raise ValueError(f"`{text}` is not an expression")
    return text


def _parse(code: str, text: str) -> ast.stmt:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            statements = ast.parse(code).body
    except (SyntaxError, ValueError) as error:
        message = error.msg if isinstance(error, SyntaxError) else error
        raise ValueError(f"`{text}` is not Python ({message})") from None
    if len(statements) != 1:
        raise ValueError(f"`{text}` is more than one expression")
    return statements[0]


def _position(code: str, node: ast.expr) -> int:
    return len(code.encode()[: node.col_offset].decode())


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, RawExpression) and isinstance(other, RawExpression):
        return (one.code, one.target) == (other.code, other.target)
    return bool(one == other)


def _options(values: dict[str, Any]) -> Options:
    resources = Resources(**{name: values.get(name) for name in _RESOURCES})
    return Options(
        after=values.get("after", ()),
        each=values.get("each"),
        resources=resources,
        retry=values.get("retry", 0),
        retry_delay=values.get("retry-delay", 0.0),
        timeout=values.get("timeout"),
        catch=values.get("catch", False),
        keep=values.get("keep", ()),
        drop=values.get("drop", ()),
        cache=not values.get("no-cache", False),
        env=values.get("env"),
        variant=values.get("variant"),
    )


def _wrong(given: Given, problem: str) -> Diagnostic:
    option = given.option
    return Diagnostic(
        "NBF105",
        "error",
        f"The value of `--{option.name}` is wrong: {problem}.",
        cell=given.cell,
        line=given.line,
        fix=f"Write `--{option.name} {option.metavar}`".rstrip() + f": {option.help}.",
    )


def _conflict(first: Given, second: Given) -> Diagnostic:
    name = second.option.name
    return Diagnostic(
        "NBF106",
        "error",
        f"The step has `--{name} {first.value}` in cell {first.cell} "
        f"and `--{name} {second.value}` here.",
        cell=second.cell,
        line=second.line,
        fix="Keep one of them.",
    )


def _keep_and_drop(names: list[str], given: Given) -> Diagnostic:
    return Diagnostic(
        "NBF106",
        "error",
        f"The step both keeps and drops {', '.join(f'`{name}`' for name in names)}.",
        cell=given.cell,
        line=given.line,
        fix="Remove the name from --keep or from --drop.",
    )
