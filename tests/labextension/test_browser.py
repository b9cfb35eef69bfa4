"""JupyterLab with the extension, as a user sees it, in a real browser."""

from __future__ import annotations

import pytest

SCENARIOS = (
    "sidebar",
    "run_page",
    "error_to_cell",
    "notebook",
    "start_a_run",
    "load_into_notebook",
    "compare",
    "tag_and_delete",
    "another_folder",
    "reload",
    "accessible_in_both_themes",
    "a_hundred_thousand_runs",
)

pytestmark = [pytest.mark.timeout(420), pytest.mark.xdist_group("labextension")]


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str, outcomes: dict[str, str | None]) -> None:
    """Each scenario of `browser.mjs` goes through."""
    assert outcomes[name] is None, outcomes[name]


def test_none_is_forgotten(outcomes: dict[str, str | None]) -> None:
    """Every scenario that the browser plays is one of the above."""
    assert tuple(outcomes) == SCENARIOS
