"""`nbflow verify` with parameters, with a time budget, and on notebooks that do differ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nbflow.cli.group import call


def write(folder: Path, *cells: str) -> str:
    path = folder / "small.py"
    path.write_text("".join(f"# %%\n{cell}\n" for cell in cells))
    return str(path)


def test_parameters_reach_the_kernel_and_the_flow(tmp_path: Path, capsys: Any) -> None:
    path = write(
        tmp_path,
        "# nbflow: parameters\nrows: int = 2\nname: str = 'x'",
        "# nbflow: step load\ndata = [name] * rows\nprint(data)",
    )
    values = tmp_path / "p.yaml"
    values.write_text("rows: 3\n")
    asked = ["verify", path, "--on", "inline", "--json"]
    assert call([*asked, "-p", "name", "y", "-f", str(values)]) == 0
    (load,) = json.loads(capsys.readouterr().out)["steps"]
    assert load["same"] == ["data"]
    # were they not given to the kernel, it would differ
    script = write(
        tmp_path,
        "# nbflow: parameters\nrows: int = 2",
        "# nbflow: step load\nassert rows == 4, rows\nkept = rows",
    )
    assert call([*asked[:1], script, *asked[2:], "-p", "rows", "4"]) == 0
    assert json.loads(capsys.readouterr().out)["same"] is True


def test_wrong_parameters_and_times_are_refused(tmp_path: Path, capsys: Any) -> None:
    path = write(tmp_path, "# nbflow: parameters\nrows: int = 2", "# nbflow: step a\nx = rows")
    assert call(["verify", path, "-p", "rwos", "3"]) == 2
    assert "Did you mean `rows`?" in capsys.readouterr().err
    assert call(["verify", path, "-p", "rows", "many"]) == 2
    assert "NBF402" in capsys.readouterr().err
    assert call(["verify", path, "--timeout", "soon"]) == 2
    assert "soon" in capsys.readouterr().err


@pytest.mark.parametrize(
    "cell",
    [
        "import time, os\nif 'ipykernel' in __import__('sys').modules:\n    time.sleep(60)\nx = 1",
        "import time, sys\nif 'ipykernel' not in sys.modules or 'pytest' in sys.modules:\n    time.sleep(60)\nx = 1",
    ],
    ids=["the kernel", "the flow"],
)
def test_it_gives_up_in_time(tmp_path: Path, capsys: Any, cell: str) -> None:
    path = write(tmp_path, f"# nbflow: step slow\n{cell}")
    assert call(["verify", path, "--max-workers", "1", "--timeout", "6s"]) == 1
    assert "was not done within 6s." in capsys.readouterr().out


def test_it_says_what_it_does(tmp_path: Path, capsys: Any) -> None:
    path = write(tmp_path, "# nbflow: step a\nx = 1")
    assert call(["verify", path, "--on", "inline"]) == 0
    assert capsys.readouterr().err.splitlines()[:2] == [
        "Running small.py in a kernel …",
        "Running small.py as a flow …",
    ]


PLACE = "import sys\nwhere = 'kernel' if 'ipykernel.kernelapp' in sys.modules else 'flow'"


def test_a_difference_that_nobody_can_explain(tmp_path: Path, capsys: Any) -> None:
    path = write(tmp_path, f"# nbflow: step a\n{PLACE}", "# nbflow: step b\nlouder = where + '!'")
    assert call(["verify", path, "--on", "inline"]) == 1
    told = capsys.readouterr().out
    assert "The first step that differs is `a` (cell 0):\n" in told
    assert "    where: 'kernel' in the kernel, 'flow' in the flow\n" in told
    assert "Why is not known. Look at what these cells use beside" in told


def test_a_flow_that_fails_where_the_notebook_does_not(tmp_path: Path, capsys: Any) -> None:
    path = write(tmp_path, f"# nbflow: step a\n{PLACE}\nassert where == 'kernel', where")
    assert call(["verify", path, "--on", "inline"]) == 1
    told = capsys.readouterr().out
    assert "where the notebook does not: step `a` (cell 0, line 4): AssertionError: flow" in told


def test_what_varies_by_itself_is_no_difference(tmp_path: Path, capsys: Any) -> None:
    path = write(tmp_path, "# nbflow: step a\nimport random\nx = random.SystemRandom().random()")
    assert call(["verify", path, "--on", "inline"]) == 0
    assert capsys.readouterr().out.endswith(
        "but for what differs from kernel to kernel as well.\n"
        "That begins in `a` (cell 0): with a seed for what is drawn there, and without the time, it can be compared.\n"
    )


def test_what_commands_and_captured_cells_print(tmp_path: Path, capsys: Any) -> None:
    source = (
        '!ls\n!python -c "import sys; print(sys.stdout.isatty())"\nfiles = !ls\n'
        "name = 'small'\n!echo {name} $name\nfiles.n"
    )
    captured = "# nbflow: step b\n%%capture out\nprint('in')\n3"
    reads = "# nbflow: step c\nfiles, out.stdout"
    path = write(tmp_path, f"# nbflow: step a\n{source}", captured, reads)
    for number in range(30):
        (tmp_path / f"file{number}").touch()
    assert call(["verify", path, "--on", "inline"]) == 0
    told = capsys.readouterr()
    assert told.out == (
        "✓ a: 2 values the same\n✓ b: 1 value the same\n✓ c: 0 values the same\n"
        "The flow computes what the notebook computes.\n"
    )
    assert "Something differs" not in told.err


def test_a_fan_outs_table_has_the_same_columns(tmp_path: Path, capsys: Any) -> None:
    path = write(
        tmp_path,
        "import numpy as np",
        "# nbflow: step items_of\npairs = [(n, np.arange(3 + 400 * n)) for n in range(2)]",
        "# nbflow: step fan --foreach (n, (k, part)) in enumerate(pairs)\n"
        "whole = np.int64(n)\nnested = {'a': [1, {'b': 2}]}\nlong = 'x' * 2000\n"
        "many = list(range(30))\nodd = 1j",
        "# nbflow: step use\nnames = list(fan.table())\nprint(names)",
    )
    assert call(["verify", path, "--on", "inline"]) == 0, capsys.readouterr()
    assert "✓ use: 1 value the same\n" in capsys.readouterr().out


def test_what_no_step_can_hand_on_is_told_with_its_code(tmp_path: Path, capsys: Any) -> None:
    path = write(
        tmp_path,
        "# nbflow: step make\nrows = [(i for i in range(3))]",
        "# nbflow: step use\nprint(len(rows))",
    )
    assert call(["verify", path, "--on", "inline", "--json"]) == 1
    stopped = json.loads(capsys.readouterr().out)["stopped"]
    assert stopped.startswith(
        "The flow fails where the notebook does not: step `make`: NBF405: "
        "The variable `rows` holds a generator (at `rows[0]`), which cannot be stored"
    )


def test_a_progress_bar_is_a_widget_here_and_text_there(tmp_path: Path, capsys: Any) -> None:
    view = "{'application/vnd.jupyter.widget-view+json': {}, 'text/plain': 'Output()'}"
    path = write(
        tmp_path,
        f"# nbflow: step shown\n{PLACE}\nfrom IPython.display import display\nprint('start')\n"
        f"display({view}, raw=True) if where == 'kernel' else print('100%')\nprint('end')",
    )
    assert call(["verify", path, "--on", "inline"]) == 1
    told = capsys.readouterr().out
    assert "where: 'kernel' in the kernel" in told
    assert "printed output" not in told


def test_a_module_that_may_be_there_is_no_difference(tmp_path: Path, capsys: Any) -> None:
    path = write(
        tmp_path,
        "# nbflow: step a\ntry:\n    import json\nexcept ImportError:\n    json = None",
        "# nbflow: step b\nprint(json is None)",
    )
    assert call(["verify", path, "--on", "inline"]) == 0, capsys.readouterr().out


def test_figures_of_a_step_of_several_cells(tmp_path: Path, capsys: Any) -> None:
    pytest.importorskip("matplotlib")
    path = write(
        tmp_path,
        "import matplotlib.pyplot as plt\nimport pandas as pd\n\ndef draw(x):\n    plt.bar(x, x)",
        "# nbflow: step a\nfig, ax = plt.subplots()",
        "# nbflow: step a\nline = ax.plot([1, 2])",
        "# nbflow: step a\nplt.plot([3, 1])\nprint('drawn')\nplt.gca()",
        "# nbflow: step a\nplt.title('of another figure')\nplt.show()\ndraw([1, 2])",
        "# nbflow: step a\nbars = pd.Series([1, 2]).plot.bar()",
        "# nbflow: step b\ndraw([2])",
        "# nbflow: step b\nfig",
    )
    assert call(["verify", path, "--on", "inline"]) == 0, capsys.readouterr().out


def test_what_fan_outs_print_and_draw(tmp_path: Path, capsys: Any) -> None:
    pytest.importorskip("matplotlib")
    path = write(
        tmp_path,
        "import matplotlib.pyplot as plt",
        "# nbflow: step a --foreach n in range(3)\nprint(n)\nplt.plot([n, 1])\nn * 2",
        "# nbflow: step b --each a\nplt.plot([n, 2])\nprint('of', n)",
    )
    assert call(["verify", path, "--on", "inline"]) == 0, capsys.readouterr().out
    capsys.readouterr()
    other = PLACE.replace("where =", "word =")
    path = write(
        tmp_path, f"# nbflow: step a --foreach n in range(2)\n{other}\nprint(word)\ndel word"
    )
    assert call(["verify", path, "--on", "inline", "--json"]) == 1
    (step,) = json.loads(capsys.readouterr().out)["steps"]
    assert [one["place"] for one in step["differences"]] == ["printed output"]


def test_captured_figures(tmp_path: Path, capsys: Any) -> None:
    pytest.importorskip("matplotlib")
    path = write(
        tmp_path,
        "import matplotlib.pyplot as plt",
        "# nbflow: step a\n%%capture out\nplt.plot([1, 2])\nplt.show()\nplt.plot([2, 1])",
        "# nbflow: step a\nkept = len(out.outputs)\nout.show()",
        "# nbflow: step b\n%%capture\nplt.plot([1])",
        "# nbflow: step c\n%%capture --no-display\nplt.plot([1])",
    )
    assert call(["verify", path, "--on", "inline"]) == 0, capsys.readouterr().out


def test_figures_drawn_unseen_in_a_step_of_several_cells(tmp_path: Path, capsys: Any) -> None:
    pytest.importorskip("matplotlib")
    path = write(
        tmp_path,
        "# nbflow: step a\nimport matplotlib.pyplot as plt\nx = getattr(plt, 'plot')([1, 2])",
        "# nbflow: step a\ny = plt.plot([2, 1])",
    )
    assert call(["verify", path, "--on", "inline", "--json"]) == 1
    (step,) = json.loads(capsys.readouterr().out)["steps"]
    assert [one["place"] for one in step["differences"]] == ["pictures shown"]
    assert step["cause"].startswith("`a` has several cells, and ")
