"""The notebooks of the browser tests: one with a fan-out that fails, one that is hostile."""

from __future__ import annotations

import json
from pathlib import Path

from nbflow.store import open_store
from nbflow.store.records import TaskRecord

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


#: tasks of the fan-out of the run that is wide
WIDE = 20_000

#: what a hostile page would try; it tells in its own text what came of it
_ATTACK = """\
<p id="told">nothing</p>
<script>
const found = {};
const attempt = (name, doing) => { try { found[name] = String(doing()); } catch { found[name] = 'refused'; } };
attempt('cookies', () => document.cookie);
attempt('parent', () => parent.document.title);
attempt('storage', () => localStorage.length);
attempt('app', () => top.jupyterapp.name);
const tell = () => { document.getElementById('told').textContent = JSON.stringify(found); };
fetch('/api/contents').then(
  answer => { found.fetch = String(answer.status); tell(); },
  () => { found.fetch = 'refused'; tell(); }
);
try { top.location = 'about:blank#gone'; } catch {}
</script>
"""

#: each of them sets `pwned` in the page that runs it
_PWNED = "window.pwned = (window.pwned || 0) + 1"

HOSTILE = (
    "# Hostile",
    "%load_ext nbflow\n%flow hostile",
    "import pandas as pd\nfrom IPython.display import HTML, SVG, Javascript, Markdown, display",
    "%%step show\n"
    f"display(HTML({_ATTACK!r}))\n"
    f"display(HTML('<p id=bare>bare</p><img src=x onerror=\"{_PWNED}\">'))\n"
    f"display(Markdown('<b>bold</b> <img src=x onerror=\"{_PWNED}\"> [link](javascript:{_PWNED})'))\n"
    f'display(SVG(\'<svg xmlns="http://www.w3.org/2000/svg" onload="{_PWNED}"><script>{_PWNED}</script></svg>\'))\n'
    f"display(Javascript('{_PWNED}'))\n"
    f"frame = pd.DataFrame({{'<img src=x onerror={_PWNED}>': ['<script>{_PWNED}</script>']}})\n"
    f"text = '<img src=x onerror={_PWNED}>'\n"
    f"print('<img src=x onerror={_PWNED}>')\n"
    "frame",
    f"%%step fail\nraise ValueError('<img src=x onerror={_PWNED}>' + text)",
)


def write_notebook(path: Path, sources: tuple[str, ...] = CELLS) -> None:
    """Write one: a heading, and cells of code."""
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
        for at, source in enumerate(sources)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": kernel},
        "cells": cells,
    }
    path.write_text(json.dumps(notebook, indent=1))


def add_wide(folder: Path) -> None:
    """Add to a store with a run of the first notebook one whose fan-out has very many tasks."""
    store = open_store(folder)
    run = store.create_run("wide", store.run("churn/1").version)
    store.update_run(run.id, status="running", started=run.created)
    records = [TaskRecord("load", "", "succeeded", started=run.created, finished=run.created)]
    records.append(TaskRecord("train", "", "succeeded", part="items", count=WIDE))
    records += [
        TaskRecord(
            "train",
            str(at),
            "succeeded",
            started=run.created + at // 16,
            finished=run.created + at // 16 + 1 + at % 7 / 10,
            item=f"item {at}",
            worker=f"tcp://10.0.0.{at % 16}",
        )
        for at in range(WIDE)
    ]
    store.publish(run.id, records)
    store.update_run(run.id, status="cancelled", finished=run.created + WIDE / 16)
    store.close()
