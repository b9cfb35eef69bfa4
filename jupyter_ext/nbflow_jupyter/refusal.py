"""Refusal: why a request cannot be answered, as a status and a `Problem`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from tornado import web

from nbcompile.diagnostics import Diagnostic
from nbcompile.notebook import NotebookError
from nbflow.errors import StoreError, UserError
from nbflow_jupyter import wire

#: the status of a diagnostic's code, where it is not 400
_STATUS = {"NBF406": 409, "NBF407": 404}


class Refusal(web.HTTPError):
    """The answer is this status, with a sentence and what there is to say of a notebook."""

    def __init__(
        self, status: int, message: str, diagnostics: Iterable[wire.Diagnostic] = ()
    ) -> None:
        super().__init__(status)
        self.message = message
        self.diagnostics = list(diagnostics)


def told(diagnostics: Iterable[Diagnostic]) -> list[wire.Diagnostic]:
    """Diagnostics as the front end has them."""
    return [cast(wire.Diagnostic, one.to_json()) for one in diagnostics]


def refusal_of(error: UserError | NotebookError) -> Refusal:
    """What a mistake of the user's comes down to."""
    codes = [one.code for one in error.diagnostics]
    status = 503 if isinstance(error, StoreError) else _STATUS.get(codes[0], 400) if codes else 400
    return Refusal(status, str(error), told(error.diagnostics))
