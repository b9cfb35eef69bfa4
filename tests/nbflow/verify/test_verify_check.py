"""`nbflow verify`: the kernel and the flow, run and compared."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nbflow.cli.group import call
from nbflow.verify import check
from nbflow.verify.kernel import KernelRun
from nbflow.verify.printed import comparable

NOTEBOOK = """\
# %%
import random
from dataclasses import dataclass

@dataclass
class Pair:
    left: int
    right: list
# %%
# nbflow: step load
rows = list(range(4))
pair = Pair(1, rows)
endless = iter(rows)
print("loaded", len(rows))
pair
# %%
# nbflow: step train --foreach n in rows
score = n * 2
# %%
# nbflow: step draw
drawn = random.SystemRandom().random()
best = max(train.score)
"""


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    path = tmp_path / "small.py"
    path.write_text(NOTEBOOK)
    return path


def test_a_notebook_and_its_flow(notebook: Path, capsys: Any) -> None:
    assert call(["verify", str(notebook), "--on", "inline", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["same"] is True
    load, train, draw = found["steps"]
    assert load["same"] == ["rows", "pair", "endless"]
    assert "train[3].score" in train["same"]
    assert (draw["same"], draw["unsteady"]) == (["best"], ["drawn"])
    assert sorted(path.name for path in notebook.parent.iterdir()) == ["small.py"]


def test_what_differs_is_named_with_its_step(notebook: Path, monkeypatch: Any, capsys: Any) -> None:
    real = check.run_in_kernel

    def altered(*arguments: Any) -> KernelRun:
        run = real(*arguments)
        run.steps["load"].values["rows"] = [0, 1, 2, 7]
        run.steps["draw"] = replace(run.steps["draw"], printed="hello\n")
        return run

    monkeypatch.setattr(check, "run_in_kernel", altered)
    assert call(["verify", str(notebook), "--on", "inline"]) == 1
    output = capsys.readouterr().out
    assert "The first step that differs is `load` (cell 1):" in output
    assert "rows[3]: 7 in the kernel, 3 in the flow" in output


def test_a_notebook_that_fails_itself(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "fails.py"
    path.write_text("# %%\n# nbflow: step a\nx = [1] * 0\nx[0]\n")
    assert call(["verify", str(path), "--on", "inline"]) == 1
    assert "fails in cell 0: IndexError" in capsys.readouterr().out


def test_a_notebook_with_errors_is_refused(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "wrong.py"
    path.write_text("# %%\n# nbflow: step a --gpus 1\nx = 1\n")
    assert call(["verify", str(path)]) == 2
    assert "NBF104" in capsys.readouterr().err


def test_addresses_and_timings_do_not_count() -> None:
    one = "<a at 0x7f00aa11>\nCPU times: user 1 ms\nWall time: 2 ms\n\x1b[31mred\x1b[0m  \n\n"
    assert comparable(one) == ["<a at 0x…>", "red"]


def test_a_change_that_the_run_was_in_doubt_of_is_the_cause(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "lexed.py"
    cells = (
        "make\nimport shlex\nlexer = shlex.shlex('a b')",
        "first\none = lexer.get_token()",
        "second\ntwo = lexer.get_token()",
    )
    path.write_text("".join(f"# %%\n# nbflow: step {cell}\n" for cell in cells))
    assert call(["verify", str(path), "--on", "inline", "--json"]) == 1
    make, first, second = json.loads(capsys.readouterr().out)["steps"]
    assert (make["differences"], first["doubtful"]) == ([], ["lexer"])
    assert [one["place"] for one in second["differences"]] == ["two"]
    assert second["cause"].startswith("`first` may have changed `lexer` in place")


def test_warnings_of_the_flow_alone_do_not_count_as_printed(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "loud.py"
    path.write_text(
        "# %%\n# nbflow: step a\nimport os, sys\nprint('one')\nkernel = 'ipykernel' in sys.modules\n"
        "_ = kernel or print('only here', file=sys.stderr)\nprint('two')\nos.system('echo three')\n"
    )
    call(["verify", str(path), "--on", "dask", "--json"])
    (step,) = json.loads(capsys.readouterr().out)["steps"]
    assert [d["place"] for d in step["differences"]] == ["kernel"]


def test_pictures_are_compared(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    path = tmp_path / "drawn.py"
    cells = (
        "make\nimport matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.set_ylabel('y')",
        "draw\nprint(ax.yaxis.label.get_position())\nax.plot([1, 2])\nimport pandas as pd\nprint(pd.DataFrame([range(30)]))",
        "show\nfig",
    )
    path.write_text("".join(f"# %%\n# nbflow: step {cell}\n" for cell in cells))
    assert call(["verify", str(path), "--on", "inline"]) == 0
    capsys.readouterr()
    real = check.run_in_kernel

    def altered(*arguments: Any) -> KernelRun:
        run = real(*arguments)
        run.steps["show"].pictures[:] = run.steps["make"].pictures  # without the line
        run.steps["draw"].pictures.append("")
        return run

    monkeypatch.setattr(check, "run_in_kernel", altered)
    assert call(["verify", str(path), "--on", "inline", "--json"]) == 1
    _, draw, show = json.loads(capsys.readouterr().out)["steps"]
    assert draw["differences"] == [{"place": "pictures shown", "kernel": "1", "flow": "0"}]
    (difference,) = show["differences"]
    assert difference["place"] == "pictures shown, number 1"
