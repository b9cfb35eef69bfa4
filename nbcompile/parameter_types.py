"""Types of parameters: read from an annotation or a default, and values checked against them."""

from __future__ import annotations

import ast
import datetime
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Literal, TypeVar

Kind = Literal[
    "any", "none", "bool", "int", "float", "str", "date", "datetime", "time", "path",
    "list", "tuple", "set", "dict", "union", "literal",
]  # fmt: skip

_PLAIN: dict[str, Kind] = {
    "Any": "any",
    "object": "any",
    "None": "none",
    "bool": "bool",
    "int": "int",
    "float": "float",
    "str": "str",
    "date": "date",
    "datetime": "datetime",
    "time": "time",
    "Path": "path",
    "PurePath": "path",
    "list": "list",
    "List": "list",
    "Sequence": "list",
    "Iterable": "list",
    "tuple": "tuple",
    "Tuple": "tuple",
    "set": "set",
    "Set": "set",
    "frozenset": "set",
    "dict": "dict",
    "Dict": "dict",
    "Mapping": "dict",
}
_SHOWN = {"any": "Any", "none": "None", "path": "Path"}
#: where the names in a rendered type come from
_IMPORTS = {
    "any": "from typing import Any",
    "literal": "from typing import Literal",
    "date": "from datetime import date",
    "datetime": "from datetime import datetime",
    "time": "from datetime import time",
    "path": "from pathlib import Path",
}
_PYTHON: dict[type, Kind] = {
    type(None): "none",
    bool: "bool",
    int: "int",
    float: "float",
    str: "str",
    datetime.datetime: "datetime",
    datetime.date: "date",
    datetime.time: "time",
    list: "list",
    tuple: "tuple",
    set: "set",
    dict: "dict",
}


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a parameter: ``args`` for what it holds, ``values`` for a Literal's."""

    kind: Kind
    args: tuple[Type, ...] = ()
    values: tuple[Any, ...] = ()

    def __str__(self) -> str:
        if self.kind == "union":
            return " | ".join(str(arg) for arg in self.args)
        if self.kind == "literal":
            return f"Literal[{', '.join(repr(value) for value in self.values)}]"
        name = _SHOWN.get(self.kind, self.kind)
        return f"{name}[{', '.join(str(arg) for arg in self.args)}]" if self.args else name

    def imports(self) -> tuple[str, ...]:
        """The import statements that the type's text needs."""
        own = (_IMPORTS[self.kind],) if self.kind in _IMPORTS else ()
        return tuple(dict.fromkeys((*own, *(i for arg in self.args for i in arg.imports()))))


ANY = Type("any")
_T = TypeVar("_T")


def parse_type(text: str) -> Type:
    """The type that an annotation's text says; ValueError for one that parameters cannot have."""
    try:
        return _read(ast.parse(text.strip(), mode="eval").body)
    except SyntaxError:
        raise ValueError(f"`{text}` is not a type") from None


def type_of(value: object) -> Type:
    """The type of a parameter that has only a default: any where that is None."""
    if value is None:
        return ANY
    if isinstance(value, PurePath):
        return Type("path")
    kind = _PYTHON.get(type(value))
    if kind is None:
        raise ValueError(f"a default of type {type(value).__name__} is not supported")
    return Type(kind) if _is_json(value) else Type(kind, _inside(value))


def _is_json(value: object) -> bool:
    """Whether what a container holds comes back from JSON as it is."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and _holds_json(item) for key, item in value.items())
    if isinstance(value, list | tuple | set):
        return all(_holds_json(item) for item in value)
    return True


def _holds_json(item: object) -> bool:
    plain = item is None or isinstance(item, bool | int | float | str | list | dict)
    return plain and _is_json(item)


def _inside(value: Any) -> tuple[Type, ...]:
    """The types of what a container holds, where JSON would lose them: `list[tuple[int, int]]`."""
    if isinstance(value, dict):
        return (_common(list(value)), _common(list(value.values())))
    if isinstance(value, tuple):
        return tuple(type_of(item) for item in value)
    return (_common(list(value)),)


def _common(items: list[Any]) -> Type:
    return _union(tuple(type_of(item) for item in items)) if items else ANY


def check(expected: Type, value: Any) -> Any:
    """The value as the type has it (`"2026-01-31"` as a date); ValueError where it has not.

    A whole number stays one where a float is wanted, as it does in Python.
    """
    match expected.kind:
        case "any":
            return value
        case "union":
            return _check_union(expected, value)
        case "literal":
            for allowed in expected.values:
                if type(allowed) is type(value) and allowed == value:
                    return value
        case "list" | "tuple" | "set" | "dict":
            return _check_container(expected, value)
        case kind:
            done = _CHECKS[kind](value)
            if done is not None or (kind == "none" and value is None):
                return done
    raise ValueError(f"expected {expected}, got {_said(value)}{_hint(expected, value)}")


def _read(node: ast.expr) -> Type:
    match node:
        case ast.Constant(value=None):
            return Type("none")
        case ast.Constant(value=str(text)):
            return parse_type(text)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _union((_read(left), _read(right)))
        case ast.Name(id=name) | ast.Attribute(attr=name):
            if name in _PLAIN:
                return Type(_PLAIN[name])
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=inside):
            parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
            return _read_subscript(name, parts)
    raise ValueError(f"`{ast.unparse(node)}` is not a type that a parameter can have")


def _read_subscript(name: str, parts: list[ast.expr]) -> Type:
    if name == "Literal":
        return Type("literal", values=tuple(ast.literal_eval(part) for part in parts))
    if name == "Optional":
        return _union((_read(parts[0]), Type("none")))
    if name == "Annotated":
        return _read(parts[0])
    if name == "Union":
        return _union(tuple(_read(part) for part in parts))
    kind = _PLAIN.get(name)
    if kind not in ("list", "tuple", "set", "dict"):
        raise ValueError(f"`{name}[…]` is not a type that a parameter can have")
    if kind == "tuple" and len(parts) == 2 and ast.unparse(parts[1]) == "...":
        # `tuple[int, ...]`: any number of them, which one argument says here
        return Type("tuple", (_read(parts[0]), ANY))
    return Type(kind, tuple(_read(part) for part in parts))


def _union(members: tuple[Type, ...]) -> Type:
    flat = [arg for m in members for arg in (m.args if m.kind == "union" else (m,))]
    unique = tuple(dict.fromkeys(flat))
    return unique[0] if len(unique) == 1 else Type("union", unique)


def _check_union(expected: Type, value: Any) -> Any:
    exact = [arg for arg in expected.args if _is_exactly(arg, value)]
    for arg in [*exact, *expected.args]:
        try:
            return check(arg, value)
        except ValueError:
            continue
    raise ValueError(f"expected {expected}, got {_said(value)}")


def _is_exactly(expected: Type, value: object) -> bool:
    return _PYTHON.get(type(value)) == expected.kind


def _check_container(expected: Type, value: Any) -> Any:
    if expected.kind == "dict":
        if not isinstance(value, dict):
            raise ValueError(f"expected {expected}, got {_said(value)}")
        keys, values = expected.args if len(expected.args) == 2 else (ANY, ANY)
        return {_check_key(keys, key): check(values, item) for key, item in value.items()}
    if not isinstance(value, list | tuple | set | frozenset):
        raise ValueError(f"expected {expected}, got {_said(value)}")
    if expected.kind == "tuple" and expected.args and expected.args[-1] is not ANY:
        if len(value) != len(expected.args):
            raise ValueError(f"expected {expected}, got {len(value)} values")
        return tuple(check(t, item) for t, item in zip(expected.args, value, strict=True))
    inside = expected.args[0] if expected.args else ANY
    make: Callable[[Any], Any] = {"list": list, "tuple": tuple, "set": set}[expected.kind]
    return make(check(inside, item) for item in value)


def _check_key(expected: Type, key: Any) -> Any:
    """A key of a dict, also one that JSON made text."""
    try:
        return check(expected, key)
    except ValueError:
        if not isinstance(key, str):
            raise
        try:
            return check(expected, ast.literal_eval(key))
        except (SyntaxError, ValueError):
            raise ValueError(f"expected a key of type {expected}, got {_said(key)}") from None


def _as_float(value: Any) -> float | None:
    if isinstance(value, str):
        # YAML 1.1 reads `1e-3` as text
        try:
            number = float(value)
        except ValueError:
            return None
        return number if any(c.isdigit() for c in value) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _as_date(value: Any) -> datetime.date | None:
    if isinstance(value, str):
        return _from_text(datetime.date.fromisoformat, value)
    is_date = isinstance(value, datetime.date) and not isinstance(value, datetime.datetime)
    return value if is_date else None


def _as_datetime(value: Any) -> datetime.datetime | None:
    if isinstance(value, str):
        return _from_text(datetime.datetime.fromisoformat, value)
    if isinstance(value, datetime.datetime):
        return value
    if isinstance(value, datetime.date):
        return datetime.datetime.combine(value, datetime.time())
    return None


def _as_time(value: Any) -> datetime.time | None:
    if isinstance(value, str):
        return _from_text(datetime.time.fromisoformat, value)
    return value if isinstance(value, datetime.time) else None


def _as_path(value: Any) -> Path | None:
    return Path(value) if isinstance(value, str | PurePath) else None


def _from_text(read: Callable[[str], _T], text: str) -> _T | None:
    try:
        return read(text)
    except ValueError:
        return None


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "none": lambda value: None,
    "bool": lambda value: value if isinstance(value, bool) else None,
    "int": lambda value: value if type(value) is int else None,
    "float": _as_float,
    "str": lambda value: value if isinstance(value, str) else None,
    "date": _as_date,
    "datetime": _as_datetime,
    "time": _as_time,
    "path": _as_path,
}


def _said(value: object) -> str:
    text = repr(value)
    if value is None or len(text) > 60:
        return "None" if value is None else f"a {type(value).__name__}"
    return f"{text} ({type(value).__name__})"


def _hint(expected: Type, value: object) -> str:
    if expected.kind == "str" and isinstance(value, int | float | datetime.date):
        return f"; quote it to give text: '\"{value}\"'"
    if expected.kind == "int" and isinstance(value, float) and math.isfinite(value):
        return "; a whole number is wanted"
    return ""
