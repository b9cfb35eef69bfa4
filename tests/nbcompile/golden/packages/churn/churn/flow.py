"""The flow churn: its steps, in order, and what passes between them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from churn.branches import FanOut
from churn.params import Params
from churn.steps.check import check, check_when
from churn.steps.choose import choose
from churn.steps.final import final, final_when
from churn.steps.load import load
from churn.steps.publish import publish
from churn.steps.train import train, train_items


class Skipped(Exception):
    """The steps that make an input were skipped."""


def first(name: str, *sources: Any) -> Any:
    """The value of a name from the nearest step that ran and bound it."""
    for source in sources:
        if source is not None and name in source:
            return source[name]
    raise Skipped(name)


def retried(function: Callable[..., Any], times: int, delay: float) -> Callable[..., Any]:
    """The function, tried again when it fails."""

    def call(**inputs: Any) -> Any:
        for _ in range(times):
            try:
                return function(**inputs)
            except Exception as error:
                print(f"{function.__name__} failed, trying again: {error!r}")
                time.sleep(delay)
        return function(**inputs)

    return call


def run(params: Params | None = None) -> dict[str, Any]:
    """Run every step; what each one made."""
    params = params or Params()
    load_made = load(countries=params.countries, limit=params.limit)
    train_made = FanOut("train")
    for index, country in enumerate(train_items(rows=load_made["rows"])):
        values = train(rows=load_made["rows"], country=country, alpha=params.alpha)
        train_made.add((index,), country, values)
    check_made = FanOut("check")
    for branch in train_made.succeeded():
        if check_when(score=branch["score"]):
            values = check(score=branch["score"], country=branch["country"])
            check_made.add(branch.key, branch.item, values, branch.parent)
    choose_made = choose(train=train_made.branches, check=check_made.branches)
    final_made = None
    if final_when(mode=params.mode):
        final_made = final(model=choose_made["model"])
    publish_made = retried(publish, 1, 0.0)(
        model=first("model", final_made, choose_made), reports=choose_made["reports"]
    )
    return {
        "load": load_made,
        "train": train_made.branches,
        "check": check_made.branches,
        "choose": choose_made,
        "final": final_made,
        "publish": publish_made,
    }
