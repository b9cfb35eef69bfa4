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
    return refusal(str(error), told(error.diagnostics), isinstance(error, StoreError))


def refusal(message: str, diagnostics: list[wire.Diagnostic], store: bool) -> Refusal:
    """A refusal for what the diagnostics say; ``store`` where the store cannot be used."""
    code = diagnostics[0]["code"] if diagnostics else ""
    return Refusal(503 if store else _STATUS.get(code, 400), message, diagnostics)
