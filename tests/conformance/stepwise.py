"""Run a compiled package the hardest way: every step in a fresh process, values as bytes between.

No store and no engine, so that what is tested is the compiler alone (and how values are pickled):
what a step gets is what its `flow.json` says it reads, nothing else. Notebooks without fan-outs and
conditions only.
"""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nbcompile import Package, emit_package, infer_flow, parse_notebook
from nbcompile.diagnostics import Diagnostic, has_errors
from nbflow.errors import UserError
from nbflow.runtime.package import LoadedPackage
from nbflow.runtime.spec import read_spec
from nbflow.runtime.unchanged import changed
from nbflow.values.pickling import dump, load

Kind = Literal["same", "refused", "failed", "different"]
FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a flow compares with its notebook, and what shows it."""

    kind: Kind
    printed: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """Values pickled together, and the names of those that the step bound."""

    names: frozenset[str]
    data: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """What came out of a step's process."""

    printed: str
    stored: tuple[Stored, ...] = ()
    error: str = ""


def notebook_of(cells: list[str]) -> str:
    """A notebook's JSON text in which every cell is a step: `s0`, `s1`, …"""
    tagged = [
        {
            "cell_type": "code",
            "id": f"c{n}",
            "metadata": {},
            "source": f"%%step s{n}\n{cell}",
            "outputs": [],
            "execution_count": None,
        }
        for n, cell in enumerate(cells)
    ]
    return json.dumps({"cells": tagged, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def compare(cells: list[str], expected: str) -> Outcome:
    """Run the cells as steps and compare what the last one prints."""
    flow = infer_flow(parse_notebook(notebook_of(cells), "pattern", ".ipynb"))
    if has_errors(flow.diagnostics):
        return Outcome("refused", detail=" | ".join(map(say, flow.diagnostics)))
    package = emit_package(flow, format=False)
    with tempfile.TemporaryDirectory() as folder:
        write_package(package, Path(folder))
        printed = ""
        stored: dict[str, list[Stored]] = {}
        for step in package.manifest["steps"]:
            ended = in_fresh_process(Path(folder), step, stored)
            if ended.error.startswith("refused"):
                return Outcome("refused", ended.printed, f"{step['name']} {ended.error}")
            if ended.error:
                return Outcome("failed", ended.printed, f"{step['name']}: {ended.error}")
            stored[step["name"]] = list(ended.stored)
            printed = ended.printed
    if printed == expected:
        return Outcome("same", printed)
    return Outcome("different", printed, " | ".join(map(say, flow.diagnostics)))


def write_package(package: Package, folder: Path) -> None:
    """The package's files below the folder."""
    for name, text in package.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def say(finding: Diagnostic) -> str:
    """A finding in one line."""
    return f"{finding.code} cell {finding.cell} line {finding.line}: {finding.message}"


def in_fresh_process(
    folder: Path, step: Mapping[str, Any], stored: Mapping[str, list[Stored]]
) -> Ended:
    """Run one step in a process of its own, which ends with it."""
    ours, theirs = FORK.Pipe(duplex=False)
    child = FORK.Process(target=run_step, args=(folder, step, stored, theirs))
    child.start()
    theirs.close()
    try:
        if not ours.poll(60):
            return Ended("", error="no answer within 60 s")
        ended: Ended = ours.recv()
        return ended
    except EOFError:
        return Ended("", error="the process died")
    finally:
        child.kill()
        child.join()
        ours.close()


def run_step(
    folder: Path, step: Mapping[str, Any], stored: Mapping[str, list[Stored]], answer: Any
) -> None:
    """In the child: call the step's function with its inputs, and send back what it made."""
    os.environ["MPLBACKEND"] = "agg"
    warnings.resetwarnings()  # the tests turn them into errors, a run does not
    warnings.simplefilter("ignore")
    printed = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the process)
    os.dup2(printed.fileno(), 1)
    sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", closefd=False), write_through=True)
    error, kept = "", ()
    try:
        name = step["function"].partition(".")[0]
        manifest = json.loads((folder / name / "flow.json").read_text())
        package = LoadedPackage(read_spec(manifest), folder)
        call = package.function(step["function"])
        with package.as_main():  # the user's definitions are those of `__main__`, as in a run
            values = inputs_of(step, stored)
            made = call(**values)
            unseen_changes(step, values, inputs_of(step, stored))
            kept = tuple(store(step, made))
    except UserError as problem:
        error = "refused: " + " | ".join(map(say, problem.diagnostics))
    except BaseException:
        error = traceback.format_exc()
    sys.stdout.flush()
    printed.seek(0)
    answer.send(Ended(printed.read().decode(), kept, error))
    os._exit(0)


def inputs_of(step: Mapping[str, Any], stored: Mapping[str, list[Stored]]) -> dict[str, Any]:
    """The arguments: each from the nearest source that bound it; what was stored together once."""
    loaded: dict[int, dict[str, Any]] = {}
    values = {}
    for one in step["inputs"]:
        name = one["name"]
        for blob in (blob for source in one["sources"] for blob in stored[source]):
            if name in blob.names:
                if id(blob) not in loaded:
                    loaded[id(blob)] = load(memoryview(bytearray(blob.data)))
                values[name] = loaded[id(blob)][name]
                break
        else:
            raise UnboundLocalError(f"no step bound {name!r}: {one['sources']}")
    return values


def unseen_changes(
    step: Mapping[str, Any], values: Mapping[str, Any], before: Mapping[str, Any]
) -> None:
    """Refuse, as a run does, that a value which others read was changed in place unseen."""
    for name in step["unchanged"]:
        if name in values and changed(values[name], before[name]):
            raise UserError((Diagnostic("NBF305", "error", f"changed `{name}` in place"),))


def store(step: Mapping[str, Any], made: Mapping[str, Any]) -> Iterator[Stored]:
    """What later steps read, as bytes: together what may share identity."""
    wanted = [name for name in step["crossing"] if name in made]
    groups = [[name for name in group if name in made] for group in step["together"]]
    grouped = {name for group in groups for name in group}
    groups += [[name] for name in wanted if name not in grouped]
    captured = frozenset(step["captured"])
    for group in filter(None, groups):
        encoded = dump({name: made[name] for name in group}, ", ".join(group), captured)
        yield Stored(frozenset(group), b"".join(bytes(part) for part in encoded.parts))
