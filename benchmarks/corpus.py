"""Notebooks and example scripts that nobody tuned for nbflow, from source distributions.

    python benchmarks/corpus.py statsmodels networkx       # pip downloads the sources
    python benchmarks/corpus.py unpacked/scikit-learn-1.9  # a folder of them

Every code cell becomes a step (``--plain``: cells of imports and definitions stay untagged) by a
tag in its metadata, so that no line changes; `nbflow verify` compares. Only examples that download
nothing. Each result is kept in a file of JSON lines, so that a run goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

TABLE = Path(__file__).resolve().parents[1] / "docs" / "corpus.md"
DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
#: what fetches data that does not come with the package
DOWNLOADS = re.compile(
    r"\bfetch_\w+|get_rdataset|webuse|load_dataset|urlopen|requests\.|DataReader|openml"
    r"|https?://[^\s\"']+\.(csv|zip|gz|xlsx?|dta)|[\"']https?://"
)
#: interactive or graphical programs
INTERACTIVE = re.compile(r"\binput\(|FuncAnimation|tkinter|ipywidgets|wx\b|gi\.repository|PyQt")
#: the verdict on an example that was compiled and not run
COMPILES = "compiles"
BREAK = re.compile(r"^(# ?%%.*|#{20,}\s*)$")


def script_cells(source: str) -> list[tuple[str, str]]:
    """A script of sphinx-gallery as (kind, source) of cells, cut at its blocks of text."""
    cells: list[tuple[str, list[str]]] = [("code", [])]
    opening = ast.parse(source).body[:1]
    lines = source.splitlines()
    if opening and isinstance(opening[0], ast.Expr) and isinstance(opening[0].value, ast.Constant):
        end = opening[0].end_lineno or 0
        cells = [("markdown", lines[:end]), ("code", [])]
        lines = lines[end:]
    for line in lines:
        if BREAK.match(line):
            cells.append(("markdown", []))
        elif cells[-1][0] == "markdown" and not line.startswith("#") and len(cells) > 1:
            cells.append(("code", [line]))
        else:
            cells[-1][1].append(line)
    return [(kind, "\n".join(text).strip("\n")) for kind, text in cells if "".join(text).strip()]


def cut_at_gaps(source: str) -> list[tuple[str, str]]:
    """The code cut at empty lines between its top-level statements."""
    lines = source.splitlines()
    found: list[tuple[int, int]] = []
    for statement in ast.parse(source).body:
        decorators = [one.lineno for one in getattr(statement, "decorator_list", [])]
        start, end = min(statement.lineno, *decorators, statement.lineno), statement.end_lineno or 0
        if found and all(line.strip() for line in lines[found[-1][1] : start - 1]):
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return [("code", "\n".join(lines[start - 1 : end])) for start, end in found]


def read_cells(path: Path) -> list[tuple[str, str]]:
    """The cells of a notebook or a script as (kind, source)."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        cells = script_cells(text)
        blocks = sum(kind == "code" for kind, _ in cells)
        return cells if blocks >= 3 else cut_at_gaps(text)  # a script without blocks of text
    content = json.loads(text)
    return [(one["cell_type"], "".join(one["source"])) for one in content["cells"]]


def tagged(cells: Sequence[tuple[str, str]], plain: bool) -> tuple[dict[str, Any], int]:
    """A notebook of the cells whose code cells are steps, and their number."""
    made = []
    steps = 0
    for number, (kind, source) in enumerate(cells):
        tags = []
        if kind == "code" and source.strip() and not (plain and _defines_only(source)):
            tags.append(f"step:s{number}")
            steps += 1
        cell: dict[str, Any] = {"cell_type": kind, "metadata": {"tags": tags}, "source": source}
        if kind == "code":
            cell |= {"outputs": [], "execution_count": None}
        made.append(cell)
    return {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}, steps


def _defines_only(source: str) -> bool:
    try:
        return all(isinstance(one, DEFINITIONS) for one in ast.parse(source).body)
    except SyntaxError:
        return False


def verify(path: Path, plain: bool, limit: float) -> dict[str, Any]:
    """The verdict on one notebook, with its reason in a few words."""
    cells = read_cells(path)
    notebook, steps = tagged(cells, plain)
    row: dict[str, Any] = {"cells": sum(kind == "code" for kind, _ in cells), "steps": steps}
    began = time.monotonic()
    # beside its source, where its own data files are
    with tempfile.TemporaryDirectory(prefix="corpus-", dir=path.parent) as folder:
        copy = path.parent / f"{Path(folder).name}.ipynb"
        copy.write_text(json.dumps(notebook), encoding="utf-8")
        command = [sys.executable, "-m", "nbflow", "verify", copy.name, "--on", "inline", "--json"]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=limit,
                cwd=path.parent,
                env={**os.environ, "NO_COLOR": "1", "COLUMNS": "10000"},
            )
        except subprocess.TimeoutExpired:
            return row | {
                "verdict": "not run",
                "reason": f"verify as a whole took over {limit:.0f} s",
            }
        finally:
            copy.unlink(missing_ok=True)
    verdict, reason = _judge(done)
    seconds = round(time.monotonic() - began, 1)
    return row | {"verdict": verdict, "reason": reason, "seconds": seconds}


def compiles(path: Path, plain: bool) -> dict[str, Any]:
    """What the compiler says of one notebook: nothing runs."""
    from nbcompile import infer_flow, parse_notebook

    cells = read_cells(path)
    notebook, steps = tagged(cells, plain)
    row: dict[str, Any] = {"cells": sum(kind == "code" for kind, _ in cells), "steps": steps}
    try:
        flow = infer_flow(parse_notebook(json.dumps(notebook), "corpus", ".ipynb"))
    except Exception as error:  # a crash is a result
        return row | {"verdict": "crash", "reason": f"{type(error).__name__}: {error}"[:200]}
    errors = sorted({one.code for one in flow.diagnostics if one.severity == "error"})
    if errors:
        return row | {"verdict": "refused", "reason": ", ".join(errors)}
    warnings = Counter(one.code for one in flow.diagnostics if one.severity == "warning")
    told = ", ".join(f"{code} {count}x" for code, count in sorted(warnings.items()))
    return row | {"verdict": COMPILES, "reason": f"warnings: {told}" if told else ""}


def _judge(done: subprocess.CompletedProcess[str]) -> tuple[str, str]:
    if done.returncode == 2:
        told = done.stdout + done.stderr
        codes = Counter(re.findall(r"error\[(NBF\d+)\]", told))
        return "refused", ", ".join(sorted(codes)) or told.strip()[-200:]
    try:
        found = json.loads(done.stdout)
    except ValueError:
        return "crash", (done.stderr.strip().splitlines() or ["no output"])[-1][:200]
    if found["stopped"]:
        own = "notebook itself" in found["stopped"]
        return "not run" if own else "fails", " ".join(found["stopped"].split())[:240]
    if found["same"]:
        unread = sum(len(one["unread"]) for one in found["steps"])
        unsteady = sum(len(one["unsteady"]) for one in found["steps"])
        values = sum(len(one["same"]) for one in found["steps"])
        parts = [f"{values} values"]
        parts += [f"{unread} not comparable"] if unread else []
        parts += [f"{unsteady} not the same in two kernels"] if unsteady else []
        return "same", ", ".join(parts)
    first = next(one for one in found["steps"] if one["differences"])
    one = first["differences"][0]
    told = f"{first['step']}: {one['place']}: {one['kernel']} / {one['flow']}"
    return "different", f"{told}; {first['cause'] or 'no diagnostic'}"[:240]


def sources(names: Sequence[str], folder: Path) -> Iterator[Path]:
    """The examples beneath each folder, or within each package's source distribution."""
    for name in names:
        root = Path(name) if Path(name).is_dir() else _downloaded(name, folder)
        for part in ("examples", "galleries", "doc/source/gallery"):
            for path in sorted(Path(root, part).rglob("*")):
                if path.suffix not in (".py", ".ipynb") or path.name.startswith(("corpus-", ".")):
                    continue
                text = path.read_text(encoding="utf-8", errors="replace")
                if not DOWNLOADS.search(text) and not INTERACTIVE.search(text):
                    yield path


def _downloaded(package: str, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", package]
    subprocess.run([*pip, "-d", str(folder), package], check=True)
    stem = package.split("==")[0].replace("-", "_")
    archive = max(folder.glob(f"{stem}-*.tar.gz"), key=lambda one: one.stat().st_mtime)
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


def write_table(rows: Sequence[dict[str, Any]]) -> None:
    """The table, with the sums on top."""
    latest = {(row["name"], row["variant"]): row for row in rows}  # what ran replaces a check
    rows = list(latest.values())
    counts = Counter(row["verdict"] for row in rows)
    idle = counts["not run"] + counts[COMPILES]
    lines = [
        "# Notebooks that nobody tuned",
        "",
        "Examples from packages' own source distributions, every code cell a step, checked by "
        "`nbflow verify`",
        "(one kernel against the flow; every step variable and printed line). Written by "
        "[benchmarks/corpus.py](../benchmarks/corpus.py).",
        "",
        f"{len(rows) - idle} of {len(rows)} examples were compared: "
        + ", ".join(
            f"{n} {name}" for name, n in counts.most_common() if name not in ("not run", COMPILES)
        )
        + f". {counts['not run']} more gave no verdict; "
        f"{counts[COMPILES]} were compiled without an error and not run.",
        "",
        "- *same*: every value and every printed line agrees.",
        "- *refused*: an error diagnostic before anything ran.",
        "- *fails*: the flow stops with an error where the notebook does not.",
        "- *different*: verify finds a difference; the warning that foretold it, if any, is named.",
        "- *crash*: verify itself ended with an error.",
        "- *not run*: the notebook fails in a kernel here too (a missing package or file), or the two "
        "runs together took longer than the limit, on whichever side.",
        f"- *{COMPILES}*: compiled without an error, not yet run: nothing is claimed beyond that.",
        "",
        "| example | variant | cells | steps | verdict | |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in sorted(rows, key=lambda one: (one["name"], one["variant"])):
        reason = row["reason"].replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
        parts = (row["name"], row["variant"], row["cells"], row["steps"], row["verdict"], reason)
        lines.append(f"| {' | '.join(map(str, parts))} |")
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Verify what is named on the command line; write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", nargs="*", help="Folders, or names of packages to download.")
    parser.add_argument("--check", action="store_true", help="Compile only; run nothing.")
    parser.add_argument("--plain", action="store_true", help="Leave imports and definitions be.")
    parser.add_argument("--match", default="", help="Only examples whose path matches.")
    parser.add_argument("--limit", type=float, default=150.0, help="Seconds for each example.")
    parser.add_argument("--most", type=int, default=1000, help="No more examples than these.")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir(), "nbflow-corpus"))
    parser.add_argument("--again", action="store_true", help="Forget the results so far.")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    log = options.folder / "results.jsonl"
    if options.again:
        log.unlink(missing_ok=True)
    rows = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    known = {
        (row["name"], row["variant"]) for row in rows if options.check or row["verdict"] != COMPILES
    }
    variant = "definitions untagged" if options.plain else "all steps"
    done = 0
    for path in sources(options.sources, options.folder):
        at = next(
            i for i, part in enumerate(path.parts) if part in ("examples", "galleries", "doc")
        )
        name = "/".join((path.parts[at - 1], *path.parts[at + 1 :]))
        if (name, variant) in known or not re.search(options.match, str(path)):
            continue
        if done >= options.most:
            break
        done += 1
        found = (
            compiles(path, options.plain)
            if options.check
            else verify(path, options.plain, options.limit)
        )
        row = {"name": name, "variant": variant} | found
        rows.append(row)
        with log.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(row["name"], row["verdict"], row["reason"], sep=" | ", flush=True)
    write_table(rows)


if __name__ == "__main__":
    main()
