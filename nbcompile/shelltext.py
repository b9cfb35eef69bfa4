"""Shell text: a command with `{x}` and `$x` in it, as the Python string that IPython would run."""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass

from nbcompile.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class _Field:
    """Text, and the expression that follows it (None at the end)."""

    text: str
    expression: str | None
    conversion: str | None


def python_string(text: str, surroundings: Surroundings) -> str:
    """The source of a string expression for the text, an f-string where it reads variables.

    As in IPython a text of which any part cannot be expanded (`$HOME`, awk's `{print $1}`)
    is left alone as a whole.
    """
    fields = _fields(text) if "{" in text or "$" in text else None
    if fields is None or not all(_readable(field.expression, surroundings) for field in fields):
        return repr(text)
    if all(field.expression is None for field in fields):
        return repr("".join(field.text for field in fields))
    for quote in ('"', "'"):
        if not any(quote in (field.expression or "") for field in fields):
            return f"f{quote}{''.join(_in_fstring(field, quote) for field in fields)}{quote}"
    return " + ".join(part for field in fields for part in _parts(field))


def _fields(text: str) -> list[_Field] | None:
    from IPython.utils.text import DollarFormatter

    fields = []
    try:
        for literal, name, spec, conversion in DollarFormatter().parse(text):
            # IPython reads `{x[1:2]}` as a slice, never as a format
            expression = f"{name}:{spec}" if spec else name
            fields.append(_Field(literal, expression, conversion))
    except ValueError:
        return None
    return fields


def _readable(expression: str | None, surroundings: Surroundings) -> bool:
    if expression is None:
        return True
    if "\\" in expression or "\n" in expression or "#" in expression:
        return False
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return False
    return all(
        surroundings.knows(node.id) or hasattr(builtins, node.id)
        for node in ast.walk(tree)
        if isinstance(node, ast.Name)
    )


def _in_fstring(field: _Field, quote: str) -> str:
    text = field.text.replace("\\", "\\\\").replace(quote, f"\\{quote}")
    text = text.replace("{", "{{").replace("}", "}}").replace("\n", "\\n").replace("\t", "\\t")
    if field.expression is None:
        return text
    expression = field.expression.strip()
    # two braces in a row would be an escaped one
    gap = " " if expression.startswith("{") else ""
    conversion = f"!{field.conversion}" if field.conversion else ""
    return f"{text}{{{gap}{expression}{conversion}}}"


def _parts(field: _Field) -> list[str]:
    parts = [repr(field.text)] if field.text else []
    if field.expression is not None:
        function = {"r": "repr", "a": "ascii"}.get(field.conversion or "", "str")
        parts.append(f"{function}({field.expression.strip()})")
    return parts
