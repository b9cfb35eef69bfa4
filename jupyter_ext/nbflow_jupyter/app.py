"""App: the server extension; `c.NbflowApp.store = …` in a Jupyter configuration sets it up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from jupyter_server.extension.application import ExtensionApp
from traitlets import Float, Integer, Unicode

from nbflow_jupyter.compiler import Compiler
from nbflow_jupyter.handler import Service
from nbflow_jupyter.routes import handlers
from nbflow_jupyter.stores import Stores
from nbflow_jupyter.watcher import Watcher


class NbflowApp(ExtensionApp):
    """Runs, notebooks and a live stream of changes under `/nbflow/api/`."""

    name = "nbflow_jupyter"
    app_name = "nbflow"
    description = "Runs of notebooks as flows"
    extension_url = "/lab"
    load_other_extensions = True

    store = Unicode(
        "", help="The store to show, a folder; without it, the one that serves the server's root."
    ).tag(config=True)
    interval = Float(0.2, help="Seconds between two looks for changes.").tag(config=True)
    threads = Integer(4, help="Requests that read the store at once.").tag(config=True)

    def initialize_settings(self) -> None:
        """Make what the handlers share."""
        assert self.serverapp is not None
        root = Path(self.serverapp.root_dir).expanduser()
        stores = Stores(root, self.store)
        self.settings["nbflow_service"] = Service(
            stores,
            Watcher(stores, self.log, self.interval),
            Compiler(),
            ThreadPoolExecutor(self.threads, "nbflow"),
        )

    def initialize_handlers(self) -> None:
        """Add the routes."""
        self.handlers.extend(handlers())

    async def stop_extension(self) -> None:
        """Let go of everything; runs go on."""
        service: Any = self.settings.get("nbflow_service")
        if service is None:
            return
        await service.watcher.stop()
        await service.compiler.stop()
        service.threads.shutdown(wait=True)
        service.stores.close()
