"""Task handlers: the steps and tasks of a run, what they printed, showed and kept."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from nbflow.store import Store
from nbflow.store.browse import SORTS, TaskQuery
from nbflow.store.records import RunRecord
from nbflow.values.ref import Ref
from nbflow_jupyter import logs, tasks, wire
from nbflow_jupyter.graph import graph
from nbflow_jupyter.handler import NbflowHandler
from nbflow_jupyter.refusal import Refusal
from nbflow_jupyter.states import step_states
from nbflow_jupyter.versions import code, flow_version, zipped

#: tasks on one page, at most
MOST_TASKS = 500

#: what a user's HTML may do in its frame: run its own scripts and styles, and reach nothing
HTML_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval';"
    " style-src 'unsafe-inline'; img-src data: blob:; font-src data:; media-src data:;"
    " form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
_PNG = b"\x89PNG\r\n\x1a\n"

#: bytes sent at once of a stored value
_PIECE = 1 << 20

#: how a stored value's file is called
_SUFFIX = {"text": ".txt", "arrow": ".arrow", "pickle": ".pickle", "json": ".json"}


class GraphHandler(NbflowHandler):
    """The graph of a run."""

    @web.authenticated
    @authorized
    async def get(self, flow: str, number: str) -> None:
        """The graph with the states of the steps."""
        store, run = await self.find_run(flow, number)
        self.answer(await self.work(_graph, store, run))


class StepsHandler(NbflowHandler):
    """The states of a run's steps."""

    @web.authenticated
    @authorized
    async def get(self, flow: str, number: str) -> None:
        """How far each step is."""
        store, run = await self.find_run(flow, number)
        self.answer(await self.work(_steps, store, run))


class StripHandler(NbflowHandler):
    """All tasks of a step in few bytes."""

    @web.authenticated
    @authorized
    async def get(self, flow: str, number: str) -> None:
        """A letter and two numbers for each task."""
        step = self.text("step")
        store, run = await self.find_run(flow, number)

        def strip() -> wire.HeatStrip:
            return tasks.heat_strip(store, run, flow_version(store, run.version).spec, step)

        self.answer(await self.work(strip))


class TasksHandler(NbflowHandler):
    """The tasks of a run."""

    @web.authenticated
    @authorized
    async def get(self, flow: str, number: str) -> None:
        """A page of tasks, sorted and filtered."""
        statuses = tuple(one for one in self.text("status", "").split(",") if one)
        if not set(statuses) <= set(wire.LETTERS):
            raise Refusal(400, f"status must be of {', '.join(wire.LETTERS)}.")
        cursor = self.text("cursor", "")
        sort = self.one_of("sort", SORTS, "key")
        query = TaskQuery(
            step=self.text("step", "") or None,
            statuses=statuses,
            search=self.text("search", ""),
            sort=sort,
            descending=self.one_of("order", ("asc", "desc"), "asc") == "desc",
            limit=self.number("limit", 100, 1, MOST_TASKS) or 100,
            after=tasks.read_cursor(cursor, sort) if cursor else None,
        )
        store, run = await self.find_run(flow, number)
        self.answer(await self.work(tasks.page, store, run, query))


class OfTask(NbflowHandler):
    """What is asked of one task: `step`, and `key` where it fans out."""

    async def find_task(self, flow: str, number: str) -> tuple[Store, RunRecord, str, str]:
        """The store, the run, and the step and the key that the query names."""
        step, key = self.text("step"), self.text("key", "")
        store, run = await self.find_run(flow, number)
        return store, run, step, key

    async def find_artifact(self, flow: str, number: str) -> tuple[Store, RunRecord, Ref]:
        """The store, the run and the kept value that the query names."""
        name = self.text("name")
        store, run, step, key = await self.find_task(flow, number)
        part = self.part()
        record = await self.work(tasks.find, store, run, step, key, part)
        if name not in record.artifacts:
            raise Refusal(404, f"The task has kept no {name[:80]!r}.")
        return store, run, Ref.from_json(record.artifacts[name])


class TaskHandler(OfTask):
    """One task."""

    @web.authenticated
    @authorized
    async def get(self, flow: str, number: str) -> None:
        """Everything recorded of the task."""
        store, run, step, key = await self.find_task(flow, number)
        part = self.part()

        def detail() -> wire.TaskDetail:
            record = tasks.find(store, run, step, key, part)
            return tasks.detail(store, run, flow_version(store, run.version).manifest, record)

        self.answer(await self.work(detail))


class LogHandler(OfTask):
    """What a task has printed."""

    @web.authenticated
    @authorized
    async def get(self, flow: str, number: str) -> None:
        """A range of the log as text."""
        start = self.number("start", 0, 0, 2**53) or 0
        limit = self.number("limit", 256 << 10, 1, logs.MOST) or logs.MOST
        tail = self.number("tail", None, 0, logs.MOST)
        attempt = self.number("attempt", None, 1, 10**6)
        part = self.part()
        store, run, step, key = await self.find_task(flow, number)

        def read() -> wire.LogChunk:
            log = logs.open_log(store, run, step, key, part, attempt)
            return logs.chunk(log, start, max(limit, tail or 0), tail)

        self.answer(await self.work(read))


class LogFileHandler(OfTask):
    """A log as a file."""

    @web.authenticated
    @authorized
    async def get(self, flow: str, number: str) -> None:
        """All that the task has printed, to be saved."""
        attempt = self.number("attempt", None, 1, 10**6)
        part = self.part()
        store, run, step, key = await self.find_task(flow, number)

        def read() -> bytes:
            log = logs.open_log(store, run, step, key, part, attempt)
            return log.read(0, log.size)

        name = "-".join(one for one in (run.flow, str(run.number), step, key) if one)
        self.give(await self.work(read), f"{name}.log", "text/plain; charset=utf-8")


class OutputsHandler(OfTask):
    """What a task has shown."""

    @web.authenticated
    @authorized
    async def get(self, flow: str, number: str) -> None:
        """The outputs in all their forms."""
        store, run, step, key = await self.find_task(flow, number)
        shown: wire.Outputs = {"outputs": await self.work(logs.outputs, store, run, step, key)}
        self.answer(shown)


class OutputPageHandler(OfTask):
    """The HTML of one output as a page for a frame, where it can do no harm."""

    @web.authenticated
    @authorized
    async def get(self, flow: str, number: str) -> None:
        """The page, shut in a sandbox of its own origin."""
        if self.get_query_argument("token", None) is not None:
            # its scripts can read their own address
            raise Refusal(400, "Ask for a user's HTML with a cookie or a header, not ?token=….")
        index = self.number("index", 0, 0, 10**6) or 0
        store, run, step, key = await self.find_task(flow, number)
        shown = await self.work(logs.outputs, store, run, step, key)
        html = shown[index]["data"].get("text/html") if index < len(shown) else None
        if html is None:
            raise Refusal(404, "There is no such output with HTML.")
        text = html if isinstance(html, str) else "".join(map(str, html))
        self.harmless(HTML_POLICY)
        page = f"<!doctype html><meta charset=utf-8>{text}"
        self.finish(page, set_content_type="text/html; charset=utf-8")


class ArtifactHandler(OfTask):
    """A kept value as it is stored."""

    @web.authenticated
    @authorized
    async def get(self, flow: str, number: str) -> None:
        """The stored bytes, to be saved; they are read by nobody here."""
        name = self.text("name")
        store, run, ref = await self.find_artifact(flow, number)
        data = await self.work(store.view, ref)
        suffix = _SUFFIX.get(ref.codec, ".bin")
        self.attach(f"{run.flow}-{run.number}-{self.text('step')}-{name}{suffix}")
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Length", len(data))
        for start in range(0, len(data), _PIECE):
            self.write(bytes(data[start : start + _PIECE]))
            await self.flush()
        self.finish(set_content_type="application/octet-stream")


class ImageHandler(OfTask):
    """The picture of a kept value."""

    @web.authenticated
    @authorized
    async def get(self, flow: str, number: str) -> None:
        """The PNG that was made when the value was written."""
        store, _, ref = await self.find_artifact(flow, number)
        image = (ref.preview or {}).get("image")
        data = await self.work(store.get_bytes, Ref.from_json(image)) if image else b""
        if not data.startswith(_PNG):
            raise Refusal(404, "The value has no picture.")
        self.harmless()
        self.set_header("Cache-Control", "private, max-age=86400")
        self.finish(data, set_content_type="image/png")


class CodeHandler(NbflowHandler):
    """The code of a run."""

    @web.authenticated
    @authorized
    async def get(self, flow: str, number: str) -> None:
        """Each step's module beside its cells, and the other files."""
        store, run = await self.find_run(flow, number)
        self.answer(await self.work(code, store, run))


class NotebookFileHandler(NbflowHandler):
    """The notebook of a run."""

    @web.authenticated
    @authorized
    async def get(self, flow: str, number: str) -> None:
        """The notebook as it was when it ran, to be saved."""
        store, run = await self.find_run(flow, number)
        version = await self.work(store.version, run.version)
        if not version.notebook:
            raise Refusal(404, f"{run.path} ran an exported package, not a notebook.")
        suffix = ".py" if run.notebook.endswith(".py") else ".ipynb"
        self.give(version.notebook, f"{run.flow}-{run.number}{suffix}")


class PackageHandler(NbflowHandler):
    """The compiled package of a run."""

    @web.authenticated
    @authorized
    async def get(self, flow: str, number: str) -> None:
        """The package that ran, as a zip file."""
        store, run = await self.find_run(flow, number)
        version = await self.work(store.version, run.version)
        data = await self.work(zipped, version.files)
        self.give(data, f"{run.flow}-{run.number}.zip", "application/zip")


def _graph(store: Store, run: RunRecord) -> wire.Graph:
    flow = flow_version(store, run.version)
    return graph(flow.manifest, step_states(store, run, flow.spec), flow.spec)


def _steps(store: Store, run: RunRecord) -> wire.Steps:
    spec = flow_version(store, run.version).spec
    status: Any = run.status
    return {"status": status, "steps": step_states(store, run, spec)}
