"""Moved: where a notebook is now whose project's folder was moved after it had run."""

from __future__ import annotations

from pathlib import Path

from nbflow.store import Store


def notebook_now(store: Store, recorded: str) -> str:
    """The notebook's file: as recorded, or at the same place below the folder of the store.

    A store that is a folder lies in its project's and moves with it. What is recorded below that
    folder, or is still where it was, has not been moved.
    """
    if store.folder is None or not recorded:
        return recorded
    project, file = store.folder.parent, Path(recorded)
    if file.is_relative_to(project) or file.is_file():
        return recorded
    parts = file.parts[1:]
    below = (project.joinpath(*parts[at:]) for at in range(len(parts)))
    return next((str(one) for one in below if one.is_file()), recorded)
