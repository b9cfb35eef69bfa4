"""Refusals: what is said of a value that can't be stored, naming the variable and the way out."""

from __future__ import annotations

from typing import Any

from nbflow.errors import UserError, user_error

_FIXES = {
    "generator": "Make a list of it in the step that makes it: `name = list(name)`.",
    "coroutine": "Await it in the step that makes it.",
    "TextIOWrapper": "Read the file in the step that needs it; pass its path on.",
    "BufferedReader": "Read the file in the step that needs it; pass its path on.",
    "BufferedWriter": "Close the file in the step that writes it; pass its path on.",
    "lock": "Make the lock in the step that uses it.",
    "RLock": "Make the lock in the step that uses it.",
    "socket": "Open the connection in the step that uses it.",
    "Connection": "Open the connection in the step that uses it.",
    "Cursor": "Fetch the rows in the step that asks for them: `rows = cursor.fetchall()`.",
    "memoryview": "Pass the bytes on: `name = bytes(name)`.",
}


class CapturedError(Exception):
    """A function by value holds on to a variable that it must not."""

    def __init__(self, function: str, name: str) -> None:
        super().__init__(function, name)
        self.function = function
        self.name = name


def refuse_captured(variable: str, error: CapturedError) -> UserError:
    """A function's closure would keep a value that the notebook replaces."""
    return user_error(
        "NBF208",
        f"The function `{error.function}` in `{variable}` holds on to the variable "
        f"`{error.name}`, which a later step binds anew: stored, it would go on seeing the old "
        "value.",
        f"Give `{error.name}` to the function as an argument, or define the function in a "
        "`%%setup` cell.",
    )


def refuse(variable: str, value: Any, culprit: Any, error: Exception) -> UserError:
    """Something in the value can't be pickled; ``culprit`` is the object pickle had in hand."""
    kind = type(culprit).__name__
    if ", " in variable and isinstance(value, dict):  # several that share parts, by name
        variable, value = next(
            ((name, held) for name, held in value.items() if _holds(name, held, culprit)),
            (variable, value),
        )
    if culprit is value or culprit is None:
        what = f"The variable `{variable}` is a {type(value).__name__}, which cannot be stored"
    else:
        place = _place(variable, value, culprit)
        where = f" (at `{place}`)" if place is not None else ""
        what = f"The variable `{variable}` holds a {kind}{where}, which cannot be stored"
    reason = str(error).strip().split("\n")[0].rstrip(".")
    inner = kind in ("generator", "coroutine") and culprit is not value
    fix = (
        f"Put the steps that use `{variable}` into one, or make it anew in each."
        if inner
        else _FIXES.get(kind)
    ) or (
        f"Keep what you need of it as plain values, or leave `{variable}` out with "
        f"`--drop {variable}` and make it anew in the step that needs it."
    )
    return user_error("NBF405", f"{what}: {reason}." if reason else f"{what}.", fix)


def _holds(name: str, value: Any, culprit: Any) -> bool:
    return value is culprit or _place(name, value, culprit) is not None


def _place(variable: str, value: Any, culprit: Any) -> str | None:
    """Where in the value the culprit is, as an expression; looked for within reason."""
    queue: list[tuple[str, Any]] = [(variable, value)]
    seen = {id(value)}
    for place, holder in queue:
        if len(queue) > 10_000:
            return None
        for step, item in _inside(holder):
            if item is culprit:
                return place + step
            if id(item) not in seen:
                seen.add(id(item))
                queue.append((place + step, item))
    return None


def _inside(holder: Any) -> list[tuple[str, Any]]:
    if isinstance(holder, dict):
        return [(f"[{key!r}]", item) for key, item in list(holder.items())[:1000]]
    if isinstance(holder, list | tuple):
        return [(f"[{index}]", item) for index, item in enumerate(holder[:1000])]
    attributes = getattr(holder, "__dict__", None)
    if isinstance(attributes, dict):
        return [(f".{name}", item) for name, item in attributes.items()]
    return []
