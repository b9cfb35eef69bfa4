"""Read only: an authorizer under which one may look, and do nothing."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth import Authorizer


class ReadOnly(Authorizer):
    """Allows to read nbflow's things, and nothing else."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        """Jupyter's question."""
        return (action, resource) == ("read", "nbflow")
