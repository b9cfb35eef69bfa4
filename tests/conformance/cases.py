"""The cases: percent-format notebooks whose first cell says, as YAML, what must come out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[1] / "cases"
PATHS = sorted(FOLDER.glob("*.py"))

#: Runs `nbflow` with these arguments: its exit status and what it printed to stdout.
Nbflow = Callable[..., tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Case:
    """A notebook, the runs to make of it, and what to expect of the last one."""

    path: Path
    runs: tuple[tuple[str, ...], ...]
    expect: Mapping[str, Any]


def command_line(folder: Path) -> Nbflow:
    """The command line as a process of its own, in this folder."""

    def call(*arguments: object) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "nbflow", *map(str, arguments)],
            cwd=folder,
            env={**os.environ, "CI": "true"},
            capture_output=True,
            text=True,
            timeout=100,
        )
        sys.stderr.write(done.stderr)
        return done.returncode, done.stdout

    return call


def read_case(path: Path) -> Case:
    """Read the YAML of a case's first cell."""
    text = re.sub(r"^# ?", "", path.read_text(), flags=re.MULTILINE)
    data = yaml.safe_load(text.split("```yaml\n", 1)[1].split("```", 1)[0])
    runs = data.get("run") or []
    if not any(isinstance(one, list) for one in runs):
        runs = [runs]
    return Case(path, tuple(tuple(map(str, one)) for one in runs), data["expect"])


def check_case(case: Case, notebook: Path, engine: str, nbflow: Nbflow) -> None:
    """Check and run the case's notebook; AssertionError where something is not as expected."""
    expect = dict(case.expect)
    check_diagnostics(expect.pop("diagnostics", ()), notebook, nbflow)
    if "status" not in expect:
        status, _ = nbflow("run", notebook, "--json")
        assert status == 2
        return
    graph = json.loads(nbflow("graph", notebook, "--format", "json")[1])
    check_graph(expect, graph)
    for arguments in case.runs:
        status, out = nbflow("run", notebook, "--on", engine, "--json", *arguments)
    run = json.loads(out)
    assert run["status"] == expect.pop("status"), run
    assert status == (0 if run["status"] == "succeeded" else 1)
    check_run(expect, run, nbflow)
    assert not expect, f"unknown keys in the case: {list(expect)}"


def check_diagnostics(wanted: Any, notebook: Path, nbflow: Nbflow) -> None:
    """`check` reports every wanted diagnostic, and no error that is not wanted."""
    status, out = nbflow("check", notebook, "--json")
    found = json.loads(out)["diagnostics"]
    for one in wanted:
        mentions = one.pop("mentions", [])
        assert any(
            all(finding[key] == value for key, value in one.items())
            and all(word in finding["message"] for word in mentions)
            for finding in found
        ), (one, found)
    errors = [finding for finding in found if finding["severity"] == "error"]
    assert len(errors) == sum(one["severity"] == "error" for one in wanted), errors
    assert status == (2 if errors else 0)


def check_graph(expect: dict[str, Any], graph: Mapping[str, Any]) -> None:
    """What depends on what, in any number of steps, and the resources."""
    steps = {step["name"]: step for step in graph["steps"]}

    def above(name: str) -> set[str]:
        direct = set(steps[name]["depends"])
        return direct.union(*map(above, direct))

    for later, earlier in expect.pop("depends", ()):
        assert earlier in above(later)
    for one, other in expect.pop("parallel", ()):
        assert one not in above(other)
        assert other not in above(one)
    for name, wanted in expect.pop("resources", {}).items():
        assert wanted.items() <= steps[name]["resources"].items()


def check_run(expect: dict[str, Any], run: Mapping[str, Any], nbflow: Nbflow) -> None:
    """The steps' counts, the values, the logs and the error of a run."""
    steps = run["steps"]
    for name, tasks in expect.pop("tasks", {}).items():
        assert steps[name]["tasks"] == tasks
    for name, cached in expect.pop("cached", {}).items():
        assert steps[name]["cached"] == cached
    for name in expect.pop("skipped", ()):
        assert steps[name]["status"] == "skipped"
    for path, value in expect.pop("values", {}).items():
        status, out = nbflow("get", f"{run['run']}/{path}", "--json")
        assert status == 0, (path, out)
        assert json.loads(out) == value, path
    if "error_at" in expect:
        wanted = expect.pop("error_at")
        assert wanted.items() <= run["error"].items(), run["error"]
    logs = expect.pop("logs", {})
    for name, wanted in logs.items():
        step = name.removesuffix("_lines")
        text = nbflow("logs", f"{run['run']}/{step}")[1]
        if name.endswith("_lines"):
            assert len(text.splitlines()) == wanted, text
        else:
            assert wanted in text
