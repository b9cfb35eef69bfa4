"""Versions: the flow of a version, read once, and its code beside the notebook's cells."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath
from typing import Any

from nbcompile.notebook import NotebookError, parse_notebook
from nbflow.runtime.spec import FlowSpec, read_spec
from nbflow.store import Store
from nbflow.store.records import RunRecord
from nbflow_jupyter import wire


@dataclass(frozen=True, slots=True)
class FlowVersion:
    """A version's manifest and what the runtime reads in it."""

    manifest: dict[str, Any]
    spec: FlowSpec


@lru_cache(maxsize=64)
def flow_version(store: Store, version: str) -> FlowVersion:
    """The flow of a version; versions never change."""
    manifest = store.version(version).manifest
    return FlowVersion(manifest, read_spec(manifest))


def module_path(step: Mapping[str, Any]) -> str:
    """Where the module of a manifest's step lies in the package."""
    module: str = step["function"].partition(":")[0]
    return module.replace(".", "/") + ".py"


def code(store: Store, run: RunRecord) -> wire.Code:
    """The code that a run ran."""
    record = store.version(run.version)
    cells = notebook_cells(record.notebook, run.notebook)
    paths = {step["name"]: module_path(step) for step in record.manifest["steps"]}
    return {
        "version": record.version,
        "package": record.manifest["package"],
        "steps": [
            {
                "step": step["name"],
                "path": paths[step["name"]],
                "text": record.files.get(paths[step["name"]], ""),
                "cells": [cells[cell] for cell in step.get("cells", ()) if cell in cells],
                "lines": (step.get("lines") or {}).get(paths[step["name"]], []),
            }
            for step in record.manifest["steps"]
        ],
        "files": [
            {"path": path, "text": text}
            for path, text in record.files.items()
            if path not in paths.values()
        ],
    }


def notebook_cells(notebook: bytes, path: str) -> dict[int, wire.CellSource]:
    """The cells of a kept notebook by their index; none where it is not a notebook."""
    file = PurePath(path)
    try:
        read = parse_notebook(notebook.decode("utf-8", "replace"), file.stem, file.suffix)
    except NotebookError:
        return {}
    return {
        cell.index: {"cell": cell.index, "kind": cell.kind, "source": cell.source}
        for cell in read.cells
    }


def zipped(files: Mapping[str, str]) -> bytes:
    """The files of a package as a zip file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return file.getvalue()
