"""VersionTable: compiled versions of flows, and their code unpacked where it can be imported."""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from pathlib import Path
from typing import Any

from nbflow.errors import user_error
from nbflow.store.database import Database
from nbflow.store.records import VersionRecord


class VersionTable:
    """The part of the store that keeps versions."""

    db: Database[Any]
    root: Path

    def add_version(
        self, version: str, manifest: dict[str, Any], files: dict[str, str], notebook: bytes
    ) -> None:
        """Keep a compiled version; one that is there already stays as it is."""
        if self.db.one("SELECT 1 FROM versions WHERE version = ?", (version,)) is None:
            self.db.execute(
                "INSERT INTO versions (version, flow, created, manifest, files, notebook)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (version) DO NOTHING",
                (
                    version,
                    str(manifest.get("name", "")),
                    time.time(),
                    json.dumps(manifest),
                    json.dumps(files),
                    notebook,
                ),
            )

    def version(self, version: str) -> VersionRecord:
        """A version with everything in it."""
        row = self.db.one("SELECT * FROM versions WHERE version = ?", (version,))
        if row is None:
            raise user_error(
                "NBF407",
                f"The store has no version {version!r}.",
                "`nbflow show RUN` names the version of a run.",
            )
        return VersionRecord(
            row["version"],
            row["flow"],
            row["created"],
            json.loads(row["manifest"]),
            json.loads(row["files"]),
            row["notebook"],
        )

    def code_dir(self, version: str) -> Path:
        """The folder to put on `sys.path` for this version; unpacked once, all or nothing."""
        folder = self.root / "code" / version
        if folder.is_dir():
            return folder
        files = self.version(version).files
        partial = self.root / "code" / f".{uuid.uuid4().hex}"
        try:
            for name, text in files.items():
                path = partial / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8", newline="")
            try:
                os.rename(partial, folder)
            except OSError:
                # another process has unpacked it meanwhile
                if not folder.is_dir():
                    raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return folder
