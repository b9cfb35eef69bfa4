"""Table: the verdicts on the examples of packages as a page of the docs."""

from __future__ import annotations

import platform
import re
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
    "diagnosed": "the flow stops where the notebook goes on, with a diagnostic that names the value "
    "and the way out; or something differs, and a warning names the reason.",
    "refused": "an error diagnostic before anything ran; the code is given.",
    "fails": "the flow stops with an error of its own, where the notebook does not: a bug.",
    "DIFFERENT": "something differs, and nothing has said so: a bug.",
    "crash": "verify itself ended with an error: a bug.",
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
Of each package so many were taken, evenly spread, as there was time for. Faults that an example found were
mended and that example was run again; not all others were, after each change.
"""


def write_table(
    rows: Sequence[Row],
    checks: Sequence[Row],
    init_rows: Sequence[Row] = (),
    init_checks: Sequence[Row] = (),
) -> None:
    """Write the page; ``checks`` are the rows of examples that were compiled only.

    Those of ``init_…`` have the steps that `nbflow init` proposes.
    """
    told = [one for one in rows if one["verdict"] in VERDICTS]
    ran = {(one["package"], one["name"]) for one in rows}
    only = [one for one in checks if (one["package"], one["name"]) not in ran]
    refused = [one for one in only if one["verdict"] == "refused"]
    lines = [
        INTRODUCTION,
        f"Run on {datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}. "
        f"{_sums([*told, *refused])}",
        "",
        *(f"- *{name}*: {meaning}" for name, meaning in VERDICTS.items()),
        "",
        *_packages([*told, *refused], rows, only),
        *_compiled(checks),
        *_proposed(init_rows, init_checks),
        *_exceptions([*told, *refused]),
        "## Those that are the same",
        "",
        "The number is that of steps.",
        "",
        *_same(told),
        *_idle(rows),
    ]
    TABLE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


def _sums(told: Sequence[Row]) -> str:
    counts = Counter(one["verdict"] for one in told)
    steps = sum(one["steps"] for one in told)
    parts = ", ".join(f"{counts[name]} {name}" for name in VERDICTS if counts[name])
    silent = counts["DIFFERENT"]
    end = f"{silent} silent differences" if silent else "no silent difference"
    return f"**{len(told)} examples with {steps} steps have a verdict: {parts}; {end}.**"


def _packages(told: Sequence[Row], rows: Sequence[Row], only: Sequence[Row]) -> Iterator[str]:
    """One line for each package."""
    columns = [name for name in VERDICTS if any(one["verdict"] == name for one in told)]
    idle = [one for one in rows if one["verdict"] not in VERDICTS]
    rest = [one for one in only if one["verdict"] != "refused"]
    yield f"| package | {' | '.join(columns)} | no verdict | compiled only |"
    yield f"| --- |{' ---: |' * (len(columns) + 2)}"

    def line(name: str, package: str | None) -> str:
        ours = [
            [one for one in group if package in (None, one["package"])]
            for group in (told, idle, rest)
        ]
        counts = Counter(one["verdict"] for one in ours[0])
        cells = [*(counts[column] for column in columns), len(ours[1]), len(ours[2])]
        return f"| {name} | {' | '.join(str(cell or '') for cell in cells)} |"

    for package in sorted({one["package"] for one in [*rows, *only]}, key=str.lower):
        yield line(_titled(package), package)
    yield line("**all**", None)
    yield ""
    yield (
        "No verdict have those that fail in a kernel here too (a package or data that is not there) "
        "and those that take too long."
    )
    yield ""


def _compiled(checks: Sequence[Row]) -> Iterator[str]:
    if not checks:
        return
    warned: Counter[str] = Counter()
    for one in checks:
        warned.update(one["warnings"].keys())
    some = sum(bool(one["warnings"]) for one in checks)
    refused = sum(one["verdict"] == "refused" for one in checks)
    yield (
        f"Compiled were all {len(checks)} examples that there are, "
        f"{sum(one['steps'] for one in checks)} steps: {refused} are refused, {some} get a warning "
        f"({', '.join(f'{code} {n}' for code, n in warned.most_common())})."
    )
    yield ""


def _proposed(rows: Sequence[Row], checks: Sequence[Row]) -> Iterator[str]:
    """What came of the steps that `nbflow init` proposes."""
    told = [one for one in rows if one["verdict"] in VERDICTS]
    if not told and not checks:
        return
    yield "## The steps that `nbflow init` proposes"
    yield ""
    if checks:
        refused = [one for one in checks if one["verdict"] != "compiles"]
        yield f"Proposed for all {len(checks)} examples; all but {len(refused)} compile with them."
        yield ""
        for one in refused:
            yield f"- {_titled(one['package'])}, {_short(one['name'])}: {_plain(one['reason'])}"
        yield ""
    if told:
        yield f"Verified with them: {_sums(told)}"
        yield ""
        for one in sorted(told, key=lambda row: (row["package"], row["name"])):
            if one["verdict"] != "same":
                where = f"{_titled(one['package'])}, {_short(one['name'])}"
                yield f"- *{one['verdict']}*: {where}: {_plain(one['reason'])}"
        yield ""


def _exceptions(told: Sequence[Row]) -> Iterator[str]:
    yield "## Those that are not the same"
    yield ""
    for verdict in VERDICTS:
        for one in sorted(told, key=lambda row: (row["package"], row["name"])):
            if one["verdict"] == verdict != "same":
                where = f"{_titled(one['package'])}, {_short(one['name'])}"
                yield f"- *{verdict}*: {where}: {_plain(one['reason'])}"
    yield ""


def _same(told: Sequence[Row]) -> Iterator[str]:
    same = [one for one in told if one["verdict"] == "same"]
    for package in sorted({one["package"] for one in same}, key=str.lower):
        of = sorted((one for one in same if one["package"] == package), key=lambda r: r["name"])
        told_of = ", ".join(f"{_short(one['name'])} {one['steps']}" for one in of)
        yield f"**{_titled(package)}**: {told_of}."
        yield ""


def _idle(rows: Sequence[Row]) -> Iterator[str]:
    idle = sorted(
        f"{_titled(one['package'])} {_short(one['name'])}"
        for one in rows
        if one["verdict"] not in VERDICTS
    )
    if idle:
        yield f"No verdict: {', '.join(idle)}."


def _titled(package: str) -> str:
    name, _, version = package.rpartition("-")
    return f"{name.replace('_', '-')} {version}"


def _short(name: str) -> str:
    """The path without what all of the package's examples share."""
    parts = Path(name).with_suffix("").parts
    return f"`{'/'.join(parts[-2:] if len(parts) > 2 else parts[-1:])}`"


def _plain(text: str) -> str:
    """Text that no form of Markdown is seen in, but for names between backticks."""
    parts = text.replace("|", "\\|").split("`")
    for at in range(0, len(parts), 2):
        parts[at] = re.sub(r"([*_<])", r"\\\1", parts[at])
    return "`".join(parts)
