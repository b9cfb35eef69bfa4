"""Errors: what the user can put right, as exceptions that carry diagnostics and can be pickled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nbcompile.diagnostics import Diagnostic


class UserError(Exception):
    """A mistake or a situation that the user can put right: sentences with a next step."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        return "\n".join(
            d.message if d.fix is None else f"{d.message} {d.fix}" for d in self.diagnostics
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.diagnostics,)


class StoreError(UserError):
    """The store cannot be used as it is: full, read-only, newer, not a store."""


class ReadOnlyError(StoreError):
    """The store may be read here and not written."""


class LeaseLostError(UserError):
    """Somebody else drives the run now: this driver has nothing more to say of it."""


class CorruptValueError(StoreError):
    """The stored bytes of a value are not those that were written."""


def user_error(
    code: str,
    message: str,
    fix: str | None = None,
    *,
    cell: int | None = None,
    line: int | None = None,
) -> UserError:
    """A `UserError` of one diagnostic."""
    return UserError((Diagnostic(code, "error", message, cell, line, None, fix),))


def store_error(message: str, fix: str | None = None) -> StoreError:
    """A `StoreError` of one sentence."""
    return StoreError((Diagnostic("NBF406", "error", message, fix=fix),))


def read_only(message: str) -> ReadOnlyError:
    """A `ReadOnlyError` of one sentence."""
    fix = "Ask its owner for the right to, or name another store with `--store`."
    return ReadOnlyError((Diagnostic("NBF406", "error", message, fix=fix),))


def corrupt_value(message: str, fix: str | None = None) -> CorruptValueError:
    """A `CorruptValueError` of one sentence."""
    return CorruptValueError((Diagnostic("NBF406", "error", message, fix=fix),))


def lease_lost(run: str, driver: str | None) -> LeaseLostError:
    """A `LeaseLostError` that names the run and who drives it, where anybody does."""
    held = f"is driven by {driver}" if driver else "is not driven from here any more"
    message = f"The run {run} {held}: this process has stopped, and changes nothing more of it."
    fix = f"Follow it with `nbflow logs {run} -f`, or end it with `nbflow cancel {run}`."
    return LeaseLostError((Diagnostic("NBF408", "error", message, fix=fix),))
