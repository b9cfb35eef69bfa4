"""Tagged cells in a shell: as if the tag were not there, or with what its options ask for."""

from __future__ import annotations

import ast
import asyncio
from typing import Any

import pytest


def run(shell: Any, cell: str) -> Any:
    result = shell.run_cell(cell, store_history=True)
    result.raise_error()
    return result.result


@pytest.mark.parametrize("tag", ["%%step a --cpu 2", "%%setup", "%%parameters", "# nbflow: step a"])
def test_a_tagged_cell_runs_in_the_namespace_and_shows_its_last_value(shell: Any, tag: str) -> None:
    assert run(shell, f"{tag}\nx = 20\nx + 1") == 21
    assert shell.user_ns["x"] == 20


def test_await_and_line_magics_work(shell: Any) -> None:
    cell = "%%step a\nimport asyncio\nawait asyncio.sleep(0)\nhere = %pwd\nlen(here) > 0"
    assert run(shell, cell) is True


def test_errors_keep_their_line_and_fail_the_cell(shell: Any, capsys: Any) -> None:
    result = shell.run_cell("%%step a\n%%resources --cpu 1\nx = 1\nx / 0")
    assert not result.success
    trace = result.error_in_exec.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    assert trace.tb_lineno == 4
    assert "----> 4 x / 0" in capsys.readouterr().out


def test_a_name_that_only_branches_have_is_told_where_it_is(shell: Any, capsys: Any) -> None:
    shell.run_cell("%%step train --foreach n in [1, 2]\nscore = n")
    said = "`score` exists once for each task of `train`: `train.score` is the list of all"
    for cell in ("%%step use\nbest = max(score)", "score"):
        shell.run_cell(cell)
        assert said in capsys.readouterr().out
    shell.run_cell("scor")
    assert "exists once" not in capsys.readouterr().out


def test_a_module_of_another_environment_is_told_where_it_is(shell: Any, capsys: Any) -> None:
    shell.run_cell("%environment old nonesuch")
    assert not shell.run_cell("%%step a --env old\nimport nonesuch").success
    assert "`a` runs in the environment `old` in a flow" in capsys.readouterr().out
    assert not shell.run_cell("%%step b\nimport nonesuch").success
    assert "runs in the environment" not in capsys.readouterr().out


@pytest.mark.parametrize("cell", ["%%step a\n%%time\ny = 2\ny", "%%time\n%%step a\ny = 2\ny"])
def test_other_magics_stack(shell: Any, capsys: Any, cell: str) -> None:
    assert run(shell, cell) == 2
    assert "Wall time" in capsys.readouterr().out


def test_capture_stacks(shell: Any) -> None:
    run(shell, "%%step a\n%%capture out\nprint('hello')\nz = 1")
    assert shell.user_ns["out"].stdout == "hello\n"
    assert shell.user_ns["z"] == 1


@pytest.mark.parametrize(
    ("cell", "code", "said"),
    [
        ("%%step a --gpus 1\nx = 1", "NBF104", "Did you mean `--gpu`?"),
        ("%%step\nx = 1", "NBF107", "has no step name"),
        ("%%step a --memory lots\nx = 1", "NBF105", "--memory"),
        ("# nbflow: stpe a\nx = 1", "NBF103", "Did you mean `step`?"),
        ("%%step a --retry 1 --retry 2\nx = 1", "NBF106", "--retry"),
        ("%%step a --each b\nx = 1", "NBF204", "has not run in this kernel"),
    ],
)
def test_wrong_tags_stop_the_cell(shell: Any, capsys: Any, cell: str, code: str, said: str) -> None:
    result = shell.run_cell(cell)
    assert not result.success
    assert "x" not in shell.user_ns
    output = capsys.readouterr().out
    assert f"error[{code}] line 1:" in output
    assert said in output
    assert "Traceback" not in output


def test_a_wrong_flow_line_stops_the_cell(shell: Any, capsys: Any) -> None:
    assert shell.run_cell("%flow churn --project growth").success
    assert not shell.run_cell("%flow churn --projct growth\nx = 1").success
    assert "Did you mean `--project`?" in capsys.readouterr().out
    assert "x" not in shell.user_ns


def test_help_comes_from_the_grammar(shell: Any, capsys: Any) -> None:
    run(shell, "%%step?")
    assert "--foreach VAR in EXPR  one task for each item of EXPR" in capsys.readouterr().out


def test_a_console_waits_for_the_body_of_a_tagged_cell(shell: Any) -> None:
    complete = shell.input_transformer_manager.check_complete
    assert complete("%%step a\nx = 1")[0] == "incomplete"
    assert complete("%%step a\nx = 1\n\n")[0] == "complete"


def test_the_shell_is_as_before_when_the_extension_is_unloaded(shell: Any) -> None:
    shell.run_line_magic("unload_ext", "nbflow_magics")
    result = shell.run_cell("%%step a\nx = 1")
    assert not result.success
    assert "x" not in shell.user_ns
    shell.run_line_magic("load_ext", "nbflow_magics")
    shell.run_line_magic("reload_ext", "nbflow_magics")
    assert run(shell, "%%step a\nx = 1\nx") == 1


def test_cell_metadata_tags_count_where_the_front_end_sends_them(shell: Any, capsys: Any) -> None:
    cell = "x = 1"
    coroutine = shell.run_cell_async(
        cell, transformed_cell=shell.transform_cell(cell), cell_meta={"tags": ["step:1st"]}
    )
    assert not asyncio.run(coroutine).success
    assert "error[NBF107]" in capsys.readouterr().out


class Doubled(ast.NodeTransformer):
    """Somebody else's transformer of cells."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant(node.value * 2) if isinstance(node.value, int) else node


@pytest.mark.parametrize("at", [0, 1])
def test_other_transformers_see_the_statements(shell: Any, at: int) -> None:
    shell.ast_transformers.insert(at, Doubled())
    try:
        shell.run_cell("%%step a\nx = 2\nif x:\n    y = [x, 3]").raise_error()
    finally:
        del shell.ast_transformers[at]
    assert shell.user_ns["y"] == [4, 6]
    shell.run_cell("%%step a\n%%time\nx = 2\nif x:\n    y = [x, 3]").raise_error()
    assert shell.user_ns["y"] == [2, 3]
    shell.run_cell("%timeit -n1 -r1 sum(y)").raise_error()
