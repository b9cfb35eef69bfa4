def check_when(score):
    """Whether the step runs: `score > 0`."""
    return bool(score > 0)


def check(score, country):
    """Step `check`.

    One task for each of `train`. Needs `score` and `country`. Gives `good` and `report`.
    """
    good = score > 1
    report = f"{country}: {score:>3}"

    return {"good": good, "report": report}
