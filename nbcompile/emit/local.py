"""Local modules: the files beside the notebook that its code imports, packaged as they are."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path


def local_files(modules: Iterable[str], folder: Path | None) -> dict[str, str]:
    """The source files of local modules and of the local modules that those import."""
    files: dict[str, str] = {}
    if folder is None:
        return files
    queue, seen = sorted(modules), set[str]()
    while queue:
        module = queue.pop(0)
        if module in seen:
            continue
        seen.add(module)
        for path in _paths(folder, module):
            text = path.read_text(encoding="utf-8")
            files[path.relative_to(folder).as_posix()] = text
            queue.extend(sorted(_imported(text)))
    return dict(sorted(files.items()))


def _paths(folder: Path, module: str) -> list[Path]:
    single = folder / f"{module}.py"
    if single.is_file():
        return [single]
    inside = folder / module
    return sorted(inside.rglob("*.py")) if inside.is_dir() else []


def _imported(text: str) -> Iterator[str]:
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
