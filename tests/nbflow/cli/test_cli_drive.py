"""`nbflow drive`: drivers as processes, killed, asleep, and two at once."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

import pytest

from nbflow.cli.group import call
from nbflow.store import Store, open_store

NOTEBOOK = """\
# %%
import os, time
def mark(name):
    with open(name, "a") as file:
        file.write("x")
# %%
%%step load
mark("load")
items = [0, 1, 2, 3]
# %%
%%step grow --foreach i in items
mark(f"grow-{i}")
value = i * 10
# %%
%%step wait
mark("wait")
while not os.path.exists("go"):
    time.sleep(0.02)
total = sum(grow.value)
# %%
%%step pick
mark("pick")
print("best of", total)
"""


ONCE = {"load": 1, "grow-0": 1, "grow-1": 1, "grow-2": 1, "grow-3": 1, "wait": 1, "pick": 1}


class Desk:
    """A folder with a notebook, where verbs run as processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "churn.py").write_text(NOTEBOOK)
        self._begun: list[subprocess.Popen[str]] = []

    def begin(self, *words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "nbflow", *words],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._begun.append(process)
        return process

    def run_till_it_waits(self, on: str) -> subprocess.Popen[str]:
        driver = self.begin("run", "churn.py", "--on", on)
        until(lambda: (self.folder / ".nbflow" / "nbflow.db").exists())
        until(
            lambda: self.published() == {"load": 1, "grow": 4} and (self.folder / "wait").exists()
        )
        return driver

    @cached_property
    def store(self) -> Store:
        return open_store(self.folder, create=False)

    def published(self) -> Counter[str]:
        runs = self.store.runs()
        tasks = self.store.tasks(runs[0].id) if runs else []
        return Counter(task.step for task in tasks if task.status == "succeeded")

    def driver(self) -> str:
        return self.store.driver(1) or ""

    def marks(self) -> dict[str, int]:
        names = ("load", *(f"grow-{i}" for i in range(4)), "wait", "pick")
        return {name: (self.folder / name).stat().st_size for name in names}

    def end(self) -> None:
        for process in self._begun:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        self.store.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.end()


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def test_a_lost_run_says_what_its_driver_said_last(desk: Desk) -> None:
    told = NOTEBOOK.replace('mark("wait")', 'os.write(2, b"no room left")\nmark("wait")')
    (desk.folder / "churn.py").write_text(told)
    process = desk.begin("run", "churn.py", "--on", "inline", "--detach", "--json")
    assert json.loads(process.communicate(timeout=60)[0])["run"] == "churn/1"
    until(lambda: (desk.folder / "wait").exists() and desk.published()["grow"] == 4)
    driver = desk.driver()
    os.kill(int(driver.split("-")[-2]), signal.SIGKILL)
    desk.store.db.execute("UPDATE runs SET heartbeat = heartbeat - 60")
    out, err = desk.begin("show", "churn/1").communicate(timeout=60)
    assert out.startswith("churn/1  ? lost\n"), err
    assert f"Its driver {driver} was last heard of at " in out
    assert "It said: no room left\n`nbflow drive churn/1` goes on with the run.\n" in out


def test_a_driver_that_dies_silently_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dying = tmp_path / "python"
    dying.write_text("#!/bin/sh\nkill -9 $$\n")
    dying.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(dying))
    (tmp_path / "churn.py").write_text(NOTEBOOK)
    assert call(["run", str(tmp_path / "churn.py"), "--detach"]) == 1
    assert capsys.readouterr().err == (
        "error: The run's driver was ended by SIGKILL before it had begun, and did not say why.\n"
    )


@pytest.mark.parametrize("on", ["inline", "dask"])
def test_a_killed_run_goes_on(desk: Desk, on: str) -> None:
    driver = desk.run_till_it_waits(on)
    driver.kill()
    driver.communicate()
    (desk.folder / "go").touch()
    before = [task for task in desk.store.tasks(1) if task.status == "succeeded"]
    drive = desk.begin("drive", "churn")
    out, err = drive.communicate(timeout=90)
    assert drive.returncode == 0, err
    last = f"{os.uname().nodename}-{driver.pid}"
    assert re.fullmatch(
        f"churn/1 was driven by {last}-.*: waiting up to 10 s for a sign of life.\n"
        f"churn/1: 4 steps on {on}\nload: succeeded .*\ngrow: 4 succeeded .*\nwait: .*\npick: .*\n"
        "\nchurn/1 ✓ succeeded in .*\ntotal=60\n.*\n",
        out,
    )
    run = desk.store.runs()[0]
    assert run.status == "succeeded"
    assert [desk.store.task(1, task.step, task.key) for task in before] == before
    assert desk.marks() == ONCE | {"wait": 2}
    # a run that is over is not driven again
    again = desk.begin("drive", "churn/1")
    out, err = again.communicate(timeout=60)
    assert (again.returncode, out) == (2, "")
    assert err == (
        "error[NBF408]: The run churn/1 is over: it has succeeded.\n    `nbflow resume churn/1` makes "
        "a new run of what is left to do.\n"
    )


def test_of_two_drivers_one_goes_on(desk: Desk) -> None:
    driver = desk.run_till_it_waits("inline")
    driver.kill()
    driver.communicate()
    both = [desk.begin("drive", "churn", "--on", "inline") for _ in range(2)]
    until(lambda: any(one.poll() is not None for one in both))
    (loser,) = (one for one in both if one.poll() is not None)
    (winner,) = (one for one in both if one is not loser)
    _, err = loser.communicate(timeout=60)
    assert loser.returncode == 2
    assert f"The run churn/1 is driven by {os.uname().nodename}-{winner.pid}-" in err
    (desk.folder / "go").touch()
    _, err = winner.communicate(timeout=60)
    assert winner.returncode == 0, err
    assert desk.marks() == ONCE | {"wait": 2}


def test_a_driver_that_wakes_after_another_has_taken_over(desk: Desk) -> None:
    asleep = desk.run_till_it_waits("inline")
    os.killpg(asleep.pid, signal.SIGSTOP)
    drive = desk.begin("drive", "churn", "--on", "inline")
    until(lambda: f"-{drive.pid}-" in desk.driver())
    os.killpg(asleep.pid, signal.SIGCONT)
    _, err = asleep.communicate(timeout=60)
    assert asleep.returncode == 2
    assert f"error[NBF408]: The run churn/1 is driven by {os.uname().nodename}-{drive.pid}-" in err
    assert "this process has stopped, and changes nothing more of it" in err
    assert desk.store.run(1).status == "running"
    (desk.folder / "go").touch()
    _, err = drive.communicate(timeout=60)
    assert drive.returncode == 0, err


def test_a_driver_that_is_asked_to_end_hands_the_run_on(desk: Desk) -> None:
    driver = desk.run_till_it_waits("inline")
    driver.kill()
    driver.communicate()
    first = desk.begin("drive", "churn")
    until(lambda: f"-{first.pid}-" in desk.driver())
    until(lambda: (desk.folder / "wait").stat().st_size == 2)
    first.terminate()
    _, err = first.communicate(timeout=60)
    assert first.returncode == 130
    assert "Asked to end. Another driver can go on: nbflow drive churn/1" in err
    assert (desk.driver(), desk.store.run(1).status) == ("", "running")
    (desk.folder / "go").touch()
    second = desk.begin("drive", "churn")
    _, err = second.communicate(timeout=60)
    assert second.returncode == 0, err
    assert desk.marks() == ONCE | {"wait": 3}


def test_mistakes(desk: Desk) -> None:
    none = desk.begin("drive", "churn")
    assert "There is no store" in none.communicate(timeout=60)[1]
    (desk.folder / "go").touch()
    assert desk.begin("run", "churn.py", "--on", "inline").wait(60) == 0
    unknown = desk.begin("drive", "chrun")
    out, err = unknown.communicate(timeout=60)
    assert (unknown.returncode, out) == (2, "")
    assert "Did you mean 'churn'?" in err
