"""Stream: the live stream of changes, a WebSocket for each open page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado import web
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from nbflow_jupyter.handler import AUTH_RESOURCE, Service, to_json
from nbflow_jupyter.wire import Change

#: messages that wait for a slow page, before it is told to ask for everything anew
_WAITING = 500


class StreamHandler(WebSocketMixin, WebSocketHandler, JupyterHandler):
    """Says `hello`, then every change; what the page says is not listened to."""

    auth_resource = AUTH_RESOURCE

    def initialize(self) -> None:
        """Nothing is open yet."""
        self._queue: asyncio.Queue[Change] = asyncio.Queue()
        self._stop: Callable[[], None] | None = None
        self._sender: asyncio.Task[None] | None = None

    @ws_authenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Open the stream, for whoever may read."""
        allowed = await ensure_async(
            self.authorizer.is_authorized(self, self.current_user, "read", AUTH_RESOURCE)
        )
        if not allowed:
            raise web.HTTPError(403)
        await super().get(*args, **kwargs)

    def open(self, *args: Any, **kwargs: Any) -> None:
        """Begin to tell."""
        super().open(*args, **kwargs)
        watcher = cast(Service, self.settings["nbflow_service"]).watcher
        self._queue.put_nowait(watcher.hello())
        self._stop = watcher.listen(self._changed)
        self._sender = asyncio.get_running_loop().create_task(self._send())

    def on_message(self, message: str | bytes) -> None:
        """A page only listens."""

    def on_close(self) -> None:
        """End of the page."""
        if self._stop is not None:
            self._stop()
        if self._sender is not None:
            self._sender.cancel()

    def _changed(self, changes: list[Change]) -> None:
        if self._queue.qsize() + len(changes) > _WAITING:
            while not self._queue.empty():
                self._queue.get_nowait()
            changes = [{**changes[-1], "kind": "reset", "path": None, "run": None, "steps": []}]
        for change in changes:
            self._queue.put_nowait(change)

    async def _send(self) -> None:
        try:
            while True:
                await self.write_message(to_json(await self._queue.get()))
        except WebSocketClosedError:
            self.on_close()
