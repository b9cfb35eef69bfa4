"""What only the kernel knows: hidden state, values that cannot cross, stale steps, skipped ones."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def run(shell: Any, capsys: Any) -> Any:
    """Runs a cell, by its id if given; what it printed and showed."""

    def one(cell: str, cell_id: str | None = None) -> str:
        shell.run_cell(cell, store_history=True, cell_id=cell_id).raise_error()
        output: str = capsys.readouterr().out
        return output

    return one


def test_a_value_of_an_untagged_cell_is_hidden_state_told_once(run: Any) -> None:
    run("import math\nlimit = 3\ndef f(x): return x + limit\nrows = [f(1)]")
    output = run("%%step a\ntotal = sum(rows) + f(2) + math.floor(limit)")
    assert output.startswith("warning[NBF202]: `rows` comes from an untagged cell (In [1])")
    assert "limit" not in output
    assert run("%%step a\ntotal = sum(rows)") == ""


def test_functions_are_looked_into(run: Any) -> None:
    run("level = len('abc')\ndef f(x): return x + level\ndef g(x): return f(x)")
    assert "`level` comes from an untagged cell" in run("%%step a\ny = g(1)")


@pytest.mark.parametrize("tag", ["%%step load", "%%setup", "%%parameters"])
def test_values_of_tagged_cells_are_fine(run: Any, tag: str) -> None:
    run(f"{tag}\nrows = [1, 2]")
    assert run("%%step a\ntotal = sum(rows)") == ""


def test_the_cell_of_a_value_was_edited_or_deleted(run: Any, shell: Any) -> None:
    run("%%step load\nrows = [1]\nother = 2", "one")
    run("%%step load\nother = 2", "one")
    assert "`rows` comes from a cell that has been edited since" in run("%%step a\nt = rows")
    shell.ast_transformers[-1]._session.watch.forget_cells(["one"])
    assert "`other` comes from a cell that has been deleted" in run("%%step b\nt = other")


def test_a_cell_that_reads_what_it_made_itself(run: Any) -> None:
    run("%%step load\ntotal = 1", "one")
    assert run("%%step add\ntotal = total + 1", "two") == ""
    assert "is what this cell itself made when it ran before" in run(
        "%%step add\ntotal = total + 1", "two"
    )


def test_a_value_that_cannot_cross_is_named_before_a_run_fails(run: Any) -> None:
    run("%%step load\nrows = (n for n in range(3))\nheld = {'inner': open('/dev/null')}")
    output = run("%%step a\ntotal = sum(rows), held")
    assert "warning[NBF405]: The variable `rows` is a generator" in output
    assert "`held['inner']`" in output
    run("%%step load\nheld['inner'].close()")


def test_values_that_can_cross_are_not_talked_about(run: Any) -> None:
    run(
        "%%step load\nimport numpy as np\nclass C:\n    def m(self): return open\n"
        "a = np.zeros(10)\nc = C()\nf = lambda: a\nd = {'x': [c, a]}\nbig = ['text'] * 10**6"
    )
    assert run("%%step b\ne = (a, c, f, d, len(big))") == ""


def test_a_step_that_failed_is_not_fresh(run: Any, shell: Any) -> None:
    run("%%step load\nx = 1\nimport math")
    for cell in ("%%step bad\nx / 0", "%%step typo --gpus 1\n1", "%%step big --when x > 1\ny = x"):
        shell.run_cell(cell)
    steps = shell.ast_transformers[-1]._session.state()["steps"]
    states = {name: step["state"] for name, step in steps.items()}
    assert states == {"load": "fresh", "bad": "failed", "big": "skipped"}


def test_steps_become_stale(run: Any) -> None:
    run("%%step load\nx = 1", "one")
    run("%%step clean\ny = x", "two")
    run("%%step train\nz = y", "three")
    output = run("%%step load\nx = 2", "one")
    assert "`clean`, `train` have read values that were made anew since" in output
    assert run("%%step load\nx = 3", "one") == "", "told once"
    assert run("%%step clean\ny = x", "two") == ""
    assert run("%%step train\nz = y", "three") == ""
    assert "`clean`" in run("%%step load\nx = 4", "one")


def test_a_step_that_reads_of_a_stale_one_is_told_and_stays_stale(run: Any, shell: Any) -> None:
    session = shell.ast_transformers[-1]._session

    def states() -> dict[str, str]:
        return {name: one["state"] for name, one in session.state()["steps"].items()}

    run("%%step load\nx = 1", "one")
    run("%%step clean\ny = x", "two")
    run("%%step fit\nm = y", "three")
    run("%%step use\nz = m", "four")
    run("%%step load\nx = 2", "one")
    said = (
        "warning[NBF308]: `fit`, which made `m`, is stale: what it reads was made anew since it "
        "ran. Run `clean`, `fit` first.\n"
    )
    assert run("%%step use\nz = m", "four") == said
    assert states() == {"load": "fresh", "clean": "stale", "fit": "stale", "use": "stale"}
    assert run("%%step use\nz = m", "four") == "", "told once"
    for cell, source in {"two": "%%step clean\ny = x", "three": "%%step fit\nm = y"}.items():
        assert run(source, cell) == ""
    assert run("%%step use\nz = m", "four") == ""
    assert set(states().values()) == {"fresh"}
    run("%%step load\nx = 3", "one")
    assert run("%%step use\nz = m", "four") == said, "once more, as it had been put right"


def test_a_step_of_several_cells_is_fresh_when_all_of_them_are(run: Any, shell: Any) -> None:
    session = shell.ast_transformers[-1]._session
    run("%%step load\nx = 1", "one")
    run("%%step other\nw = 1", "two")
    run("%%step fit\na = x", "three")
    run("%%step fit\nb = w", "four")
    run("%%step fit\nb = w", "four")
    assert "`fit` has read values" in run("%%step load\nx = 2", "one")
    run("%%step fit\nb = w", "four")
    assert session.state()["steps"]["fit"]["state"] == "stale"
    run("%%step fit\na = x", "three")
    assert session.state()["steps"]["fit"]["state"] == "fresh"


def test_a_step_whose_cells_are_gone_is_forgotten(run: Any, shell: Any) -> None:
    session = shell.ast_transformers[-1]._session
    run("%%step load\nx = 1", "one")
    run("%%step cleen\ny = x", "two")
    run("%%step clean\ny = x", "two")
    run("%%step fit\nm = y", "three")
    run("%%step fit\nm = m", "four")
    session.watch.forget_cells(["four"])
    assert session.state()["steps"] == {
        "load": {"state": "fresh", "cells": ["one"]},
        "clean": {"state": "fresh", "cells": ["two"]},
        "fit": {"state": "fresh", "cells": ["three"]},
    }
    run("just = 'looking'", "two")
    session.watch.forget_cells(["three"])
    assert list(session.state()["steps"]) == ["load"]


def test_a_fan_out_makes_its_readers_stale(run: Any) -> None:
    run("%%step train --foreach n in range(2)\nm = n", "one")
    run("%%step choose\nbest = max(train.m)", "two")
    assert "`choose` has read values" in run("%%step train --foreach n in range(3)\nm = n", "one")


def test_the_names_outside_a_fan_out_keep_their_maker(run: Any) -> None:
    run("%%step load\nrows = [1]")
    run("%%step part --foreach n in [1, 2]\nrows = rows * n")
    assert run("%%step b\nt = rows") == ""


def test_what_depends_on_a_skipped_step_is_skipped(run: Any, shell: Any) -> None:
    run("flag = True")
    run("%%step maybe --when flag\nx = 1")
    run("flag = False")
    assert "maybe: skipped" in run("%%step maybe --when flag\nx = 1")
    assert "use: skipped, as it reads `x` of `maybe`" in run("%%step use\ny = x + 1")
    assert "y" not in shell.user_ns
    assert "last: skipped, as it reads `y` of `use`" in run("%%step last\nz = y")
    run("%%step other\nx = 5")
    run("%%step use\ny = x + 1")
    assert shell.user_ns["y"] == 6


def test_a_skipped_step_leaves_the_value_of_another_writer(run: Any, shell: Any) -> None:
    run("%%step one\nmodel = 'one'")
    run("%%step two --when False\nmodel = 'two'")
    run("%%step use\nused = model")
    assert shell.user_ns["used"] == "one"


def test_names_of_a_failed_cell_have_their_new_maker(run: Any, shell: Any) -> None:
    run("%%step load\nx = 1")
    assert not shell.run_cell("x = [2]\n1 / 0", store_history=True).success
    said = run("%%step a\ny = x")
    assert "warning[NBF209]: `x` was bound anew by an untagged cell (In [2])" in said
    assert "a run has the one of `load`" in said


def test_the_state_is_there_for_a_front_end(run: Any, shell: Any) -> None:
    run("%%step load\nx = 1", "one")
    run("%%step clean\ny = x", "two")
    run("%%step load\nx = 2", "one")
    session = shell.ast_transformers[-1]._session
    assert session.state() == {
        "steps": {
            "load": {"state": "fresh", "cells": ["one"]},
            "clean": {"state": "stale", "cells": ["two"]},
        }
    }


def test_objects_that_fail_when_they_are_looked_at(run: Any, shell: Any) -> None:
    run(
        "%%setup\nclass Odd:\n    def fail(self, *_): raise RuntimeError('not now')\n"
        "    __class__ = property(fail)\n    __getattr__ = __eq__ = __len__ = __bool__ = fail\n"
        "    __hash__ = None\n    __repr__ = fail"
    )
    assert run("%%step load\nodd = Odd()\nheld = {'odd': [odd]}", "one") == ""
    said = run("%%step fan --foreach n in [1, 2]\nother = odd", "two")
    assert said.splitlines()[1].startswith("warning[NBF405]: The variable `odd` is a")
    said = run("%%step use\nagain = held['odd'][0]; third = odd", "three")
    assert "The variable `held` holds a" in said
    assert "The variable `odd` is a" in said
    assert "`fan`, `use` have read" in run("%%step load\nodd = Odd()\nheld = {'odd': [odd]}", "one")
