"""Parameters: a flow's typed inputs, read from `%%parameters` cells; values checked for runs."""

from __future__ import annotations

import ast
import datetime
import io
import tokenize
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from typing import Any

from nbcompile.diagnostics import Diagnostic
from nbcompile.flow import Parameter
from nbcompile.parameter_types import Type, check, parse_type, type_of
from nbcompile.tags import TaggedCell

_CONSTRUCTORS: dict[str, Any] = {
    "date": datetime.date,
    "datetime": datetime.datetime,
    "time": datetime.time,
    "Path": Path,
    "PurePath": Path,
    "set": set,
    "float": float,
}


def read_parameters(
    cells: Iterable[TaggedCell],
) -> tuple[tuple[Parameter, ...], tuple[Diagnostic, ...]]:
    """Read the parameters of all `%%parameters` cells, in order."""
    found: dict[str, Parameter] = {}
    diagnostics: list[Diagnostic] = []
    for cell in cells:
        try:
            tree = ast.parse(cell.body)
        except SyntaxError as error:
            diagnostics.append(
                _wrong(cell, error.lineno, f"The cell is not valid Python: {error.msg}.", "NBF108")
            )
            continue
        comments = _comments(cell.body)
        for statement in tree.body:
            if isinstance(statement, ast.Import | ast.ImportFrom) or _is_text(statement):
                continue
            try:
                parameter = _parameter(statement, cell, comments)
            except ValueError as error:
                diagnostics.append(_wrong(cell, statement.lineno, str(error)))
                continue
            if parameter.name in found:
                message = f"The parameter `{parameter.name}` is set twice."
                diagnostics.append(_wrong(cell, statement.lineno, message))
            found[parameter.name] = parameter
    return tuple(found.values()), tuple(diagnostics)


def parameter_type(parameter: Parameter) -> Type:
    """The type of a parameter: its annotation's, else its default's."""
    if parameter.annotation is not None:
        return parse_type(parameter.annotation)
    return type_of(default_value(parameter))


def default_value(parameter: Parameter) -> Any:
    """The default of a parameter as a Python value."""
    return evaluate(ast.parse(parameter.default.strip(), mode="eval").body)


def check_value(parameter: Parameter, value: Any) -> Any:
    """The value as the parameter's type has it, or the Diagnostic that says why it is wrong."""
    try:
        return check(parameter_type(parameter), value)
    except ValueError as error:
        return Diagnostic(
            "NBF402",
            "error",
            f"The value of the parameter `{parameter.name}` is wrong: {error}.",
            cell=parameter.cell,
            line=parameter.line,
            fix=f"Give a value of type {parameter_type(parameter)}.",
        )


def parameter_of(entry: Mapping[str, Any]) -> Parameter:
    """The parameter that an entry of the manifest's `parameters` describes."""
    return Parameter(
        name=entry["name"],
        default=entry["source"],
        annotation=entry["annotation"],
        help=entry["help"],
        cell=entry["cell"],
        line=entry["line"],
    )


def to_json(value: Any) -> Any:
    """A parameter's value as JSON has it: dates and paths as text, sets and tuples as lists."""
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, dict):
        return {key if isinstance(key, str) else str(key): to_json(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((to_json(item) for item in value), key=repr)
    return value


def evaluate(node: ast.expr) -> Any:
    """The value of a literal: constants, containers, signs and arithmetic, dates and paths."""
    match node:
        case ast.Constant(value=None | bool() | int() | float() | str() as value):
            return value
        case ast.List(elts=elements):
            return [evaluate(element) for element in elements]
        case ast.Tuple(elts=elements):
            return tuple(evaluate(element) for element in elements)
        case ast.Set(elts=elements):
            return {evaluate(element) for element in elements}
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return {evaluate(key): evaluate(v) for key, v in pairs if key is not None}
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            number = _number(operand)
            return -number if isinstance(node.op, ast.USub) else number
        case ast.BinOp(left=left, op=op, right=right):
            return _arithmetic(_number(left), op, _number(right))
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments):
            if name in _CONSTRUCTORS and not node.keywords:
                try:
                    return _CONSTRUCTORS[name](*(evaluate(argument) for argument in arguments))
                except TypeError as error:
                    raise ValueError(str(error)) from None
    raise ValueError(f"`{ast.unparse(node)}` is not a literal")


def _number(node: ast.expr) -> Any:
    value = evaluate(node)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"`{ast.unparse(node)}` is not a number")
    return value


def _arithmetic(left: Any, op: ast.operator, right: Any) -> Any:
    try:
        match op:
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Mult():
                return left * right
            case ast.Div():
                return left / right
            case ast.Pow() if abs(right) <= 1000:
                return left**right
    except ArithmeticError as error:
        raise ValueError(str(error)) from None
    raise ValueError("only + - * / ** can be in a default")


def _parameter(
    statement: ast.stmt, cell: TaggedCell, comments: dict[int, tuple[str, bool]]
) -> Parameter:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            annotation = None
        case ast.AnnAssign(target=ast.Name(id=name), annotation=node, value=value) if value:
            annotation = ast.unparse(node)
        case ast.AnnAssign(target=ast.Name(id=name)):
            raise ValueError(f"The parameter `{name}` has no default.")
        case _:
            raise ValueError("A parameters cell holds only assignments of literals to names.")
    default = ast.get_source_segment(cell.body, value) or ast.unparse(value)
    if isinstance(value, ast.BinOp | ast.UnaryOp) and "\n" in default:
        default = f"({default})"
    parameter = Parameter(
        name=name,
        default=default,
        annotation=annotation,
        help=_help(statement, comments),
        cell=cell.cell,
        line=statement.lineno,
    )
    try:
        evaluated = evaluate(value)
        expected = parse_type(annotation) if annotation is not None else type_of(evaluated)
        if repr(check(expected, evaluated)) != repr(evaluated):
            raise ValueError(f"expected {expected}, got {evaluated!r}")
    except ValueError as error:
        raise ValueError(f"The parameter `{name}` is not usable: {error}.") from None
    return parameter


def _help(statement: ast.stmt, comments: dict[int, tuple[str, bool]]) -> str:
    """The comment at the assignment's end, else those on the lines right above it."""
    text, _ = comments.get(statement.end_lineno or statement.lineno, ("", False))
    if text:
        return text
    above: list[str] = []
    line = statement.lineno - 1
    while line in comments and comments[line][1]:
        above.insert(0, comments[line][0])
        line -= 1
    return " ".join(above)


def _comments(body: str) -> dict[int, tuple[str, bool]]:
    """The comment on each line, and whether it has the line to itself."""
    comments: dict[int, tuple[str, bool]] = {}
    for token in tokenize.generate_tokens(io.StringIO(body).readline):
        if token.type == tokenize.COMMENT:
            alone = not token.line[: token.start[1]].strip()
            comments[token.start[0]] = (token.string.lstrip("#").strip(), alone)
    return comments


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _wrong(cell: TaggedCell, line: int | None, message: str, code: str = "NBF109") -> Diagnostic:
    fix = (
        "Correct the line."
        if code == "NBF108"
        else "Write `name: type = literal  # help`; compute other values in a step."
    )
    return Diagnostic(code, "error", message, cell=cell.cell, line=line, fix=fix)
