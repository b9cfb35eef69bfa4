"""JupyterLab with the extension, as a user sees it, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest

#: the scenarios of each script, in the order in which they are played
SCENARIOS = {
    "notebook7.mjs": (
        "sidebar_of_the_file_list",
        "notebook_with_badges",
        "run_pages_below",
        "runs_a_flow",
    ),
    "story.mjs": (
        "cells_by_hand",
        "what_the_kernel_knows",
        "run_on_dask",
        "error_to_cell_and_fix",
        "compare_and_load",
        "server_restart",
    ),
    "browser.mjs": (
        "sidebar",
        "run_page",
        "error_to_cell",
        "notebook",
        "history",
        "start_a_run",
        "load_into_notebook",
        "drag_into_notebook",
        "debug_here",
        "export",
        "compare",
        "tag_and_delete",
        "another_folder",
        "twenty_thousand_tasks",
        "hostile_html",
        "reload",
        "accessible_in_both_themes",
        "a_hundred_thousand_runs",
    ),
}

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize(
    ("script", "name"), [(script, name) for script, names in SCENARIOS.items() for name in names]
)
def test_scenario(script: str, name: str, outcomes: Callable[[str], dict[str, str | None]]) -> None:
    """Each scenario goes through."""
    played = outcomes(script)
    assert name in played, "the script ended before"
    assert played[name] is None, played[name]


@pytest.mark.parametrize("script", SCENARIOS)
def test_none_is_forgotten(script: str, outcomes: Callable[[str], dict[str, str | None]]) -> None:
    """Every scenario that the browser plays is one of the above."""
    assert tuple(outcomes(script)) == SCENARIOS[script]
