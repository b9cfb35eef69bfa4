"""Plots of a metric over runs: a picture that needs nothing but a browser."""

from __future__ import annotations

import math
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nbflow
from nbflow.client.svg import nice_ticks
from nbflow.errors import UserError
from nbflow.store import Store
from nbflow.store.records import TaskRecord


@pytest.fixture
def many(churn: Store) -> Store:
    """Six more runs, with a final score and a score for each of three tasks."""
    writer = churn.writer("t")
    for at in range(6):
        run = churn.create_run("churn", "0+a", params={"alpha": at / 10, "kind": "<i>"[: at % 3]})
        scores = [writer.put(at + n / 10, "score").to_json() for n in range(3)]
        churn.publish(
            run.id,
            [
                TaskRecord("train", str(n), "succeeded", item="<b>", artifacts={"score": one})
                for n, one in enumerate(scores)
            ],
        )
        metrics = {"final": 1.5 * at, "flag": True, "name": "x", "odd": math.nan}
        churn.update_run(run.id, status="succeeded", started=0.0, finished=at, metrics=metrics)
    writer.close()
    return churn


def tooltips(svg: str) -> list[str]:
    names = {"svg": "http://www.w3.org/2000/svg"}
    return [one.text or "" for one in ElementTree.fromstring(svg).iterfind(".//svg:title", names)]


@pytest.mark.usefixtures("many")
def test_final_values_in_order() -> None:
    plot = nbflow.runs().plot("final")
    assert [one.run for one in plot.columns] == [f"churn/{n}" for n in range(3, 9)]
    assert [one.values for one in plot.columns] == [[1.5 * n] for n in range(6)]
    assert plot.without == ("churn/1", "churn/2")
    told = tooltips(plot.svg)
    assert told[1] == "churn/4 (succeeded)\nfinal = 1.5\nalpha=0.1 kind=<"
    assert "polyline" in plot.svg
    shown = plot._repr_html_()
    assert "2 runs without it" in shown
    assert "<i>" not in shown
    assert repr(plot).splitlines()[-1].split() == ["churn/8", "7.5", "█" * 24]


@pytest.mark.usefixtures("many")
def test_a_fan_out_is_a_box_and_its_tasks() -> None:
    for plot in (nbflow.Flow("churn").plot("score"), nbflow.Flow("churn").plot("train/score")):
        assert plot.columns[-1].box == pytest.approx((5.0, 5.05, 5.1, 5.15, 5.2))
        told = tooltips(plot.svg)
        assert "3 tasks: 5 to 5.2, median 5.1" in told[-4]
        assert told[-1] == "churn/8 (succeeded)\n<b>\nscore = 5.2".replace("score", plot.name)
        assert "<b>" not in plot._repr_html_().replace('<b class="nbf-title">', "")
    assert plot.columns[1].status == "failed"


@pytest.mark.usefixtures("many")
def test_other_axes_and_durations(tmp_path: Path) -> None:
    assert [one.x for one in nbflow.runs().plot("final", x="alpha").columns] == [
        n / 10 for n in range(6)
    ]
    kinds = nbflow.runs().plot("final", "kind")
    assert [one.x for one in kinds.columns] == ["", "<", "<i", "", "<", "<i"]
    ElementTree.fromstring(kinds.svg)
    assert nbflow.runs().plot("duration").columns[-1].values == [5.0]
    kinds.save(tmp_path / "plot.svg")
    assert (tmp_path / "plot.svg").read_text() == kinds.svg


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    ("name", "x", "said"),
    [
        ("finale", None, "None of 8 runs has a number 'finale'. Did you mean 'final'?"),
        ("zzz", None, "There are duration, final, flag, score."),
        ("name", None, "None of 8 runs has a number 'name'."),
        ("final", "alhpa", "has a parameter or value 'alhpa'. Did you mean 'alpha'?"),
    ],
)
def test_what_is_not_there(name: str, x: str | None, said: str) -> None:
    with pytest.raises(UserError, match=re.escape(said)):
        nbflow.runs().plot(name, x)


@pytest.mark.usefixtures("many")
def test_no_runs() -> None:
    with pytest.raises(UserError, match="no runs to plot"):
        nbflow.runs(tag="none").plot("final")


@given(st.floats(-1e30, 1e30), st.floats(-1e30, 1e30))
def test_ticks_are_few_and_hold_the_range(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    ticks = nice_ticks(low, high)
    assert 2 <= len(ticks) <= 12
    assert ticks == sorted(set(ticks))
    span = ticks[-1] - ticks[0]
    assert ticks[0] <= low + span * 1e-6
    assert ticks[-1] >= high - span * 1e-6
