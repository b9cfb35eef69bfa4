"""Notebook handlers: what the server is, notebooks as they are edited, and what has changed."""

from __future__ import annotations

from importlib.metadata import entry_points, version
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from nbflow_jupyter import wire
from nbflow_jupyter.handler import NbflowHandler, authorized_to
from nbflow_jupyter.notebooks import interactive_tasks, notebook_state
from nbflow_jupyter.refusal import Refusal
from nbflow_jupyter.versions import zipped

#: how the engines are called in a form
_TITLES = {
    "dask": "Dask on this machine",
    "inline": "In one process, for debugging",
    "kubernetes": "Jobs on a Kubernetes cluster",
}

#: cells of a notebook, and characters in all, that are compiled
_CELLS = 5000


class InfoHandler(NbflowHandler):
    """What the front end has to know first."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Version, stores and engines."""
        await self.service.compiler.warm()
        names = sorted({one.name for one in entry_points(group="nbflow.engines")})
        names.sort(key=lambda name: name != "dask")
        info: wire.Info = {
            "version": version("nbflow"),
            "api": wire.API_VERSION,
            "stores": await self.work(self.service.stores.listed),
            "engines": [{"name": name, "title": _TITLES.get(name, name)} for name in names],
        }
        self.answer(info)


class StoresHandler(NbflowHandler):
    """The stores below the server's root."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """All stores, or the one that serves a notebook."""
        path = self.text("notebook", "")
        self.answer(await self.work(self._stores, path))

    def _stores(self, path: str) -> wire.Stores:
        stores = self.service.stores
        serving = stores.for_notebook(stores.notebook(path))[0] if path else None
        return {"stores": stores.listed(), "serving": serving}


class CompileHandler(NbflowHandler):
    """A notebook in hand."""

    @web.authenticated
    @authorized_to("read")
    async def post(self) -> None:
        """Compile cells that need not be saved; nothing of theirs is run."""
        body = self.body(wire.CompileRequest)
        if len(body.get("cells") or ()) > _CELLS:
            raise Refusal(413, f"No more than {_CELLS} cells.")
        stores = self.service.stores
        path = body.get("path")
        folder = stores.inside(path).parent if path else stores.root
        self.answer(await self.service.compiler.compile(body, str(folder)))


class ParametersHandler(NbflowHandler):
    """The form of a notebook."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """The parameters of a saved notebook, with what is wrong with it."""
        file = self.service.stores.notebook(self.text("notebook"))
        name = self.service.stores.relative(str(file)) or file.name
        self.answer(await self.service.compiler.parameters(str(file), name))


class ExportHandler(NbflowHandler):
    """The package of a notebook."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """The package that a saved notebook compiles to, as a zip file."""
        file = self.service.stores.notebook(self.text("notebook"))
        name, files = await self.service.compiler.export(str(file))
        self.give(await self.work(zipped, files), f"{name}.zip", "application/zip")


class NotebookHandler(NbflowHandler):
    """What the runs of a notebook say of it."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """The newest runs of a notebook, step by step."""
        self.answer(await self.work(self._state, self.text("path")))

    def _state(self, path: str) -> wire.NotebookState:
        stores = self.service.stores
        file = stores.notebook(path)
        name, _ = stores.for_notebook(file)
        return notebook_state(stores.get(name), name, path, file)


class InteractiveHandler(NbflowHandler):
    """What was tried by hand."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """The newest executions of a step's cells in this user's kernels."""
        self.answer(await self.work(self._tasks, self.text("path"), self.text("step")))

    def _tasks(self, path: str, step: str) -> wire.InteractiveTasks:
        stores = self.service.stores
        file = stores.notebook(path)
        name, _ = stores.for_notebook(file)
        return interactive_tasks(stores.get(name), step, file)


class ChangesHandler(NbflowHandler):
    """What has changed, for those who cannot hold a connection."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """The changes after `since`."""
        since = self.number("since", 0, 0, 2**53) or 0
        self.answer(self.service.watcher.since(since))


class OpenApiHandler(NbflowHandler):
    """The description of all this."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """The OpenAPI document."""
        from nbflow_jupyter.routes import document

        described: dict[str, Any] = document()
        self.answer(described)
