def choose(train, check):
    """Step `choose`.

    Needs `train` and `check`. Gives `best`, `model` and `reports`.
    """
    best = max(train, key=lambda branch: branch.score)
    model = best.model
    reports = [branch.report for branch in check if branch.good]

    return {"best": best, "model": model, "reports": reports}
