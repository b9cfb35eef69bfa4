"""`nbflow run` and what follows it, from notebook to result, on the inline engine."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nbflow as client
from nbflow.cli.group import call

NOTEBOOK = """\
# %%
%%parameters
alpha: float = 0.1   # how much
bad: int = -1        # the item that fails
pause: float = 0.0
# %%
import time
# %%
%%step load
print("loading", alpha)
items = [1, 2, 3]
# %%
%%step train --foreach item in items
if item == bad:
    raise ValueError(f"item {item} is bad")
time.sleep(pause)
score = item * alpha
# %%
%%step choose
best = max(train.score)
# %%
%%step never --when alpha > 100
pass
"""

Tool = Callable[..., tuple[int, str, str]]


@pytest.fixture
def nbflow(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Tool:
    """Runs the command line beside `churn.py`: exit status, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "churn.py").write_text(NOTEBOOK)

    def run(*words: str) -> tuple[int, str, str]:
        status = call(words)
        out, err = capfd.readouterr()
        return status, out, err

    return run


def run_json(nbflow: Tool, *words: str, status: int = 0) -> Any:
    got, out, _ = nbflow("run", "churn.py", "--on", "inline", "--json", *words)
    assert got == status
    return json.loads(out)


def test_run_json(nbflow: Tool) -> None:
    shown = run_json(nbflow, "-p", "alpha", "0.5", "--tag", "a", "--tag", "b")
    assert shown.pop("duration") > 0
    assert shown == {
        "run": "churn/1",
        "status": "succeeded",
        "steps": {
            "load": {"status": "succeeded", "tasks": 1, "cached": 0, "failed": 0},
            "train": {"status": "succeeded", "tasks": 3, "cached": 0, "failed": 0},
            "choose": {"status": "succeeded", "tasks": 1, "cached": 0, "failed": 0},
            "never": {"status": "skipped", "tasks": 1, "cached": 0, "failed": 0},
        },
        "error": None,
    }
    run = client.Run("churn/1")
    assert (run.best, run.tags) == (1.5, ("a", "b"))
    assert run["train"][1].inputs == {"alpha": 0.5, "bad": -1, "pause": 0.0, "item": 2}
    assert run["train"].table()["score"].tolist() == [0.5, 1.0, 1.5]


def test_plain_lines(nbflow: Tool) -> None:
    status, out, err = nbflow("run", "churn.py", "--on", "inline")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "churn/1: 4 steps on inline"
    assert any(line.startswith("load: succeeded in ") for line in lines)
    assert any(line.startswith("train: 3 succeeded in ") for line in lines)
    assert lines[-1] == "Look at it: nbflow show churn/1"


def test_what_is_to_be_typed_next_is_quoted(nbflow: Tool) -> None:
    _, out, _ = nbflow("run", "churn.py", "--on", "inline", "--store", "a b")
    assert out.splitlines()[-1] == "Look at it: nbflow show churn/1 --store 'a b'"


def test_a_run_goes_on_when_nobody_reads_its_lines(nbflow: Tool) -> None:
    words = [
        sys.executable,
        "-m",
        "nbflow",
        "run",
        "churn.py",
        "--on",
        "inline",
        "-p",
        "pause",
        "1",
    ]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith("churn/1: 4 steps")
    process.stdout.close()
    with process.stderr as said:
        assert (process.wait(60), said.read()) == (0, "")
    assert client.Run("churn/1").status == "succeeded"


def test_failure(nbflow: Tool) -> None:
    status, out, _ = nbflow("run", "churn.py", "--on", "inline", "-p", "bad", "2")
    assert status == 1
    assert "train/1 failed in cell 3, line 3: ValueError: item 2 is bad" in out
    assert "nbflow resume churn/1" in out
    error = run_json(nbflow, "-p", "bad", "2", status=1)["error"]
    assert (error["step"], error["task"], error["cell"], error["line"]) == ("train", "1", 3, 3)


def test_resume_takes_over_what_holds(nbflow: Tool) -> None:
    run_json(nbflow, "-p", "bad", "2", status=1)
    status, out, _ = nbflow("resume", "churn/1", "-p", "bad", "-1", "--json")
    shown = json.loads(out)
    assert status == 0
    assert shown["run"] == "churn/2"
    assert shown["steps"]["load"]["cached"] == 1


VARIANTS = """\
# %%
%%parameters
below: int = 0
# %%
%%step train --variant slow
made = "slow"
# %%
%%step train --variant fast
made = "fast"
# %%
%%step end
ratio = 1 / below
"""


def test_resume_takes_the_variants_of_its_run(nbflow: Tool) -> None:
    Path("two.py").write_text(VARIANTS)
    assert nbflow("run", "two.py", "--on", "inline", "--variant", "train=fast")[0] == 1
    assert nbflow("resume", "two/1", "-p", "below", "1")[0] == 0
    assert client.Run("two/2").made == "fast"
    assert nbflow("resume", "two/2", "--variant", "train=slow")[0] == 0
    assert client.Run("two/3").made == "slow"
    # without its notebook there is only the code that ran
    Path("two.py").unlink()
    assert nbflow("resume", "two/2")[0] == 0
    status, _, err = nbflow("resume", "two/2", "--variant", "train=slow")
    assert (status, "compiled without that variant" in err) == (2, True)


def test_cache_and_explain(nbflow: Tool) -> None:
    run_json(nbflow)
    again = run_json(nbflow, "--explain")
    assert again["steps"]["train"]["cached"] == 3
    assert again["explain"]["load"][0]["status"] == "cached"
    _, out, _ = nbflow("run", "churn.py", "--on", "inline", "-p", "alpha", "2", "--explain")
    assert "parameter alpha changed 0.1 → 2" in out
    assert run_json(nbflow, "--no-cache")["steps"]["train"]["cached"] == 0
    assert run_json(nbflow, "--from", "train")["steps"]["load"]["cached"] == 1


def test_dry_run_runs_nothing(nbflow: Tool) -> None:
    run_json(nbflow)
    foreseen = run_json(nbflow, "--dry-run", "-p", "alpha", "2")["explain"]
    fates = {(row["step"], row["part"]): row for row in foreseen}
    assert fates["load", "main"]["reason"] == "parameter alpha changed 0.1 → 2"
    assert fates["load", "main"]["fate"] == "run"
    assert "train" in nbflow("run", "churn.py", "--dry-run")[1]
    assert len(client.runs()) == 1


def test_parameters_from_a_file(nbflow: Tool) -> None:
    Path("more.yaml").write_text("alpha: 1e-1\nbad: 7\n")
    run_json(nbflow, "-f", "more.yaml", "-p", "bad", "8")
    assert client.Run("churn").params == {"alpha": 0.1, "bad": 8, "pause": 0.0}


def test_an_exported_package_runs(nbflow: Tool) -> None:
    assert nbflow("export", "churn.py", "-o", "out")[0] == 0
    status, out, _ = nbflow("run", "out", "--on", "inline", "--json")
    assert status == 0
    assert json.loads(out)["status"] == "succeeded"


def test_check_and_graph(nbflow: Tool) -> None:
    assert nbflow("check", "churn.py")[0] == 0
    assert json.loads(nbflow("check", "churn.py", "--json")[1]) == {"diagnostics": []}
    graph = json.loads(nbflow("graph", "churn.py", "--format", "json")[1])
    depends = {step["name"]: step["depends"] for step in graph["steps"]}
    assert depends == {"load": [], "train": ["load"], "choose": ["train"], "never": []}
    Path("bad.py").write_text("# %%\n%%step a\nx = nowhere\n")
    status, out, _ = nbflow("check", "bad.py", "--json")
    assert status == 2
    assert json.loads(out)["diagnostics"][0]["code"] == "NBF201"
    assert nbflow("graph", "bad.py")[0] == 2


def test_values_that_no_terminal_shows(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(
        "# %%\n%%setup\nclass Mute:\n    def __repr__(self): raise ValueError('no words')\n"
        "    def __getattr__(self, name): raise ValueError('no ' + name)\n"
        "# %%\n%%step make\nhalf = '\\ud800'\nmute = Mute()\nround = []\nround.append(round)\n"
        "# %%\n%%step read --no-cache\nx = [half, mute, round]\n"
    )

    def nbflow(*words: str) -> tuple[int, str, str]:
        command = [sys.executable, "-m", "nbflow", *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout, done.stderr

    assert nbflow("run", "odd.py", "--on", "inline")[0] == 0
    assert nbflow("get", "odd/1/make/half") == (0, "\\ud800\n", "")
    assert nbflow("get", "odd/1/make/half", "--json") == (0, '"\\ud800"\n', "")
    status, out, err = nbflow("get", "odd/1/make/mute")
    assert (status, out) == (2, "")
    assert "is a Mute, whose `repr` fails: ValueError: no words" in err
    status, out, err = nbflow("get", "odd/1/make/mute", "--json")
    assert (status, out) == (2, "")
    assert "is no plain value: JSON has nothing for Mute." in err
    status, out, err = nbflow("get", "odd/1/make/round", "--json")
    assert (status, out) == (2, "")
    assert "JSON has nothing for what holds itself" in err


def test_a_variant_is_exported_checked_and_drawn_as_it_is_run(nbflow: Tool) -> None:
    Path("two.py").write_text(
        "# %%\n%%step train --variant slow\nimport time\nmodel = 's'\n"
        "# %%\n%%step train --variant fast\nmodel = nowhere\n"
    )
    assert nbflow("export", "two.py", "-o", "out", "--variant", "train=slow")[0] == 0
    assert "model = 's'" in Path("out/two/steps/train.py").read_text().replace('"', "'")
    for verb in (["check"], ["graph"], ["export", "-o", "more"]):
        assert nbflow(*verb, "two.py")[0] == 0
        status, out, err = nbflow(*verb, "two.py", "--variant", "train=fast")
        assert (status, "NBF201" in out + err) == (2, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing.ipynb"], "There is no file nothing.ipynb"),
        (["churn"], "There is no file churn.\n    Did you mean churn.py?"),
        (["./chrun.py"], "There is no file chrun.py.\n    Did you mean churn.py?"),
        (["no/churn.py"], "There is no folder no either: check the path."),
        (["nothing.ipynb", "--detach"], "There is no file nothing.ipynb"),
        (["churn.py", "-p", "alhpa", "1"], "Did you mean `alpha`?"),
        (["churn.py", "-p", "alpha", "much"], "expected float"),
        (["churn.py", "-p", "alpha", "[1,"], "is not YAML"),
        (["churn.py", "-f", "no.yaml"], "cannot be read"),
        (["churn.py", "--on", "spork"], "no engine called 'spork'"),
        (["churn.py", "--on", "dsk"], "Did you mean `dask`?"),
        (["churn.py", "--on", "localhost:8786"], "Did you mean tcp://localhost:8786"),
        (["churn.py", "--on", "http://localhost:8787"], "http:// is its dashboard"),
        (["churn.py", "--on", "ftp://localhost"], "is not the address of a Dask scheduler"),
        (["churn.py", "--from", "trian"], "has no such step"),
        (["churn.py", "--variant", "train"], "write STEP=NAME"),
        (["churn.py", "--variant", "train=fast"], "the notebook has no step `train` with variants"),
        (["churn.py", "--profile", "big"], "There is no profile 'big'"),
        (["churn.py", "--max-wrokers", "2"], "Did you mean one of: '--max-workers', '--workers'?"),
    ],
)
def test_mistakes(nbflow: Tool, words: list[str], said: str) -> None:
    status, out, err = nbflow("run", *words)
    assert (status, out) == (2, "")
    assert said in err
    # an unknown engine is only found when there is something to run
    assert "--on" in words or not Path(".nbflow").exists()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("nothing.ipynb", None, "There is no file nothing.ipynb."),
        ("text.ipynb", "text", "text.ipynb is not a notebook: it is not JSON"),
        ("empty.py", "", "The notebook has no steps."),
    ],
)
def test_what_cannot_start_is_json_too(
    nbflow: Tool, name: str, text: str | None, said: str
) -> None:
    if text is not None:
        Path(name).write_text(text)
    status, out, _ = nbflow("run", name, "--json")
    shown = json.loads(out)
    assert (status, shown["run"], shown["status"]) == (2, None, "failed")
    assert [one["message"].startswith(said) for one in shown["diagnostics"]] == [True]


def test_warnings_come_first_and_beside_the_result(nbflow: Tool) -> None:
    Path("file.py").write_text(
        "# %%\n%%step a\nopen('x.txt', 'w').close()\n# %%\n%%step b\nwith open('x.txt') as f:\n    t = f.read()\n"
    )
    diagnostics = json.loads(nbflow("check", "file.py", "--json")[1])["diagnostics"]
    assert [one["severity"] for one in diagnostics] == ["warning"]
    status, out, err = nbflow("run", "file.py", "--on", "inline", "--json")
    assert json.loads(out)["run"] == "file/1"
    assert status in (0, 1)
    assert "warning[NBF304]" in err


def test_json_where_nothing_could_start(nbflow: Tool) -> None:
    shown = run_json(nbflow, "-p", "alhpa", "1", status=2)
    assert (shown["run"], shown["status"]) == (None, "failed")
    assert shown["diagnostics"][0]["code"] == "NBF401"


def test_profile(nbflow: Tool) -> None:
    Path("pyproject.toml").write_text(
        '[tool.nbflow]\non = "inline"\ntags = ["all"]\n'
        '[tool.nbflow.profiles.night]\ntags = ["night"]\nstore = "kept"\n'
    )
    assert nbflow("run", "churn.py", "--json")[0] == 0
    assert client.Run("churn").tags == ("all",)
    assert nbflow("run", "churn.py", "--profile", "night", "--json")[0] == 0
    assert client.Run("churn", store="kept").tags == ("night",)


def start(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "nbflow", *words], stdout=subprocess.PIPE, text=True
    )


def wait_for(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.05)


def running() -> bool:
    try:
        return client.Run("churn")["load"].status == "succeeded"
    except Exception:
        return False


def test_interrupt_cancels_and_says_how_to_go_on(nbflow: Tool) -> None:
    process = start("run", "churn.py", "--on", "inline", "-p", "pause", "0.5")
    wait_for(running)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "nbflow resume churn/1" in out
    assert client.Run("churn/1").status == "cancelled"


def test_detach_outlives_its_parent_and_can_be_cancelled(nbflow: Tool) -> None:
    words = ["run", "churn.py", "--on", "inline", "-p", "pause", "5", "--detach"]
    process = start(*words)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "churn/1\n")
    run = client.Run("churn/1")
    wait_for(running)
    assert run.status == "running"
    assert nbflow("cancel", "churn/1")[0] == 0
    assert run.wait(30).status == "cancelled"


def test_detach_of_a_mistake(nbflow: Tool) -> None:
    # in this process, whose own arguments are others: as `%nbflow run --detach` in a kernel
    status, out, err = nbflow("run", "churn.py", "--detach", "-p", "x", "1")
    assert (status, out) == (2, "")
    assert "no parameter `x`" in err
    status, out, as_json = nbflow("run", "churn.py", "--detach", "-p", "x", "1", "--json")
    assert (status, as_json) == (2, err)
    told = json.loads(out)
    assert (told["run"], told["status"], len(told["diagnostics"])) == (None, "failed", 1)
