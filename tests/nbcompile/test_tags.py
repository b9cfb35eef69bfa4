"""Tags of cells in their three spellings, and options merged over a step's cells."""

from __future__ import annotations

import pytest

from nbcompile.diagnostics import Diagnostic
from nbcompile.notebook import Cell
from nbcompile.options import merge_options
from nbcompile.tags import TaggedCell, read_tags


def tagged(source: str, *tags: str, index: int = 0) -> TaggedCell:
    return read_tags(Cell(index, "code", source, tags))


def codes(diagnostics: tuple[Diagnostic, ...]) -> list[tuple[str, int | None]]:
    return [(finding.code, finding.line) for finding in diagnostics]


@pytest.mark.parametrize(
    "cell",
    [
        tagged("%%step train --gpu 1\nx = 1"),
        tagged("# nbflow: step train --gpu 1\nx = 1"),
        tagged("\nx = 1", "step:train --gpu 1"),
        tagged("%%resources --gpu 1\n%%step train\nx = 1"),
        tagged("# nbflow: step train\n# nbflow: resources --gpu 1\nx = 1"),
    ],
)
def test_three_spellings(cell: TaggedCell) -> None:
    assert (cell.kind, cell.step, cell.diagnostics) == ("step", "train", ())
    assert cell.body.strip() == "x = 1"
    assert merge_options([cell]).options.resources.gpu == 1


def test_lines_stay_where_they_were() -> None:
    cell = tagged("%%time\n%%step a\n\n%%resources --cpu 2\n# why\nx = 1")
    assert cell.body == "%%time\n\n\n\n# why\nx = 1"
    assert cell.line == 2


@pytest.mark.parametrize("kind", ["parameters", "setup"])
def test_other_kinds(kind: str) -> None:
    for cell in (
        tagged(f"%%{kind}   # why\nx"),
        tagged(f"# nbflow: {kind}\nx"),
        tagged("\nx", kind),
    ):
        assert (cell.kind, cell.body, cell.diagnostics) == (kind, "\nx", ())


def test_untagged() -> None:
    assert tagged("x = 1", "papermill").kind is None


def test_flow_line_and_own_magics_are_taken_out() -> None:
    cell = tagged("import x\n%load_ext nbflow\n%flow churn --project p\n%nbflow check\n%time y")
    assert cell.body == "import x\n\n\n\n%time y"
    assert cell.flow_name == "churn"
    assert [(g.option.name, g.value) for g in cell.flow_given] == [("project", "p")]


def test_tags_in_strings_are_text() -> None:
    source = 'text = """\n%flow x\n%%step a\n"""'
    assert tagged(source).body == source
    script = "%%writefile a.py\n%%step a\nx"
    assert (tagged(script).kind, tagged(script).body) == (None, script)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("%%stpe train\nx", ("NBF103", 1)),
        ("# nbflow: stpe train\nx", ("NBF103", 1)),
        ("x = 1\n%%step train", ("NBF103", 2)),
        ("%step train\nx", ("NBF103", 1)),
        ("%load_ext nbflow\n%parameters\na = 1", ("NBF103", 2)),
        ("%% step train\nx", ("NBF103", 1)),
        ("%flwo churn\nx", ("NBF103", 1)),
        ("# nbflow step train\nx", ("NBF103", 1)),
        ("#nbflow: step train\nx", ("NBF103", 1)),
        ("%%step train --gpuu 1\nx", ("NBF104", 1)),
        ("%%step train extra\nx", ("NBF104", 1)),
        ("%%resources --retry 1\n%%step a\nx", ("NBF104", 1)),
        ("%%step train --when (a\nx", ("NBF105", 1)),
        ("%%resources --cpu 1\nx", ("NBF106", 1)),
        ("%%setup\n%%step a\nx", ("NBF106", 2)),
        ("%%step a\n%%step b\nx", ("NBF106", 2)),
        ("%%step\nx", ("NBF107", 1)),
        ("%%step train-model\nx", ("NBF107", 1)),
        ("%%step sum\nx", ("NBF107", 1)),
        ("%flow a-b", ("NBF107", 1)),
    ],
)
def test_what_is_wrong(source: str, expected: tuple[str, int]) -> None:
    (finding,) = tagged(source).diagnostics
    assert (finding.code, finding.line) == expected
    assert finding.fix


@pytest.mark.parametrize(
    ("source", "severity", "fix"),
    [
        ("%step train --gpu 1\nx", "error", "Did you mean `%%step train --gpu 1`?"),
        ("%% setup\nx", "error", "Did you mean `%%setup`?"),
        (
            "%load_ext nbflow\n%enviroment old six",
            "warning",
            "Did you mean `%environment old six`?",
        ),
        ("# nbflow step train\nx", "warning", "Did you mean `# nbflow: step train`?"),
    ],
)
def test_what_looks_like_a_tag_and_is_none(source: str, severity: str, fix: str) -> None:
    (finding,) = tagged(source).diagnostics
    assert (finding.severity, finding.fix) == (severity, fix)


@pytest.mark.parametrize("source", ["x = (7\n%step\n)", "# nbflow steps are below\nx", "%env a=1"])
def test_what_only_looks_like_a_tag(source: str) -> None:
    assert tagged(source).diagnostics == ()


def test_did_you_mean() -> None:
    (finding,) = tagged("%%step train --memroy 1GB\nx").diagnostics
    assert finding.fix == "Did you mean `--memory`?"


def test_all_options() -> None:
    cell = tagged(
        "%%step a --after b, c --each d --retry 3 --retry-delay 5s --timeout 1h --catch "
        "--keep x y --drop z --no-cache --env gpu-env --variant big\n"
        "%%resources --cpu 0.5 --memory 16GB --disk 1TB --image repo/img:1"
    )
    options = merge_options([cell]).options
    assert (options.after, options.each, options.keep, options.drop) == (
        ("b", "c"),
        "d",
        ("x", "y"),
        ("z",),
    )
    assert (options.retry, options.retry_delay, options.timeout) == (3, 5.0, 3600.0)
    assert (options.catch, options.cache, options.env, options.variant) == (
        True,
        False,
        "gpu-env",
        "big",
    )
    asked = options.resources
    assert (asked.cpu, asked.memory, asked.disk, asked.image) == (
        0.5,
        16 * 10**9,
        10**12,
        "repo/img:1",
    )


@pytest.mark.parametrize(
    ("text", "target", "targets", "code"),
    [
        ("x in xs", "x", ("x",), "xs"),
        ("a, b in f(a in b)", "a, b", ("a", "b"), "f(a in b)"),
        ("(a, (b, c)), d in z", "(a, (b, c)), d", ("a", "b", "c", "d"), "z"),
        ("x in [y for y in z if y in w]", "x", ("x",), "[y for y in z if y in w]"),
        ("x in (1, 2)", "x", ("x",), "(1, 2)"),
        ("x in 1, 2", "x", ("x",), "1, 2"),
    ],
)
def test_foreach(text: str, target: str, targets: tuple[str, ...], code: str) -> None:
    merged = merge_options([tagged(f"%%step a --foreach {text}")])
    assert merged.foreach is not None
    assert (merged.foreach.target, merged.foreach.targets, merged.foreach.code) == (
        target,
        targets,
        code,
    )


@pytest.mark.parametrize(
    "option",
    ["foreach x", "foreach x.y in z", "foreach x in", "when a b", "when", "cpu many", "gpu 1.5",
     "memory lots", "timeout soon", "retry -1", "catch yes", "after a-b", "each a b"],
)  # fmt: skip
def test_wrong_values(option: str) -> None:
    (finding,) = merge_options([tagged(f"%%step a --{option}", index=4)]).diagnostics
    assert (finding.code, finding.cell, finding.line) == ("NBF105", 4, 1)


def test_options_of_several_cells() -> None:
    one = tagged("%%step a --gpu 1 --keep x", index=1)
    same = tagged("%%step a --gpu 1 --keep y", index=2)
    other = tagged("\n%%step a --gpu 2", index=3)
    merged = merge_options([one, same])
    assert (merged.options.resources.gpu, merged.options.keep) == (1, ("x", "y"))
    assert merged.diagnostics == ()
    (finding,) = merge_options([one, same, other]).diagnostics
    assert (finding.code, finding.cell, finding.line) == ("NBF106", 3, 2)


def test_keep_and_drop_of_one_name() -> None:
    cell = tagged("%%step a --keep x --drop x")
    assert codes(merge_options([cell]).diagnostics) == [("NBF106", 1)]


def test_a_flow_line_in_a_cell_of_its_own_counts() -> None:
    from nbcompile.infer import infer_flow
    from nbcompile.notebook import parse_notebook

    text = "# %%\n%flow churn --project growth\n# %%\n%%step a\nx = 1"
    flow = infer_flow(parse_notebook(text, "sample", ".py"))
    assert (flow.name, flow.options) == ("churn", {"project": "growth"})
