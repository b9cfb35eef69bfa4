"""Tables of runs, flows, and what changed between runs."""

from __future__ import annotations

import pytest

import nbflow

pytestmark = pytest.mark.usefixtures("churn")


def test_runs() -> None:
    table = nbflow.runs(flow="churn")
    assert [run.path for run in table] == ["churn/2", "churn/1"]
    frame = table.to_pandas()
    assert frame.loc["churn/1", "alpha"] == 0.1
    assert frame.loc["churn/1", "best"] == "FI"
    assert "churn/2  failed" in repr(table)
    assert [run.path for run in nbflow.runs(status="failed")] == ["churn/2"]
    assert list(nbflow.runs(tag="none")) == []
    assert repr(nbflow.runs(tag="none")) == "no runs"


def test_flow() -> None:
    flow = nbflow.Flow("churn")
    assert flow.latest.path == "churn/2"
    assert flow.latest_succeeded.path == "churn/1"
    assert len(flow.runs) == 2
    assert flow[1].path == "churn/1"


def test_diff() -> None:
    changed = nbflow.diff("churn/1", "churn/2")
    assert changed.parameters == {"alpha": (0.1, 0.5)}
    assert changed.environment == {"pandas": ("2.2.0", "3.0.0")}
    assert changed.metrics == {
        "best": ("FI", "(none)"),
        "train/score (mean)": (pytest.approx(0.1), 0.25),
    }
    assert list(changed.code) == ["train"]
    assert "-def train(country): return 0.1" in changed.code["train"]
    assert changed.to_json()["parameters"] == {"alpha": [0.1, 0.5]}
    assert "<ins>" in changed._repr_html_()
    assert "code of train" in repr(changed)


def test_no_difference() -> None:
    same = nbflow.diff("churn/1", "churn/1")
    assert not same
    assert "nothing changed" in repr(same)


def test_public_names() -> None:
    assert set(nbflow.__all__) <= set(dir(nbflow))
    assert nbflow.__version__
    with pytest.raises(AttributeError, match="no attribute 'rums'"):
        _ = nbflow.rums
