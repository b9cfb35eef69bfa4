"""Forms: parameters with their types as JSON Schema, for a form to start a run with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nbcompile.flow import Parameter
from nbcompile.parameter_types import Type, parse_type
from nbcompile.parameters import default_value, parameter_type, to_json
from nbflow_jupyter.wire import ParameterField

_SIMPLE: dict[str, dict[str, Any]] = {
    "none": {"type": "null"},
    "bool": {"type": "boolean"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "str": {"type": "string"},
    "path": {"type": "string", "format": "path"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "time": {"type": "string", "format": "time"},
}


def fields_of(parameters: Iterable[Parameter]) -> list[ParameterField]:
    """The form of a flow's parameters; those that are not usable are left out."""
    found: list[ParameterField] = []
    for one in parameters:
        try:
            kind, value = parameter_type(one), to_json(default_value(one))
        except (ValueError, SyntaxError):  # a diagnostic tells of it
            continue
        found.append(
            {
                "name": one.name,
                "type": str(kind),
                "annotation": one.annotation,
                "source": one.default,
                "value": value,
                "schema": schema_of(kind),
                "help": one.help,
                "cell": one.cell,
                "line": one.line,
            }
        )
    return found


def fields_of_run(manifest: Mapping[str, Any], params: Mapping[str, Any]) -> list[ParameterField]:
    """The parameters of a manifest with the values that a run had."""
    return [
        {
            "name": one["name"],
            "type": one.get("type") or one.get("annotation") or "Any",
            "annotation": one.get("annotation"),
            "source": one.get("source") or repr(one.get("default")),
            "value": params.get(one["name"], one.get("default")),
            "schema": _schema(one.get("type") or one.get("annotation") or "Any"),
            "help": one.get("help") or "",
            "cell": one.get("cell"),
            "line": one.get("line"),
        }
        for one in manifest.get("parameters", ())
    ]


def schema_of(kind: Type) -> dict[str, Any]:
    """The JSON Schema of a type's values."""
    inner = [schema_of(one) for one in kind.args]
    if kind.kind in _SIMPLE:
        return dict(_SIMPLE[kind.kind])
    if kind.kind == "union":
        return {"anyOf": inner}
    if kind.kind == "literal":
        return {"enum": list(kind.values)}
    if kind.kind in ("list", "set"):
        unique = {"uniqueItems": True} if kind.kind == "set" else {}
        return {"type": "array", **({"items": inner[0]} if inner else {}), **unique}
    if kind.kind == "tuple":
        return {"type": "array", **({"prefixItems": inner} if inner else {})}
    if kind.kind == "dict":
        values = {"additionalProperties": inner[1]} if len(inner) == 2 else {}
        return {"type": "object", **values}
    return {}


def _schema(text: str) -> dict[str, Any]:
    try:
        return schema_of(parse_type(text))
    except ValueError:
        return {}
