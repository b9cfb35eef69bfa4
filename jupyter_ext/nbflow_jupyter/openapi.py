"""OpenAPI: the description of the API, made from the routes and the wire shapes."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from nbflow_jupyter import wire

#: types that are not shapes
_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    Any: {},
}


@dataclass(frozen=True, slots=True)
class Query:
    """An argument of the query."""

    name: str
    about: str
    required: bool = False
    number: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address. ``gives`` is a wire shape, a media type, or None for nothing."""

    method: Literal["get", "post", "delete"]
    about: str
    gives: Any
    takes: Any = None
    query: tuple[Query, ...] = ()
    status: int = 200


@dataclass(frozen=True, slots=True)
class Route:
    """One address below `nbflow/api/`: its path, what serves it, and what can be asked."""

    path: str
    handler: type
    operations: tuple[Operation, ...]
    pattern: str


def describe(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """The OpenAPI document of these routes."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "nbflow in Jupyter Server",
            "version": version,
            "description": "Authenticated and authorized as all of Jupyter Server is.",
        },
        "servers": [{"url": "/nbflow/api"}],
        "security": [{"token": []}],
        "paths": {
            f"/{route.path}": {one.method: _operation(route.path, one) for one in route.operations}
            for route in routes
        },
        "components": {
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "Authorization"}
            },
            "schemas": {name: _object(shape) for name, shape in shapes().items()},
        },
    }


@cache
def shapes() -> dict[str, Any]:
    """The wire shapes by name."""
    return {name: one for name, one in vars(wire).items() if is_typeddict(one)}


def schema_of_shape(shape: Any) -> dict[str, Any]:
    """A JSON Schema of one shape that stands by itself."""
    definitions = {name: _object(one) for name, one in shapes().items()}
    text = {"$ref": f"#/$defs/{shape.__name__}", "$defs": definitions}
    return _relocated(text)  # type: ignore[no-any-return]


def _relocated(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: one.replace("#/components/schemas/", "#/$defs/")
            if key == "$ref"
            else _relocated(one)
            for key, one in value.items()
        }
    return [_relocated(one) for one in value] if isinstance(value, list) else value


def _operation(path: str, operation: Operation) -> dict[str, Any]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in names
    ]
    parameters += [
        {
            "name": one.name,
            "in": "query",
            "required": one.required,
            "description": one.about,
            "schema": {"type": "integer" if one.number else "string"},
        }
        for one in operation.query
    ]
    described: dict[str, Any] = {
        "summary": operation.about,
        "parameters": parameters,
        "responses": {
            str(operation.status): _response(operation.gives),
            "default": _response(wire.Problem),
        },
    }
    if operation.takes is not None:
        described["requestBody"] = {"content": _json(operation.takes), "required": True}
    return described


def _response(gives: Any) -> dict[str, Any]:
    if gives is None:
        return {"description": "Done."}
    if isinstance(gives, str):
        return {"description": "A file.", "content": {gives: {}}}
    return {"description": inspect.cleandoc(gives.__doc__ or ""), "content": _json(gives)}


def _json(shape: Any) -> dict[str, Any]:
    return {"application/json": {"schema": _schema(shape)}}


def _object(shape: Any) -> dict[str, Any]:
    hints = get_type_hints(shape)
    return {
        "type": "object",
        "description": inspect.cleandoc(shape.__doc__ or ""),
        "properties": {name: _schema(hint) for name, hint in hints.items()},
        "required": sorted(shape.__required_keys__),
        "additionalProperties": False,
    }


def _schema(hint: Any) -> dict[str, Any]:
    if is_typeddict(hint):
        return {"$ref": f"#/components/schemas/{hint.__name__}"}
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"enum": list(args)}
    if origin is list:
        return {"type": "array", "items": _schema(args[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(args[1])}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(one) for one in args]}
    return dict(_PLAIN[hint])
