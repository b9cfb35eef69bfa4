"""Frames: functions met in abstract execution, and the names around them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from nbcompile.heap import SCALAR, Value

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Change:
    """Where an object is changed; not sure where only a bare call of a method speaks for it."""

    node: ast.AST
    sure: bool


@dataclass(slots=True)
class Code:
    """A function or class met during execution, with the names around it."""

    node: Definition
    around: Env
    #: the top-level definition that it is, or is inside of
    origin: Definition | None
    #: the function object, and the values of its defaults, made once
    value: Value = SCALAR
    defaults: dict[str, Value] = field(default_factory=dict)


@dataclass(slots=True)
class Env:
    """Names and their values; `outer` is the enclosing function's, None at module level."""

    names: dict[str, Value] = field(default_factory=dict)
    outer: Env | None = None
    #: the top-level definition whose body this is
    origin: Definition | None = None
    returns: list[Value] = field(default_factory=list)
    declared: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)
    #: the object that functions made here share: the cells of this call's variables
    frame: int | None = None


def enclosing(name: str, env: Env) -> Env:
    """The frame around this one that binds a name; this one where none does."""
    place = env.outer
    while place is not None:
        if name in place.names:
            return place
        place = place.outer
    return env
