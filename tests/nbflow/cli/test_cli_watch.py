"""What is said of a run as it goes, fed with what a driver tells."""

from __future__ import annotations

import dataclasses
import io
from typing import Any

import pytest

from nbflow.cli.live import LiveWatcher
from nbflow.cli.progress import RunProgress, overall
from nbflow.cli.watch import PlainWatcher, Watcher
from nbflow.store import Store
from nbflow.store.records import AttemptRecord, TaskRecord

ERROR = {"type": "ValueError", "message": "no\nrows", "cell": 3, "line": 2}


def record(step: str, key: str = "", status: Any = "succeeded", **more: Any) -> TaskRecord:
    times = {"started": 10.0, "finished": 12.0} if status != "running" else {"started": 10.0}
    return TaskRecord(step, key, status, **(times | more))


def tell(watcher: Watcher, store: Store) -> None:
    from nbflow.client.run import Run

    run = Run("churn/1", store)
    watcher.started(run.record, run.spec)
    watcher.expected("load", 1)
    watcher.tasks([record("load")])
    watcher.tasks([record("train", part="items", count=2)])
    watcher.expected("train", 2)
    watcher.tasks([record("train", "0", "running")])
    watcher.attempts([AttemptRecord("train", "1", 1, "failed", error=ERROR)])
    watcher.tasks([record("train", "0"), record("train", "1", "failed", error=ERROR)])
    # of its condition: to look at that took a moment
    watcher.tasks([record("choose", status="skipped")])
    watcher.message("a word")
    watcher.cancelling(False)
    watcher.finished(run.record)
    watcher.close()


def test_plain_lines(churn: Store, capsys: pytest.CaptureFixture[str]) -> None:
    tell(PlainWatcher(), churn)
    assert capsys.readouterr().out.splitlines() == [
        "churn/1: 3 steps",
        "load: succeeded in 2.0 s",
        "train/1 failed in attempt 1, trying again in cell 3, line 2: ValueError: no",
        "train/1 failed in cell 3, line 2: ValueError: no",
        "train: 1 succeeded, 1 failed in 2.0 s",
        "choose: skipped",
        "a word",
        "Cancelling. Ctrl-C again ends it at once.",
    ]


def test_live(churn: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr("nbflow.cli.screen.console", lambda: console)
    tell(LiveWatcher(), churn)
    shown = screen.getvalue()
    assert "train/1 failed in cell 3, line 2" in shown
    assert "2/2, 1 failed" in shown
    # the cursor is shown again
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


def test_the_line_below_says_what_ctrl_c_would_do(
    churn: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rich.console import Console

    from nbflow.client.run import Run

    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr("nbflow.cli.screen.console", lambda: console)

    def last() -> str:
        screen.truncate(0)
        console.print(watcher._drawn())
        return screen.getvalue()

    watcher, run = LiveWatcher(), Run("churn/1", churn)
    watcher.started(run.record, run.spec)
    try:
        watcher.tasks([record("load")])
        assert "Ctrl-C cancels" in last()
        watcher.cancelling(False)
        assert "cancelling …" in last()
    finally:
        watcher.close()


def test_tasks_of_this_process_have_the_terminal_to_themselves(
    churn: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    from nbflow.client.run import Run

    run = Run("churn/1", churn)
    watcher = LiveWatcher()
    watcher.started(dataclasses.replace(run.record, engine="inline"), run.spec)
    watcher.expected("load", 1)
    watcher.tasks([record("load")])
    watcher.close()
    assert capsys.readouterr().out == "churn/1: 3 steps on inline\nload: succeeded in 2.0 s\n"


def test_many_failures_are_not_told_one_by_one(
    churn: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    from nbflow.client.run import Run

    watcher = PlainWatcher()
    run = Run("churn/1", churn)
    watcher.started(run.record, run.spec)
    watcher.expected("train", 100)
    for key in range(100):
        watcher.tasks([record("train", str(key), "failed", error=ERROR)])
    assert len(capsys.readouterr().out.splitlines()) == 8


def test_progress() -> None:
    progress = RunProgress(["a"])
    step = progress.steps["a"]
    progress.expect("a", 3)
    assert (step.status, step.total, step.complete) == ("pending", 3, False)
    progress.add([record("a", "0", "running"), record("a", "1")])
    assert (step.status, step.done) == ("running", 1)
    progress.add([record("a", "0"), record("a", "2", "cached", started=1.0, finished=2.0)])
    assert (step.status, step.complete, step.seconds()) == ("succeeded", True, 2.0)
    assert overall({"succeeded": 3, "failed": 1}) == "failed"
    assert overall({"cached": 2}) == "cached"
    assert overall({}) == "pending"
