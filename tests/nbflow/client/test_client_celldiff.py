"""Cell diffs: every change is told, in the cell where it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nbflow.client.celldiff import CellChange, CodeCell, cell_changes, line_changes


def cells(*sources: str) -> list[CodeCell]:
    return [CodeCell(at, None, source) for at, source in enumerate(sources)]


def told(before: list[CodeCell], after: list[CodeCell]) -> list[str]:
    return [one.title() for one in cell_changes(before, after)]


LOAD = "df = pd.read_csv(source)\ndf = df.dropna()"
TRAIN = "model = fit(df, alpha)\nscore = evaluate(model, df)"
PLOT = "df.plot()"


def test_nothing_changed() -> None:
    assert cell_changes(cells(LOAD, TRAIN), cells(LOAD, TRAIN)) == ()


def test_an_edited_cell() -> None:
    edited = TRAIN.replace("alpha", "alpha / 2")
    (change,) = cell_changes(cells(LOAD, TRAIN), cells(LOAD, edited))
    assert (change.kind, change.title()) == ("edited", "cell 1")
    assert [(line.sign, line.text) for line in change.lines] == [
        ("-", "model = fit(df, alpha)"),
        ("+", "model = fit(df, alpha / 2)"),
        (" ", "score = evaluate(model, df)"),
    ]
    assert [part for part, changed in change.lines[1].parts if changed] == [" / 2"]


def test_added_removed_moved() -> None:
    assert told(cells(LOAD, TRAIN), cells(LOAD, PLOT, TRAIN)) == ["cell 1, added"]
    assert told(cells(LOAD, PLOT, TRAIN), cells(LOAD, TRAIN)) == ["cell 1, removed"]
    assert told(cells(PLOT, LOAD, TRAIN), cells(LOAD, TRAIN, PLOT)) == ["cell 2, moved from 0"]


def test_a_cell_that_was_edited_and_shifted_is_still_that_cell() -> None:
    edited = TRAIN.replace("alpha", "beta")
    assert told(cells(LOAD, TRAIN), cells(LOAD, "import math\nmath.pi", edited)) == [
        "cell 1, added",
        "cell 2 (was cell 1)",
    ]


def test_a_step_keeps_its_cell() -> None:
    before, after = CodeCell(0, "train", "a = 1"), CodeCell(0, "train", "b = other(2)")
    (change,) = cell_changes([before], [after])
    assert change == CellChange("edited", before, after)
    assert change.title() == "cell 0 · train"


def test_long_cells_are_cut_around_the_change() -> None:
    lines = [f"line {n}" for n in range(40)]
    changed = [*lines[:20], "line twenty", *lines[21:]]
    assert [one.sign for one in line_changes("\n".join(lines), "\n".join(changed))] == list(
        "…  -+  …"
    )


SOURCES = st.lists(st.text("ab \n=", max_size=12), max_size=6)


@given(SOURCES, SOURCES)
def test_changes_lead_from_one_notebook_to_the_other(a: list[str], b: list[str]) -> None:
    before, after = cells(*a), cells(*b)
    changes = cell_changes(before, after)
    assert bool(changes) == (a != b)
    old = [one.old.index for one in changes if one.old is not None]
    new = [one.new.index for one in changes if one.new is not None]
    assert len(set(old)) == len(old)
    assert len(set(new)) == len(new)
    # what is not told of is the same, in the same order
    assert [one.source for one in before if one.index not in old] == [
        one.source for one in after if one.index not in new
    ]


@given(st.text("ab\n", max_size=30), st.text("ab\n", max_size=30))
def test_lines_hold_what_is_new_and_what_is_gone(a: str, b: str) -> None:
    lines = line_changes(a, b)
    old, new = a.splitlines(), b.splitlines()
    assert len(new) - len(old) == sum({"+": 1, "-": -1}.get(line.sign, 0) for line in lines)
    assert bool([line for line in lines if line.sign in "+-"]) == (old != new)
