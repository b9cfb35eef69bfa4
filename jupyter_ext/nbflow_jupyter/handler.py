"""Handler: what every handler of the API shares: who may ask, how is answered and refused."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn, TypeVar, cast

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from nbcompile.notebook import NotebookError
from nbflow.errors import UserError
from nbflow.flags.kept import warnings_of
from nbflow.store import Store
from nbflow.store.records import Part, RunRecord
from nbflow_jupyter import shapes, wire
from nbflow_jupyter.compiler import Compiler
from nbflow_jupyter.moved import notebook_now
from nbflow_jupyter.openapi import schema_of_shape
from nbflow_jupyter.refusal import Refusal, refusal_of
from nbflow_jupyter.states import step_states
from nbflow_jupyter.stores import Stores
from nbflow_jupyter.versions import flow_version
from nbflow_jupyter.watcher import Watcher

AUTH_RESOURCE = "nbflow"

#: bytes of a request's body
_BODY = 16 << 20
#: characters of an argument
_ARGUMENT = 1000

T = TypeVar("T")
Method = TypeVar("Method", bound=Callable[..., Any])


def authorized_to(action: str) -> Callable[[Method], Method]:
    """Jupyter's `authorized`, for methods that do another thing than their verb says."""
    return cast("Callable[[Method], Method]", authorized(action=action))


@dataclass(frozen=True, slots=True)
class Service:
    """What the handlers of one server work with."""

    stores: Stores
    watcher: Watcher
    compiler: Compiler
    threads: ThreadPoolExecutor


class NbflowHandler(APIHandler):
    """One address of the API. What a handler raises as a `Refusal` is answered as a `Problem`."""

    auth_resource = AUTH_RESOURCE

    @property
    def service(self) -> Service:
        """What this server's handlers share."""
        return cast(Service, self.settings["nbflow_service"])

    @property
    def store_name(self) -> str:
        """The store that the request is about."""
        return self.text("store", "")

    async def work(self, function: Callable[..., T], *args: Any) -> T:
        """Call a function that reads the store, beside the server's loop."""
        try:
            begun = self.service.threads.submit(function, *args)
        except RuntimeError as error:  # a request that comes while the server shuts down
            raise Refusal(503, "The server is shutting down.") from error
        try:
            return await asyncio.wrap_future(begun)
        except (UserError, NotebookError) as error:
            raise refusal_of(error) from error

    async def find_run(self, flow: str, number: str) -> tuple[Store, RunRecord]:
        """The store and the run that the address names."""
        return await self.work(self._find_run, self.store_name, flow, number)

    def _find_run(self, name: str, flow: str, number: str) -> tuple[Store, RunRecord]:
        store = self.service.stores.need(name)
        if "/" in flow:
            raise Refusal(404, f"There is no run {flow[:80]}/{number[:20]}.")
        return store, store.run(f"{flow}/{number}")

    def rows(self, store: Store, runs: Sequence[RunRecord]) -> list[wire.RunRow]:
        """Runs for a list, with the states of the steps of those that are active."""
        flags = warnings_of(store, [run.id for run in runs])
        return [self._row(store, run, flags.get(run.id, 0)) for run in runs]

    def _row(self, store: Store, run: RunRecord, flags: int) -> wire.RunRow:
        steps: list[wire.StepState] = []
        if run.status in ("pending", "running"):
            steps = step_states(store, run, flow_version(store, run.version).spec)
        notebook = self.service.stores.relative(notebook_now(store, run.notebook))
        return shapes.run_row(run, notebook, steps, flags)

    def text(self, name: str, default: str | None = None) -> str:
        """A text of the query; a refusal where it is missing and has no default."""
        value = self.get_query_argument(name, None, strip=False)
        if value is None and default is None:
            raise Refusal(400, f"The request needs {name}=….")
        found = default or "" if value is None else value
        if len(found) > _ARGUMENT:
            raise Refusal(400, f"{name} is too long.")
        return found

    def number(self, name: str, default: int | None, least: int, most: int) -> int | None:
        """A whole number of the query; a refusal where it is none or out of bounds."""
        text = self.text(name, "")
        if not text:
            return default
        if not (text.isascii() and text.isdecimal() and len(text) < 16):
            raise Refusal(400, f"{name} must be a whole number, not {text[:40]!r}.")
        value = int(text)
        if not least <= value <= most:
            raise Refusal(400, f"{name} must lie between {least} and {most}.")
        return value

    def one_of(self, name: str, choices: tuple[str, ...], default: str) -> str:
        """A word of the query out of those there are."""
        word = self.text(name, default)
        if word not in choices:
            raise Refusal(400, f"{name} must be one of {', '.join(choices)}.")
        return word

    def part(self) -> Part:
        """Which part of a task is asked for."""
        return cast(Part, self.one_of("part", ("main", "items"), "main"))

    def body(self, shape: Any) -> dict[str, Any]:
        """The request's body, checked against its shape."""
        if len(self.request.body) > _BODY:
            raise Refusal(413, "The request is too large.")
        try:
            content = json.loads(self.request.body or b"{}")
        except (ValueError, RecursionError):
            raise Refusal(400, "The body is not JSON.") from None
        for error in _validator(shape).iter_errors(content):
            where = "/".join(map(str, error.absolute_path))
            raise Refusal(
                400, f"The body is wrong{f' at {where}' if where else ''}: {error.message[:200]}."
            )
        return cast("dict[str, Any]", content)

    def answer(self, content: Any, status: int = 200) -> None:
        """Answer with JSON; what JSON has no numbers for is told as text."""
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish(to_json(content))

    def give(self, data: bytes, name: str, kind: str = "application/octet-stream") -> None:
        """Answer with a file to be saved, never to be shown."""
        self.attach(name)
        self.finish(data, set_content_type=kind)

    def attach(self, name: str) -> None:
        """Let a browser save the answer under this name, or one like it."""
        plain = "".join(c if c.isalnum() or c in "._-" else "_" for c in name)
        ascii_name = plain.encode("ascii", "replace").decode().replace("?", "_")
        self.set_header("Content-Disposition", f'attachment; filename="{ascii_name}"')
        self.harmless()

    def harmless(self, policy: str = "sandbox; default-src 'none'") -> None:
        """Let a browser do nothing with the answer but show or save it."""
        self.set_header("Content-Security-Policy", policy)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cache-Control", "no-store")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Every failure has one shape."""
        error = (kwargs.get("exc_info") or (None, None))[1]
        problem: wire.Problem = {"message": self._reason, "diagnostics": []}
        if isinstance(error, Refusal):
            problem = {"message": error.message, "diagnostics": error.diagnostics}
        elif isinstance(error, web.HTTPError) and error.log_message:
            problem["message"] = error.log_message
        self.finish(to_json(problem))

    def get_login_url(self) -> NoReturn:
        """The API sends nobody to a page."""
        raise web.HTTPError(403)


def to_json(content: Any) -> str:
    """JSON that every browser reads: numbers that are not finite become text."""
    try:
        return json.dumps(content, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(content))


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list | tuple) else value


@cache
def _validator(shape: Any) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema_of_shape(shape))
