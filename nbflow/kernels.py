"""Kernels: how nbflow reaches those that it starts itself, so that nobody else does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def private_connection() -> Iterator[dict[str, str]]:
    """Settings for a kernel's manager: sockets in a folder of our own instead of TCP.

    What goes over TCP is in plain text, for others on the machine too, and kernels warn of it. On
    Windows, which has no such sockets, there are no settings.
    """
    if os.name == "nt":
        yield {}
        return
    with TemporaryDirectory(prefix="nbflow-kernel-") as folder:
        yield {"transport": "ipc", "connection_file": str(Path(folder, "kernel.json"))}
