"""The notebook of the browser tests: a fan-out, a task that fails, a table, an array."""

from __future__ import annotations

import json
from pathlib import Path

CELLS = (
    "# Churn by country",
    "%load_ext nbflow\n%flow churn",
    "import time\n\nimport numpy as np\nimport pandas as pd",
    "%%parameters\n"
    "alpha: float = 0.1      # strength of the penalty\n"
    'countries: list[str] = ["FI", "SE", "NO", "DK", "DE", "FR"]   # where to look\n'
    "strict: bool = True     # fail where a country has no rows",
    "%%step load\n"
    "rng = np.random.default_rng(0)\n"
    "df = pd.DataFrame({\n"
    '    "country": rng.choice(["FI", "SE", "NO", "DK", "DE"], 4000),\n'
    '    "age": rng.integers(18, 90, 4000),\n'
    '    "spent": rng.gamma(2.0, 30.0, 4000),\n'
    "})\n"
    "print(len(df), 'rows')\n"
    "df.head()",
    "%%step train --foreach country in countries --cpu 1\n"
    "part = df[df.country == country]\n"
    'print(f"{country}: {len(part)} rows")\n'
    "for epoch in range(5):\n"
    "    time.sleep(0.02)\n"
    '    print("epoch", epoch, "loss", round(1 / (epoch + 1 + alpha), 4))\n'
    "if strict and part.empty:\n"
    '    raise ValueError(f"no rows of {country}")\n'
    "score = float(part.spent.mean() / 100 - alpha)",
    "%%step choose\n"
    "best = max(train, key=lambda branch: branch.score)\n"
    "winner, score = best.country, best.score\n"
    "train.table()",
    "%%step report\n"
    'print(f"{winner} with {score:.3f}")\n'
    'summary = {"winner": winner, "score": score}',
)


def write_notebook(path: Path) -> None:
    """Write it."""
    cells = [
        {"cell_type": "markdown", "id": f"cell-{at}", "metadata": {}, "source": source}
        if at == 0
        else {
            "cell_type": "code",
            "id": f"cell-{at}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for at, source in enumerate(CELLS)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": kernel},
        "cells": cells,
    }
    path.write_text(json.dumps(notebook, indent=1))
