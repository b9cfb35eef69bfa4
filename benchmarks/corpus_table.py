"""Table: the verdicts on the examples of packages as a page of the docs."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

TABLE = Path(__file__).resolve().parents[1] / "docs" / "corpus.md"
Row = dict[str, Any]

#: verdicts that say something of nbflow, and what they mean
VERDICTS = {
    "same": "every value, printed line and picture agrees, but for what differs between two kernels "
    "too (unseeded random numbers, timings) and what no file can hold.",
    "warned": "something differs, and a warning of the compiler or of the run names the reason.",
    "refused": "an error diagnostic before anything ran; the code is given.",
    "fails": "the flow stops with an error, where the notebook does not.",
    "DIFFERENT": "something differs, and nothing has said so: a bug.",
    "crash": "verify itself ended with an error.",
}
INTRODUCTION = """\
# Notebooks that nobody tuned

Examples from packages' own source distributions, none of them written for nbflow, none of them edited: a
script makes every code cell a step by a tag in its metadata, and `nbflow verify` runs the notebook in one
kernel and as a flow. Each task had a process of its own. Compared are all variables of every step, what it
printed, and the pictures it showed, pixel by pixel.

```
pip install unearth scikit-learn statsmodels …   # what the examples need
python benchmarks/corpus.py                      # all packages; goes on where it was stopped
python benchmarks/corpus.py networkx lmfit       # some
python benchmarks/corpus.py --check              # compile every example, run none
```

Scripts are cut into cells at sphinx-gallery's blocks of text; those that have none at empty lines, which is
harder on them than any author would be. Left out are examples that need a network, a window or a keyboard.
Of each package so many were taken, evenly spread, as there was time for.
"""


def write_table(rows: Sequence[Row], checks: Sequence[Row]) -> None:
    """Write the page; ``checks`` are the rows of examples that were compiled only."""
    told = [one for one in rows if one["verdict"] in VERDICTS]
    lines = [
        INTRODUCTION,
        f"Run on {datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}. {_sums(told)}",
        "",
        *(f"- *{name}*: {meaning}" for name, meaning in VERDICTS.items()),
        "",
        *_compiled(checks),
        "## The verdicts",
        "",
        "The number is that of steps.",
        "",
    ]
    for package in sorted({one["package"] for one in rows}, key=str.lower):
        lines += _package(package, [one for one in rows if one["package"] == package])
    TABLE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


def _sums(told: Sequence[Row]) -> str:
    counts = Counter(one["verdict"] for one in told)
    steps = sum(one["steps"] for one in told)
    parts = ", ".join(f"{counts[name]} {name}" for name in VERDICTS if counts[name])
    return f"**{len(told)} examples with {steps} steps have a verdict: {parts}.**"


def _compiled(checks: Sequence[Row]) -> Iterator[str]:
    if not checks:
        return
    refused = [one for one in checks if one["verdict"] == "refused"]
    warned: Counter[str] = Counter()
    for one in checks:
        warned.update(one["warnings"].keys())
    some = sum(bool(one["warnings"]) for one in checks)
    yield "## What compiles"
    yield ""
    yield (
        f"All {len(checks)} examples that there are, verified or not: {len(refused)} are refused and "
        f"{some} get a warning ({', '.join(f'{code} {n}' for code, n in warned.most_common())})."
    )
    yield ""
    for one in sorted(refused, key=lambda row: (row["package"], row["name"])):
        yield f"- {one['package']}, `{one['name']}`: {one['reason']}"
    yield ""


def _package(package: str, rows: Sequence[Row]) -> Iterator[str]:
    told = [one for one in rows if one["verdict"] in VERDICTS]
    counts = Counter(one["verdict"] for one in told)
    name, _, version = package.rpartition("-")
    told_counts = ", ".join(
        f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict]
    )
    yield f"### {name.replace('_', '-')} {version}: {told_counts or 'no verdict'}"
    yield ""
    same = sorted((one for one in told if one["verdict"] == "same"), key=lambda one: one["name"])
    if same:
        yield "Same: " + ", ".join(f"{_short(one['name'])} {one['steps']}" for one in same) + "."
        yield ""
    for one in sorted(told, key=lambda one: one["name"]):
        if one["verdict"] != "same":
            yield f"- *{one['verdict']}*: {_short(one['name'])} {one['steps']}: {_plain(one['reason'])}"
    idle = sorted(_short(one["name"]) for one in rows if one["verdict"] not in VERDICTS)
    if idle:
        yield f"- No verdict, as it fails in a kernel here too or takes too long: {', '.join(idle)}."
    yield ""


def _short(name: str) -> str:
    """The path without what all of the package's examples share."""
    parts = Path(name).with_suffix("").parts
    return f"`{'/'.join(parts[-2:] if len(parts) > 2 else parts[-1:])}`"


def _plain(text: str) -> str:
    return text.replace("<", "&lt;").replace("|", "\\|").replace("*", "\\*").replace("_", "\\_")
