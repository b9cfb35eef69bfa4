"""nbflow in JupyterLab: the server extension, and the built front end beside it."""

from __future__ import annotations

from typing import Any

from nbflow_jupyter.wire import API_VERSION

__all__ = ["API_VERSION"]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """What Jupyter Server asks an extension for."""
    from nbflow_jupyter.app import NbflowApp

    return [{"module": "nbflow_jupyter", "app": NbflowApp}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where the built front end lies, for `jupyter-builder develop`."""
    return [{"src": "labextension", "dest": "@nbflow/labextension"}]
