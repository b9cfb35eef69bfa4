"""The given patterns as real runs on a Dask cluster, and their packages run by plain Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from stepwise import notebook_of, write_package
from test_patterns import ALSO, GIVEN

from nbcompile import emit_package, infer_flow, parse_notebook
from nbcompile.diagnostics import has_errors
from nbflow.cli.group import call

#: How the recorded text differs from what a person sees: see `ALSO`.
PRINTS = {name: {case["expected"], ALSO.get(name)} for name, case in GIVEN.items()}


@pytest.mark.parametrize("name", GIVEN)
def test_on_a_cluster(
    name: str, cluster: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    cells = GIVEN[name]["cells"]
    path = tmp_path / "pattern.ipynb"
    path.write_text(notebook_of(cells))
    status = call(["run", str(path), "--on", cluster, "--json"])
    run = json.loads(capfd.readouterr().out)
    if status == 2:
        assert run["diagnostics"]
        return
    assert run["status"] == "succeeded", run["error"]
    last = f"{run['run']}/s{len(cells) - 1}"
    assert call(["logs", last, "--store", str(tmp_path)]) == 0
    assert capfd.readouterr().out in PRINTS[name]


@pytest.mark.parametrize("name", GIVEN)
def test_as_a_plain_package(name: str, tmp_path: Path) -> None:
    flow = infer_flow(parse_notebook(notebook_of(GIVEN[name]["cells"]), "pattern", ".ipynb"))
    if has_errors(flow.diagnostics):
        return
    write_package(emit_package(flow, format=False), tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pattern"],
        cwd=tmp_path,
        env={**os.environ, "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    printed = done.stdout.replace("pattern.common.", "__main__.")  # where its classes live
    assert any(text in printed for text in PRINTS[name] if text)
