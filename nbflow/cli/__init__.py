"""Command line: `nbflow VERB …`. Each verb is a module of its own, imported when it is used."""

from __future__ import annotations

from nbflow.cli.group import main

__all__ = ["main"]
