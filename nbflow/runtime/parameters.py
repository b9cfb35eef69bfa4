"""Parameters: the values of a run's parameters, checked against the flow before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbcompile.diagnostics import Diagnostic
from nbflow.errors import UserError, user_error


def resolve_parameters(manifest: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The value of every parameter, in JSON; a `UserError` tells of all that is wrong."""
    from nbcompile.parameters import to_json

    known = {data["name"]: data for data in manifest.get("parameters", ())}
    wrong: list[Diagnostic] = []
    values: dict[str, Any] = {name: data.get("default") for name, data in known.items()}
    for name, value in given.items():
        if name not in known:
            wrong.append(_unknown(name, known))
            continue
        try:
            values[name] = to_json(parameter_value(known[name], value))
        except UserError as error:
            wrong += error.diagnostics
    if wrong:
        raise UserError(wrong)
    return values


def parameter_value(entry: Mapping[str, Any], value: Any) -> Any:
    """A given value as the parameter's type has it; a `UserError` where it does not fit."""
    from nbcompile.parameters import check_value, parameter_of

    checked = check_value(parameter_of(entry), value)
    if isinstance(checked, Diagnostic):
        raise UserError((checked,))
    return checked


def python_value(entry: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    """What a task is given: the default as Python has it, or the value of the run's JSON."""
    from nbcompile.parameters import default_value, parameter_of

    name = entry["name"]
    if name not in values or values[name] == entry["default"]:
        return default_value(parameter_of(entry))
    return parameter_value(entry, values[name])


def _unknown(name: str, known: Mapping[str, Any]) -> Diagnostic:
    import difflib

    close = difflib.get_close_matches(name, known, n=1)
    names = ", ".join(f"`{one}`" for one in known) or "none"
    fix = f"Did you mean `{close[0]}`?" if close else f"The flow's parameters: {names}."
    error = user_error("NBF401", f"The flow has no parameter `{name}`.", fix)
    return error.diagnostics[0]
