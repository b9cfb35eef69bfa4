"""Run, StepView and Task: what was recorded, by name."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from importlib import import_module

import pytest

import nbflow
from nbflow.client.show import step_rows
from nbflow.errors import UserError
from nbflow.store import Store
from nbflow.store.records import TaskRecord

pytestmark = pytest.mark.usefixtures("churn")


def test_what_a_run_is() -> None:
    run = nbflow.Run("churn/1")
    assert (run.path, run.status, run.params, run.tags) == (
        "churn/1",
        "succeeded",
        {"alpha": 0.1},
        ("demo",),
    )
    assert run.duration == 4.0
    assert list(run.steps) == ["load", "train", "choose"]
    assert nbflow.Run("churn").path == "churn/2"
    assert nbflow.Run("churn/1") == run


def test_final_values() -> None:
    run = nbflow.Run("churn/1")
    assert run.best == "FI"
    assert run.countries == ["FI", "US", "<script>"]
    assert run.alpha == 0.1
    assert run.status == "succeeded"
    assert run.value("status") == "own"
    assert "best" in dir(run)


def test_a_fan_out_whose_items_are_known_and_not_begun_is_pending(churn: Store) -> None:
    run = churn.create_run("churn", churn.run("churn/1").version)
    split = TaskRecord("train", "", status="cached", part="items", count=3)
    churn.publish(run.id, [split])
    assert step_rows(nbflow.Run(run.path))[1] == ("train", {}, None)
    none = churn.create_run("churn", churn.run("churn/1").version)
    churn.publish(none.id, [replace(split, count=0)])
    assert step_rows(nbflow.Run(none.path))[1] == ("train", {"cached": 0}, None)


def test_a_value_that_was_not_kept_is_not_an_older_one() -> None:
    # `choose` binds rows anew and did not keep it: load's rows would be the wrong answer
    with pytest.raises(AttributeError, match="--keep rows"):
        _ = nbflow.Run("churn/1").rows


def test_a_fan_outs_variable_shows_the_way() -> None:
    with pytest.raises(AttributeError, match=r"run\['train'\]\.score is the list"):
        _ = nbflow.Run("churn/1").score
    with pytest.raises(AttributeError, match="Did you mean 'best'"):
        _ = nbflow.Run("churn/1").bets


def test_steps_and_tasks() -> None:
    run = nbflow.Run("churn/1")
    train = run["train"]
    assert len(train) == 3
    assert train[1].score == 0.1
    assert train[1].item == train[1].country == "US"
    assert train.score == [0.0, 0.1, 0.2]
    assert [task.path for task in train] == [f"churn/1/train/{i}" for i in range(3)]
    assert train.table()["score"].tolist() == [0.0, 0.1, 0.2]
    assert train.task("2").status == "succeeded"
    assert run["choose"].best == "FI"
    with pytest.raises(KeyError, match="Did you mean 'train'"):
        run["trian"]


def test_log_and_outputs() -> None:
    run = nbflow.Run("churn/1")
    assert run["load"][0].printed() == b"loading\n100 %\xff\n"
    assert run["load"].log == "loading\n100 %\ufffd\n"
    assert run["choose"].outputs[0].data["text/html"] == "<b>x</b>"
    assert run["choose"][0].log == ""


def test_failure() -> None:
    run = nbflow.Run("churn/2")
    assert run.error is not None
    assert (run.error.type, run.error.cell, run.error.line) == ("ValueError", 3, 2)
    failed = run["train"][2]
    assert str(failed.error) == "no rows"
    assert run["train"].counts == {"succeeded": 2, "failed": 1}
    with pytest.raises(AttributeError, match="has not made it"):
        _ = run.best


def test_unknown_run_says_what_to_do() -> None:
    with pytest.raises(UserError, match="The newest run of churn is churn/2"):
        nbflow.Run("churn/99")


def test_no_store(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path_factory.mktemp("empty")
    monkeypatch.chdir(empty)
    with pytest.raises(UserError, match="nbflow run"):
        nbflow.runs()
    assert not list(empty.iterdir())


def test_displays_are_escaped_and_load_nothing(
    churn: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a display loaded a value")

    for path in ("churn/1", "churn/2"):
        run = nbflow.Run(path)
        monkeypatch.setattr("nbflow.values.codecs.decode", refuse)
        shown = [run, run["train"], run["train"][2], run["load"], run["load"][0]]
        for one in [*shown, run["load"][0].artifacts["rows"], nbflow.runs()]:
            assert "<script>" not in one._repr_html_()
            assert repr(one)


def test_values_find_the_classes_of_their_version(churn: Store) -> None:
    run = nbflow.Run("churn/1")
    record = churn.run("churn/1")
    from nbflow.client.place import code_of

    with code_of(churn, record.version, "churn"):
        model = import_module("churn.common").Model
    assert "churn" not in sys.modules
    with code_of(churn, record.version, "churn"):
        assert sys.modules["churn.common"].Model is model
    assert run.version == record.version


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        ("Run('churn/9')", UserError, "There is no run 'churn/9' in this store. The newest run"),
        ("Run('chrn/1')", UserError, "Did you mean 'churn/1'?"),
        ("Run('churn/1/train')", UserError, "The run is churn/1; run['…'] is a step of it."),
        ("Run('zzz')", UserError, "`nbflow runs` lists those there are."),
        ("Run(None)", TypeError, "a run is named by its path, as Run('churn/42'); None is none"),
        ("Run('churn/1')[1]", TypeError, "a step has a name"),
        ("Run('churn/1').value(1)", TypeError, "a variable has a name"),
        ("Run('churn/1')['train'][9]", IndexError, "train has 3 tasks; there is no train[9]"),
        ("Run('churn/1')['train']['a']", TypeError, "the tasks of train have numbers"),
        ("Run('churn/1')['load'].zzz", AttributeError, "load has no 'zzz'; it has "),
        ("Run('churn/2')['choose'].best", AttributeError, "churn/2/choose has not run, so it has"),
        ("Run('churn/1').tag(' ')", ValueError, "a tag is a word"),
        ("Flow(1)", TypeError, "a flow has a name"),
        ("runs(status='done')", UserError, "No run is ever 'done'. It is one of pending, running"),
        ("runs(limit=0)", ValueError, "limit is how many runs to list, 1 or more; 0 is none"),
        ("runs()[2]", IndexError, "there is no runs[2]: 2 runs here"),
        ("runs().plot(1)", TypeError, "what is plotted has a name"),
    ],
)
def test_a_mistake_is_one_sentence(code: str, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=re.escape(said)):
        eval(f"nbflow.{code}", {"nbflow": nbflow})
