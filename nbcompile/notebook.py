"""Notebook: the cells of an `.ipynb` or a jupytext percent file, as frozen values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePath
from typing import Any, Literal, cast, get_args

from nbcompile.diagnostics import Diagnostic

CellKind = Literal["code", "markdown", "raw"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: nothing but what the file says. ``index`` counts all cells from 0."""

    index: int
    kind: CellKind
    source: str
    tags: tuple[str, ...] = ()
    #: empty in files older than nbformat 4.5 and in percent files
    id: str = ""


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook: its name (the file's stem), where it was read from, its cells."""

    name: str
    path: str
    cells: tuple[Cell, ...]


class NotebookError(Exception):
    """The file cannot be read as a notebook; ``diagnostics`` say why."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__(tuple(diagnostics))
        self.diagnostics = tuple(diagnostics)

    def __str__(self) -> str:
        return "\n".join(f"{d.message} {d.fix or ''}".rstrip() for d in self.diagnostics)


def read_notebook(path: str | PurePath) -> Notebook:
    """Read a notebook file; NotebookError where it is missing or is not one."""
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise _unreadable(f"There is no file {file}.", _meant(file)) from None
    except IsADirectoryError:
        raise _unreadable(f"{file} is a folder.", "Name a notebook in it.") from None
    except OSError as error:
        raise _unreadable(f"{file} cannot be read: {error.strerror}.", None) from None
    except UnicodeDecodeError:
        raise _unreadable(f"{file} is not UTF-8 text.", "Save it as UTF-8.") from None
    return parse_notebook(text, file.stem, file.suffix, str(path))


def _meant(file: Path) -> str:
    """What the user may have meant by a file that is not there."""
    if not file.parent.is_dir():
        return f"There is no folder {file.parent} either: check the path."
    there = {one.stem: one.name for one in file.parent.glob("*.py")}
    there |= {one.stem: one.name for one in file.parent.glob("*.ipynb")}
    close = get_close_matches(file.stem, there, 1)
    return f"Did you mean {file.with_name(there[close[0]])}?" if close else "Check the path."


def parse_notebook(text: str, name: str, suffix: str = ".ipynb", path: str = "") -> Notebook:
    """Read a notebook from its text; ``suffix`` says which form: `.ipynb` or `.py`."""
    path = path or f"{name}{suffix}"
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if suffix == ".ipynb":
        return Notebook(name, path, _cells_of_json(text, path))
    if suffix == ".py":
        from nbcompile.percent import percent_cells

        return Notebook(name, path, percent_cells(text))
    raise _unreadable(
        f"{path} is not a notebook: its name ends in {suffix or 'nothing'}.",
        "Give an .ipynb file, or a .py file with # %% cells.",
    )


def _cells_of_json(text: str, path: str) -> tuple[Cell, ...]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise _unreadable(
            f"{path} is not a notebook: it is not JSON ({error}).",
            "Save it again from Jupyter, or restore an earlier copy.",
        ) from None
    if not isinstance(content, dict) or not isinstance(content.get("nbformat"), int):
        raise _unreadable(
            f"{path} is JSON but not a notebook: it has no nbformat.", "Give an .ipynb file."
        )
    if content["nbformat"] != 4:
        raise _unreadable(
            f"{path} has notebook format {content['nbformat']}; nbflow reads format 4.",
            f"Convert it: jupyter nbconvert --to notebook --nbformat 4 {path}",
        )
    language = _language(content)
    if language not in ("", "python"):
        raise _unreadable(
            f"{path} is a notebook in {language}; nbflow compiles Python.",
            "Choose a Python kernel for it.",
        )
    cells = content.get("cells")
    if not isinstance(cells, list):
        raise _unreadable(f"{path} is not a notebook: it has no list of cells.", None)
    return tuple(_cell(index, cell, path) for index, cell in enumerate(cells))


def _language(content: Mapping[str, Any]) -> str:
    metadata = _mapping(content.get("metadata"))
    spec, info = _mapping(metadata.get("kernelspec")), _mapping(metadata.get("language_info"))
    language = spec.get("language") or info.get("name") or ""
    # ipykernel writes "python", older versions of it "ipython" and "python3"
    return str(language).lower().removeprefix("i").rstrip("0123456789.")


def _cell(index: int, cell: Any, path: str) -> Cell:
    kind = cell.get("cell_type") if isinstance(cell, dict) else None
    if kind not in get_args(CellKind):
        raise _unreadable(f"{path} is not a notebook: cell {index} has no cell_type.", None)
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(str(line) for line in source)
    tags = _mapping(cell.get("metadata")).get("tags")
    return Cell(
        index=index,
        kind=cast(CellKind, kind),
        source=str(source).replace("\r\n", "\n"),
        tags=tuple(str(tag) for tag in tags) if isinstance(tags, list) else (),
        id=str(cell.get("id", "")),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _unreadable(message: str, fix: str | None) -> NotebookError:
    return NotebookError([Diagnostic("NBF101", "error", message, fix=fix)])
