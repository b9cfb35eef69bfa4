"""Run handlers: the list of runs, one run as a whole, and what can be done with runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from nbflow.client.lost import why_lost
from nbflow.client.run import Run
from nbflow.errors import UserError
from nbflow.flags.kept import flags_of
from nbflow.store import Store
from nbflow.store.browse import branches, count_runs, engines, tags
from nbflow.store.records import RunRecord
from nbflow_jupyter import shapes, wire
from nbflow_jupyter.compare import compare
from nbflow_jupyter.forms import fields_of_run
from nbflow_jupyter.handler import NbflowHandler, authorized_to
from nbflow_jupyter.launcher import launch
from nbflow_jupyter.refusal import Refusal
from nbflow_jupyter.versions import flow_version

STATUSES = ("", "pending", "running", "succeeded", "failed", "cancelled", "lost")

#: runs on one page, and runs that are compared, at most
MOST_RUNS = 200
MOST_COMPARED = 100

#: characters of a tag, and tags in one request
_TAG = 100
_TAGS = 50


class RunsHandler(NbflowHandler):
    """The list of runs."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """A page of runs, newest first."""
        asked = {
            name: self.text(name, "") or None
            for name in ("flow", "tag", "branch", "engine", "search")
        }
        asked["status"] = self.one_of("status", STATUSES, "") or None
        limit = self.number("limit", 50, 1, MOST_RUNS) or 50
        before = self.number("cursor", None, 0, 2**53)
        self.answer(await self.work(self._page, self.store_name, asked, limit, before))

    @web.authenticated
    @authorized_to("execute")
    async def post(self) -> None:
        """Start a run of a notebook."""
        body = self.body(wire.StartRequest)
        if not body.get("notebook"):
            raise Refusal(400, "The body needs a notebook.")
        check_request(body)
        stores = self.service.stores
        file = stores.notebook(body["notebook"])
        name, place = await self.work(stores.for_notebook, file)
        request = {**body, "target": str(file), "store": place}
        run = await launch(request, file.parent)
        started: wire.Started = {"run": run, "store": name}
        self.answer(started, 201)

    def _page(
        self, name: str, asked: dict[str, Any], limit: int, before: int | None
    ) -> wire.RunPage:
        seq = self.service.watcher.seq
        store = self.service.stores.get(name)
        if store is None:
            return {"runs": [], "next": None, "total": 0, "seq": seq}
        records = store.runs(**asked, limit=limit, before=before)
        total = None
        if before is None and not asked["search"] and not asked["engine"]:
            kinds = ("flow", "status", "branch", "tag")
            total = count_runs(store, **{kind: asked[kind] for kind in kinds})
        return {
            "runs": self.rows(store, records),
            "next": str(records[-1].id) if len(records) == limit else None,
            "total": total,
            "seq": seq,
        }


class FacetsHandler(NbflowHandler):
    """What runs can be filtered by."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """The flows, tags, branches and engines that runs have."""
        self.answer(await self.work(self._facets, self.store_name))

    def _facets(self, name: str) -> wire.Facets:
        store = self.service.stores.get(name)
        if store is None:
            return {"flows": [], "tags": [], "branches": [], "engines": []}
        return {
            "flows": store.flows(),
            "tags": tags(store),
            "branches": branches(store),
            "engines": engines(store),
        }


class RunHandler(NbflowHandler):
    """One run."""

    @web.authenticated
    @authorized
    async def get(self, flow: str, number: str) -> None:
        """Everything recorded of the run as a whole."""
        store, run = await self.find_run(flow, number)
        self.answer(await self.work(self._detail, store, run))

    @web.authenticated
    @authorized
    async def delete(self, flow: str, number: str) -> None:
        """Delete the run."""
        store, run = await self.find_run(flow, number)
        await self.work(store.delete_run, run.id)
        self.set_status(204)
        self.finish()

    def _detail(self, store: Store, run: RunRecord) -> wire.RunDetail:
        manifest = flow_version(store, run.version).manifest
        return {
            "row": self.rows(store, [run])[0],
            "parameters": fields_of_run(manifest, run.params),
            "environment": store.environment(run),
            "options": run.options,
            "git": run.git,
            "dirty": run.dirty,
            "host": run.host,
            "seed": run.seed,
            "parent": _parent(store, run),
            "error": shapes.run_error(run.error),
            "lost": why_lost(Run(run, store)) if run.status == "lost" else None,
        }


class FlagsHandler(NbflowHandler):
    """What is out of the ordinary in a run."""

    @web.authenticated
    @authorized
    async def get(self, flow: str, number: str) -> None:
        """The run's flags, as they were found when it ended."""
        store, run = await self.find_run(flow, number)
        flags = await self.work(flags_of, store, run)
        self.answer(flags.to_json())


class CancelHandler(NbflowHandler):
    """The end of a run that goes on."""

    @web.authenticated
    @authorized
    async def post(self, flow: str, number: str) -> None:
        """Ask the run's driver to stop."""
        store, run = await self.find_run(flow, number)
        cancelled: wire.Cancelled = {"cancelling": await self.work(store.request_cancel, run.id)}
        self.answer(cancelled)


class ResumeHandler(NbflowHandler):
    """A new run that goes on from this one."""

    @web.authenticated
    @authorized_to("execute")
    async def post(self, flow: str, number: str) -> None:
        """Start a run that takes over what still holds."""
        body = self.body(wire.ResumeRequest)
        check_request(body)
        store, run = await self.find_run(flow, number)
        folder = Path(run.notebook).parent
        request = {
            **body,
            "engine": body.get("engine") or run.engine or None,
            "resume_of": run.path,
            "store": store.url,
        }
        path = await launch(request, folder if folder.is_dir() else self.service.stores.root)
        started: wire.Started = {"run": path, "store": self.store_name}
        self.answer(started, 201)


class TagsHandler(NbflowHandler):
    """The tags of a run."""

    @web.authenticated
    @authorized
    async def post(self, flow: str, number: str) -> None:
        """Add tags and take tags away."""
        body = self.body(wire.TagRequest)
        add, remove = body.get("add") or [], body.get("remove") or []
        _check_tags(add)
        store, run = await self.find_run(flow, number)

        def change() -> list[str]:
            if remove:
                store.untag(run.id, *remove)
            if add:
                store.tag(run.id, *add)
            return list(store.run(run.id).tags)

        held: wire.Tags = {"tags": await self.work(change)}
        self.answer(held)


class CompareHandler(NbflowHandler):
    """Runs side by side."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Compare the runs that `run=…` names, each once or more often."""
        paths = self.get_query_arguments("run")
        if not 1 <= len(paths) <= MOST_COMPARED:
            raise Refusal(400, f"Name between 1 and {MOST_COMPARED} runs to compare.")
        self.answer(await self.work(self._compare, self.store_name, paths))

    def _compare(self, name: str, paths: list[str]) -> wire.Compare:
        store = self.service.stores.need(name)
        runs = [store.run(path) for path in paths]
        return compare(store, runs, self.rows(store, runs))


def check_request(body: dict[str, Any]) -> None:
    """Refuse texts that no engine, tag, branch or step can have."""
    for name in ("engine", "branch", "start_from"):
        text = body.get(name)
        if text is not None and (len(text) > 500 or not text.isprintable() or not text):
            raise Refusal(400, f"The {name} is not usable.")
    workers = body.get("max_workers")
    if workers is not None and not 1 <= workers <= 100_000:
        raise Refusal(400, "max_workers must be at least 1.")
    _check_tags(body.get("tags") or [])


def _check_tags(names: list[str]) -> None:
    if len(names) > _TAGS:
        raise Refusal(400, f"No more than {_TAGS} tags at once.")
    for one in names:
        if not one.strip() or len(one) > _TAG or not one.isprintable():
            raise Refusal(400, f"{one[:_TAG]!r} is not a tag: it must be a short printable text.")


def _parent(store: Store, run: RunRecord) -> str | None:
    if run.parent is None:
        return None
    try:
        return store.run(run.parent).path
    except UserError:  # it has been deleted
        return None
