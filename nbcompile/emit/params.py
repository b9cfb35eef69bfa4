"""The parameters of a package: a frozen dataclass, and their options on the command line."""

from __future__ import annotations

import ast
import datetime
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from nbcompile.emit.imports import sorted_imports
from nbcompile.flow import Parameter
from nbcompile.parameter_types import Type
from nbcompile.parameters import default_value, parameter_type

_PARSERS = {
    "int": "int",
    "float": "float",
    "str": "str",
    "date": "date.fromisoformat",
    "datetime": "datetime.fromisoformat",
    "time": "time.fromisoformat",
    "path": "Path",
}


def params_source(parameters: tuple[Parameter, ...]) -> str:
    """The module `params`: `Params` with a typed field for each parameter."""
    imports = ["from dataclasses import dataclass"]
    fields: list[str] = []
    for parameter in parameters:
        kind, value = parameter_type(parameter), default_value(parameter)
        imports.extend((*kind.imports(), *_value_imports(value)))
        default = _source(parameter, value)
        if isinstance(value, list | dict | set):
            imports.append("from dataclasses import field")
            default = f"field(default_factory=lambda: {default})"
        comment = f"  # {parameter.help}" if parameter.help else ""
        if "\n" in default:
            fields.append(f"    {comment.strip()}\n    {parameter.name}: {kind} = {default}")
        else:
            fields.append(f"    {parameter.name}: {kind} = {default}{comment}")
    body = "\n".join(fields)
    head = "\n".join(sorted_imports(["from __future__ import annotations", *imports]))
    return (
        f'"""The parameters of the flow."""\n\n{head}\n\n\n@dataclass(frozen=True)\n'
        f'class Params:\n    """What a run can be given, with its defaults."""\n\n{body}\n'
    )


def option_lines(parameter: Parameter) -> tuple[list[str], tuple[str, ...]]:
    """The `add_argument` of a parameter's option, and the imports that it needs."""
    kind = parameter_type(parameter)
    name = parameter.name
    settings, imports = _option(kind)
    help_text = f"{parameter.help} " if parameter.help else ""
    # argparse would take a percent sign for a format
    shown = f"{help_text}(default: {_short(default_value(parameter))})".replace("%", "%%")
    flag = name.replace("_", "-")
    flags = f'"--{flag}"' if flag == name else f'"--{flag}", "--{name}"'
    dest = "" if flag == name else f"dest={name!r}, "
    return [
        f"parser.add_argument({flags}, {dest}{settings}, default=defaults.{name}, help={shown!r})"
    ], imports


def _option(kind: Type) -> tuple[str, tuple[str, ...]]:
    if kind.kind == "bool":
        return "action=argparse.BooleanOptionalAction", ()
    if kind.kind in _PARSERS:
        return f"type={_PARSERS[kind.kind]}", kind.imports()
    if kind.kind == "literal" and all(isinstance(value, str) for value in kind.values):
        return f"choices={list(kind.values)!r}", ()
    return "type=_value", ()


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _source(parameter: Parameter, value: Any) -> str:
    """The default as the user wrote it, unless that names what `params` does not import."""
    tree = ast.parse(parameter.default.strip(), mode="eval")
    if any(isinstance(node, ast.Call) for node in ast.walk(tree)):
        return _render(value)
    return parameter.default


def _render(value: Any) -> str:
    if isinstance(value, PurePath):
        return f"Path({str(value)!r})"
    if isinstance(value, datetime.date | datetime.time):
        return repr(value).removeprefix("datetime.")
    if isinstance(value, float) and repr(value) in ("inf", "-inf", "nan"):
        return f"float({repr(value)!r})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_render(k)}: {_render(v)}' for k, v in value.items())}}}"
    if isinstance(value, set):
        inside = ", ".join(sorted(_render(item) for item in value))
        return f"{{{inside}}}" if value else "set()"
    if isinstance(value, list | tuple):
        inside = ", ".join(_render(item) for item in value)
        if isinstance(value, list):
            return f"[{inside}]"
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    return repr(value)


def _value_imports(value: Any) -> Iterator[str]:
    if isinstance(value, PurePath):
        yield "from pathlib import Path"
    elif isinstance(value, datetime.date | datetime.time):
        yield f"from datetime import {type(value).__name__}"
    elif isinstance(value, dict):
        for item in (*value, *value.values()):
            yield from _value_imports(item)
    elif isinstance(value, list | tuple | set):
        for item in value:
            yield from _value_imports(item)
