"""How many Dask workers of each kind there should be."""

from __future__ import annotations

import pytest

from nbflow.kubernetes.groups import PATIENCE, Demand, Planner
from nbflow.kubernetes.settings import Workers, parse_workers

NAMES = ("default", "group1")


@pytest.mark.parametrize(
    ("demands", "expected"),
    [
        ({}, {"default": 1, "group1": 0}),
        # nothing is known of them: one for each task, as far as there may be more
        ({"default": Demand(0, ((50, None),))}, {"default": 4, "group1": 0}),
        # a hundred tasks of a tenth of a second are ten seconds of work
        ({"default": Demand(0, ((100, 0.1),))}, {"default": 1, "group1": 0}),
        # those that have work keep their workers, the rest is shared out
        (
            {"default": Demand(2, ((9, None),)), "group1": Demand(0, ((9, None),))},
            {"default": 3, "group1": 1},
        ),
    ],
)
def test_numbers_follow_what_waits(demands: dict[str, Demand], expected: dict[str, int]) -> None:
    assert Planner(Workers(1, 4), NAMES).plan(demands, {}, 0.0) == expected


def test_idle_workers_are_kept_a_while_unless_others_need_the_room() -> None:
    planner = Planner(Workers(0, 4), NAMES)
    have = {"default": 3, "group1": 0}
    assert planner.plan({}, have, 0.0) == {"default": 3, "group1": 0}
    busy = {"group1": Demand(0, ((2, None),))}
    assert planner.plan(busy, have, 1.0) == {"default": 2, "group1": 2}
    assert planner.plan({}, have, PATIENCE + 1) == {"default": 0, "group1": 0}


@pytest.mark.parametrize(("text", "least", "most"), [("20", 20, 20), (3, 3, 3), ("0:5", 0, 5)])
def test_bounds(text: object, least: int, most: int) -> None:
    assert parse_workers(text) == Workers(least, most)


@pytest.mark.parametrize("text", ["0", "5:2", "-1:2", "many", "2:", True])
def test_what_bounds_are_not(text: object) -> None:
    with pytest.raises(ValueError, match="a number such as 20"):
        parse_workers(text)
