"""`--foreach`, `--each`, `--when`, `--catch`, `--retry` and `--timeout` in the kernel."""

from __future__ import annotations

from typing import Any

import pytest


def run(shell: Any, cell: str) -> Any:
    result = shell.run_cell(cell, store_history=True)
    result.raise_error()
    return result.result


def test_a_fan_out_binds_the_steps_name_to_its_branches(shell: Any, capsys: Any) -> None:
    run(shell, "%%step train --foreach c, n in zip('ab', range(2))\ns = c * 2\nprint(s)\nn")
    train = shell.user_ns["train"]
    assert train.s == ["aa", "bb"]
    assert train[1].item == ("b", 1)
    assert [branch.key for branch in train] == [(0,), (1,)]
    output = capsys.readouterr().out
    assert output.startswith("aa\n0\nbb\n1\n")
    assert "train: 2 of 2 tasks" in output


def test_branches_start_alike_and_leave_the_names_outside_alone(shell: Any) -> None:
    run(shell, "rows = [1, 2, 3]")
    run(shell, "%%step part --foreach n in [1, 2]\nrows = [r for r in rows if r > n]\nleft = rows")
    assert shell.user_ns["part"].rows == [[2, 3], [3]]
    assert shell.user_ns["rows"] == [1, 2, 3]
    assert not {"n", "left"} & set(shell.user_ns)


def test_each_stays_in_the_branch(shell: Any) -> None:
    run(shell, "%%step train --foreach n in range(3)\nscore = n * 10")
    run(shell, "%%step grow --each train\ngrown = score + n\nscore = -1")
    run(shell, "%%step more --each grow --foreach k in range(n)\nsum_ = grown + k + score")
    grow, more = shell.user_ns["grow"], shell.user_ns["more"]
    assert grow.grown == [0, 11, 22]
    assert shell.user_ns["train"].score == [0, 10, 20]
    assert more.sum_ == [10, 21, 22]
    assert [branch.key for branch in more] == [(1, 0), (2, 0), (2, 1)]
    assert more[2].parent.grown == 22


def test_each_of_a_step_that_does_not_fan_out_is_refused(shell: Any, capsys: Any) -> None:
    run(shell, "%%step load\nx = 1")
    assert not shell.run_cell("%%step grow --each load\ny = 1").success
    assert "does not fan out" in capsys.readouterr().out


def test_a_second_cell_of_a_fan_out_runs_in_its_branches(shell: Any) -> None:
    info = {"store_history": True}
    shell.run_cell("%%step train --foreach n in range(3)\na = n", cell_id="one", **info)
    shell.run_cell("%%step train\nb = a + 1", cell_id="two", **info).raise_error()
    assert shell.user_ns["train"].b == [1, 2, 3]
    assert shell.user_ns["train"].a == [0, 1, 2]
    shell.run_cell("%%step train\na = 5", cell_id="one", **info).raise_error()
    assert shell.user_ns["a"] == 5


def test_no_items_give_an_empty_sequence(shell: Any) -> None:
    run(shell, "%%step train --foreach n in []\na = n")
    assert list(shell.user_ns["train"]) == []


@pytest.mark.parametrize(("flag", "ran"), [(True, True), (False, False)])
def test_when(shell: Any, capsys: Any, flag: bool, ran: bool) -> None:
    run(shell, f"flag = {flag}")
    value = run(shell, "%%step maybe --when flag\nx = 1\nx")
    assert value == (1 if ran else None)
    assert ("skipped" in capsys.readouterr().out) is not ran


def test_when_in_branches(shell: Any) -> None:
    run(shell, "%%step train --foreach n in range(4)\nscore = n")
    run(shell, "%%step best --each train --when score > 1\ntop = score")
    assert shell.user_ns["best"].top == [2, 3]


def test_retry_starts_again_with_the_names_as_they_were(shell: Any, capsys: Any) -> None:
    run(shell, "tries = []\nlevel = 0")
    cell = (
        "%%step a --retry 2\nlevel = level + 1\ntries.append(level)\nassert len(tries) == 3\n'ok'"
    )
    assert run(shell, cell) == "ok"
    assert shell.user_ns["tries"] == [1, 1, 1]
    assert "attempt 2 of 3 failed with AssertionError" in capsys.readouterr().out


def test_retry_fails_with_the_last_error(shell: Any, capsys: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        run(shell, "%%step a --retry 1\n1 / 0")
    assert "----> 2 1 / 0" in capsys.readouterr().out


def test_timeout_ends_the_cell(shell: Any) -> None:
    with pytest.raises(TimeoutError, match=r"longer than 0\.05 s"):
        run(shell, "%%step a --timeout 50ms\nimport time\ntime.sleep(10)")


def test_timeout_ends_a_cell_that_awaits(shell: Any) -> None:
    with pytest.raises(TimeoutError):
        run(shell, "%%step a --timeout 50ms\nimport asyncio\nawait asyncio.sleep(10)")
    assert run(shell, "%%step a --timeout 5s\nimport asyncio\nawait asyncio.sleep(0)\n7") == 7


def test_catch_keeps_the_error_with_its_branch(shell: Any, capsys: Any) -> None:
    run(shell, "%%step a --catch --foreach n in range(3)\nw = 1 // (n - 1)")
    a = shell.user_ns["a"]
    assert [branch.error is None for branch in a] == [True, False, True]
    assert a[1].error.type == "ZeroDivisionError"
    assert [branch.w for branch in a if branch.error is None] == [-1, 1]
    assert "line 2, in <module>" in capsys.readouterr().err


def test_catch_of_a_plain_step(shell: Any, capsys: Any) -> None:
    run(shell, "%%step a --catch\nw = 1\n1 / 0")
    assert "w" not in shell.user_ns
    assert "--catch goes on" in capsys.readouterr().out


def test_a_failing_branch_stops_the_cell_at_its_line(shell: Any, capsys: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        run(shell, "%%step a --foreach n in range(3)\n\nw = 1 // (n - 1)")
    output = capsys.readouterr().out
    assert "1 of 3 tasks" in output
    assert "----> 3 w = 1 // (n - 1)" in output
    assert "a" not in shell.user_ns
    assert shell.user_ns["n"] == 1, "what %debug and the next cell look at"


def test_a_wrong_expression_shows_its_line(shell: Any, capsys: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        run(shell, "%%resources --cpu 1\n%%step a --foreach n in range(1 // 0)\nw = n")
    assert "----> 2 # %%step a" in capsys.readouterr().out


@pytest.mark.parametrize("body", ["break", "continue", "x = 1\nreturn"])
def test_what_python_refuses_stays_refused(shell: Any, body: str) -> None:
    with pytest.raises(SyntaxError):
        run(shell, f"%%step a --catch\n{body}")


def test_future_imports_stay_at_the_top(shell: Any) -> None:
    run(shell, "%%step a --retry 1\nfrom __future__ import annotations\ndef f(x: y): ...")
    assert shell.user_ns["f"].__annotations__ == {"x": "y"}


def test_drop_keeps_values_out_of_the_branches(shell: Any) -> None:
    run(shell, "%%step a --foreach n in range(2) --drop big\nbig = [n] * 9\nsize = len(big)")
    assert "big" not in shell.user_ns["a"][0]
    assert shell.user_ns["a"].size == [9, 9]


def test_time_goes_around_each_branch(shell: Any, capsys: Any) -> None:
    run(shell, "%%step a --foreach n in range(2)\n%%time\nm = n")
    assert shell.user_ns["a"].m == [0, 1]
    assert capsys.readouterr().out.count("Wall time") == 2


def test_a_branch_sees_its_own_part_of_a_nested_fan_out(shell: Any) -> None:
    run(shell, "%%step outer --foreach size in [1, 2]\ncount = size ** 2")
    run(shell, "%%step inner --each outer --foreach index in range(1, count + 1)\np = size * index")
    run(shell, "%%step sum_up --each outer\ntotal = sum(inner.index)\nall_sizes = outer.size")
    names = shell.user_ns
    assert names["sum_up"].total == [1, 10]
    assert names["sum_up"].all_sizes == [[1, 2], [1, 2]]
    assert len(names["inner"]) == 5
    assert [branch.parent.size for branch in names["inner"]] == [1, 2, 2, 2, 2]
    run(shell, "%%step more --each inner --when len(inner) > 1\nhow_many = len(inner)")
    assert names["more"].how_many == [4, 4, 4, 4]
